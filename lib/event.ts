import type { AlertLane, Course, RequestTrace } from './course.ts'
import type { CheckResult, Signal, Window } from './verdict.ts'

/** One scenario as it will be driven, for display. */
export interface PlannedScenario {
  readonly name: string
  readonly profile: string
  readonly journeys: readonly string[]
  /** Iterations per second at the highest. */
  readonly peakRate: number
  readonly durationMs: number
}

export interface Plan {
  readonly runId: string
  readonly target: string
  readonly scenarios: readonly PlannedScenario[]
  /** Backend name to URL without credentials. */
  readonly backends: Readonly<Record<string, string>>
  /** Derived deadlines, one sentence each. */
  readonly deadlines: readonly string[]
  readonly faults: readonly string[]
  readonly estimatedMs: number
}

/** What k6 saw so far of the scenario being driven; null before the first answer. */
export interface LiveLoad {
  /** Requests per second since the last look. */
  readonly rate: number
  /** 0 to 1, since the start. */
  readonly errorRatio: number | null
  /** Since the start. */
  readonly p95Ms: number | null
}

/** Live figures of the scenario being driven. */
export interface LoadProgress {
  readonly scenario: string
  readonly elapsedMs: number
  readonly durationMs: number
  readonly iterations: number
  readonly text: string
  /** Absent while k6 has not told them, or cannot. */
  readonly live?: LiveLoad
  /** When arrivals began, after k6's set-up; epoch milliseconds. Absent until that is known. */
  readonly begunAt?: number
}

export interface ScenarioResult {
  readonly name: string
  readonly window: Window
  readonly requests: number
  readonly iterations: number
  readonly dropped: number
  readonly p95Ms: number | null
  readonly errorRatio: number | null
}

/** The roll call of one service. Null: not known, since it could not be asked. */
export interface RollCallRow {
  readonly service: string
  /** At least, at most: equal unless requests were cut off or never answered. */
  readonly sent: readonly [number, number]
  readonly counted: number | null
  readonly logged: number | null
  readonly traced: number | null
  /** Of logs and traces together. */
  readonly missing: number
  readonly doubled: number
  /** 95th percentile until found in logs and traces; Infinity (null in JSON): never. */
  readonly freshnessMs: number | null
}

/** A request that is missing somewhere, and the command that looks it up there. */
export interface Loss {
  readonly service: string
  readonly signal: Signal
  /** A trace id. */
  readonly id: string
  readonly command: string
}

/** One scenario's roll call, a row per service; of the losses the first few. */
export interface RollCallTable {
  readonly scenario: string
  readonly rows: readonly RollCallRow[]
  readonly losses: readonly Loss[]
}

export interface RunEnd {
  readonly runId: string
  readonly exitCode: number
  /** One sentence. */
  readonly verdict: string
  readonly startedAt: number
  readonly endedAt: number
}

/** All that happens in a run, in order; reporters see nothing else. Times are epoch milliseconds. */
export type RunEvent =
  | {
      readonly type: 'run-started'
      readonly at: number
      readonly plan: Plan
      readonly versions: Readonly<Record<string, string>>
    }
  | { readonly type: 'phase'; readonly at: number; readonly text: string }
  | { readonly type: 'load-progress'; readonly at: number; readonly progress: LoadProgress }
  | { readonly type: 'scenario-ended'; readonly at: number; readonly result: ScenarioResult }
  | { readonly type: 'check'; readonly at: number; readonly result: CheckResult }
  | { readonly type: 'roll-call'; readonly at: number; readonly rollCall: RollCallTable }
  /** Replaces the one before: it holds all that happened so far. */
  | { readonly type: 'course'; readonly at: number; readonly course: Course }
  | { readonly type: 'alert-lane'; readonly at: number; readonly lane: AlertLane }
  | { readonly type: 'request-trace'; readonly at: number; readonly trace: RequestTrace }
  | { readonly type: 'warning'; readonly at: number; readonly text: string }
  | { readonly type: 'run-ended'; readonly at: number; readonly end: RunEnd }

/** Receives every event. A reporter that throws is reported once and stops no other. */
export interface Reporter {
  readonly name: string
  on(event: RunEvent): void | Promise<void>
  /** Flush; called once, also after an interruption. */
  close?(): void | Promise<void>
}
