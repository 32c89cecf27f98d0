import type { Plan, RollCallTable, RunEnd, RunEvent, ScenarioResult } from '../lib/event.ts'
import type { CheckResult } from '../lib/verdict.ts'

/** What the events of a run have told so far, for reporters that speak at its end. */
export class RunFacts {
  readonly checks: CheckResult[] = []
  readonly scenarios: ScenarioResult[] = []
  readonly rollCalls: RollCallTable[] = []
  readonly warnings: string[] = []
  plan: Plan | undefined
  versions: Readonly<Record<string, string>> = {}
  /** Undefined until the run has ended. */
  end: RunEnd | undefined

  add(event: RunEvent): void {
    if (event.type === 'run-started') {
      this.plan = event.plan
      this.versions = event.versions
    } else if (event.type === 'check') this.checks.push(event.result)
    else if (event.type === 'scenario-ended') this.scenarios.push(event.result)
    else if (event.type === 'roll-call') this.rollCalls.push(event.rollCall)
    else if (event.type === 'warning') this.warnings.push(event.text)
    else if (event.type === 'run-ended') this.end = event.end
  }
}
