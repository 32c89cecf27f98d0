import type { AlertLane, Course, RequestTrace } from '../lib/course.ts'
import type { Plan, RollCallTable, RunEnd, RunEvent, ScenarioResult } from '../lib/event.ts'
import type { CheckResult } from '../lib/verdict.ts'

/** What the events of a run have told so far; every reporter that speaks of the whole reads it. */
export class RunFacts {
  readonly scenarios: ScenarioResult[] = []
  readonly checks: CheckResult[] = []
  readonly rollCalls: RollCallTable[] = []
  readonly lanes: AlertLane[] = []
  readonly traces: RequestTrace[] = []
  readonly warnings: { readonly at: number; readonly text: string }[] = []
  versions: Readonly<Record<string, string>> = {}
  /** Null until they are known. */
  startedAt: number | null = null
  plan: Plan | null = null
  course: Course | null = null
  end: RunEnd | null = null

  add(event: RunEvent): void {
    switch (event.type) {
      case 'run-started':
        this.plan = event.plan
        this.startedAt = event.at
        this.versions = event.versions
        break
      case 'scenario-ended':
        this.scenarios.push(event.result)
        break
      case 'check':
        this.checks.push(event.result)
        break
      case 'roll-call':
        this.rollCalls.push(event.rollCall)
        break
      case 'course':
        this.course = event.course
        break
      case 'alert-lane':
        this.lanes.push(event.lane)
        break
      case 'request-trace':
        this.traces.push(event.trace)
        break
      case 'warning':
        this.warnings.push({ at: event.at, text: event.text })
        break
      case 'run-ended':
        this.end = event.end
        break
    }
  }
}
