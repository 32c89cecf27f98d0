import { arch, availableParallelism, cpus, platform, release, totalmem } from 'node:os'
import type { AlertLane, Course, RequestTrace } from '../lib/course.ts'
import type { Plan, RollCallTable, RunEnd, RunEvent, ScenarioResult } from '../lib/event.ts'
import type { CheckResult } from '../lib/verdict.ts'
import { explainCommand } from './check-docs.ts'
import { type Run, runSchema, schemaVersion } from './run-schema.ts'
import { isRed } from './terminal-summary.ts'

/** What is known of a run so far, of which the reports that stay are written. */
export class RunRecord {
  private readonly runId: string
  private readonly config: unknown
  private readonly scenarios: ScenarioResult[] = []
  private readonly checks: CheckResult[] = []
  private readonly rollCalls: RollCallTable[] = []
  private readonly lanes: AlertLane[] = []
  private readonly traces: RequestTrace[] = []
  private course: Course | null = null
  private readonly warnings: { readonly at: number; readonly text: string }[] = []
  private plan: Plan | null = null
  private startedAt: number | null = null
  private versions: Readonly<Record<string, string>> = {}
  private end: RunEnd | null = null

  constructor(runId: string, config: unknown) {
    this.runId = runId
    this.config = config
  }

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

  /** As it is written to run.json. */
  stringify(): string {
    const { runId, plan, startedAt, versions, scenarios, checks, rollCalls, warnings, end, course, lanes, traces } =
      this
    const config = this.config ?? null
    const writtenAt = Date.now()
    const head = { schemaVersion, runId, writtenAt, startedAt, plan, versions, environment: environment() }
    const body = {
      scenarios,
      checks: checks.map(withExplanation),
      rollCalls,
      course,
      lanes,
      traces,
      warnings,
      end,
      config,
    }
    return JSON.stringify({ ...head, ...body }, null, 2)
  }

  /** As it is read back from run.json. */
  asRead(): Run {
    return runSchema.parse(JSON.parse(this.stringify()))
  }
}

function withExplanation(check: CheckResult): CheckResult & { readonly explained?: string } {
  const explained = isRed(check) ? explainCommand(check.id) : undefined
  return explained === undefined ? check : { ...check, explained }
}

function environment(): Run['environment'] {
  return {
    node: process.version,
    platform: `${platform()} ${release()} ${arch()}`,
    cpus: availableParallelism(),
    cpuModel: cpus()[0]?.model ?? 'unknown',
    memoryBytes: totalmem(),
  }
}
