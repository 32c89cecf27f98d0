import type { Ledger, SentinelRequest } from '../lib/ledger.ts'
import { pause } from '../lib/poll.ts'
import type { Scenario } from '../lib/scenario.ts'
import type { Summary } from '../lib/summary.ts'
import type { ThresholdRecord } from '../lib/threshold.ts'
import type { Window } from '../lib/verdict.ts'
import type { Alertmanager } from './backends/alertmanager.ts'
import type { Loki } from './backends/loki.ts'
import type { Prometheus } from './backends/prometheus.ts'
import type { TraceSource } from './backends/trace-source.ts'
import type { ParsedConfig } from './config.ts'
import type { BackendName } from './coverage.ts'
import type { ObservedFreshness } from './freshness.ts'
import type { RollCall } from './roll-call/roll-call.ts'

/** The clients of the backends. To reach for one that the config does not name throws Absent. */
export interface Backends {
  readonly prometheus: Prometheus
  readonly loki: Loki
  readonly traces: TraceSource
  readonly alertmanager: Alertmanager
  lacks(name: BackendName): boolean
}

/** What the backends said of themselves before anything was driven; milliseconds. */
export interface Facts {
  readonly versions: Readonly<Record<string, string>>
  readonly scrapeMs: number
  readonly scrapeTimeoutMs: number
  /** The longest evaluation interval of any rule. */
  readonly evaluationMs: number
  /** The rules that Prometheus had before the run. */
  readonly rules: readonly { readonly alerting: boolean }[]
  readonly groupWaitMs: number
  readonly groupIntervalMs: number
  /** Prometheus' clock minus ours. */
  readonly clockOffsetMs: number
}

/** What every check of a run knows. */
export interface RunContext {
  readonly runId: number
  readonly config: ParsedConfig
  readonly secrets: readonly string[]
  readonly backends: Backends
  readonly facts: Facts
  readonly signal: AbortSignal
  /** When a run is judged again later: until when its telemetry was looked at. */
  readonly horizon?: number
}

/** Our clock, or the moment up to which a past run is judged; epoch milliseconds. */
export function present({ horizon }: RunContext): number {
  return Math.min(Date.now(), horizon ?? Number.POSITIVE_INFINITY)
}

/** How k6 ended. */
export interface LoadEnd {
  readonly exitCode: number | undefined
  readonly exitMeaning: string
  /** k6's own last words. */
  readonly words: readonly string[]
}

/** What muster's own sentinel sent while the load ran, and what was seen of it. */
export interface SentinelRun {
  /** Its declaration; absolute. */
  readonly file: string
  /** The scenario number in its trace ids. */
  readonly number: number
  readonly requests: readonly SentinelRequest[]
  /** Settles when all was found, or was waited for long enough; never rejects. */
  readonly observed: Promise<ObservedFreshness>
}

/** By job and instance, as `edgeKey` writes them: a scrape's timestamp, epoch milliseconds of Prometheus' clock. */
export type Edges = Readonly<Record<string, number>>

export function edgeKey(job: string, instance: string): string {
  return `${job} ${instance}`
}

/** What is known of one scenario besides. */
export interface ScenarioFacts extends RunContext {
  readonly scenario: Scenario
  readonly thresholds: ThresholdRecord
  readonly window: Window
  /** The last scrape of each target before the load, which had ended when the load began. */
  readonly edges: Edges
  /** Absent if k6 left no summary: then nothing is known of what was sent. */
  readonly ledger: Ledger | undefined
  readonly summary: Summary | undefined
  readonly load: LoadEnd
  /** Absent if the config asks for none, or k6 did not start. */
  readonly sentinel: SentinelRun | undefined
}

/** What every check of one scenario knows. */
export interface ScenarioContext extends ScenarioFacts {
  /** Absent with the ledger. */
  readonly rollCall: RollCall | undefined
}

/** How long after the load surplus may still arrive: services and collector export several times in it. */
export const settleMs = 1000

/** Waits until what was written twice has had time to arrive twice. */
export async function settled(context: ScenarioFacts): Promise<void> {
  const left = context.window.to + settleMs - present(context)
  if (left > 0) await pause(left, context.signal)
}

/** Telemetry is exported in batches of at most 1 s and indexed soon after; slack for a busy machine. */
const pipelineSlackMs = 8000

/** Until when a metric of the window must be scraped, as a duration and in words. */
export function scrapeDeadline({ scrapeMs, scrapeTimeoutMs }: Facts): { ms: number; words: string } {
  const slack = Math.max(2000, scrapeTimeoutMs)
  return { ms: 2 * scrapeMs + slack, words: `2 scrapes of ${scrapeMs / 1000} s + ${slack / 1000} s` }
}

/** Until when a log line or span of the window must be found. */
export function pipelineDeadline(): { ms: number; words: string } {
  return { ms: pipelineSlackMs, words: `export, collector and index: ${pipelineSlackMs / 1000} s` }
}

/** How far back a sample before the window is looked for. */
export function lookback({ scrapeMs }: Facts): number {
  return Math.max(10_000, 5 * scrapeMs)
}
