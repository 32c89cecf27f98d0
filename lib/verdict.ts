import type { Try } from './tries.ts'

/**
 * The words a check can end with. `no-data` and `errored` (could not ask) are never green; `accepted` is a failure that the
 * config accepts for a while, which makes nothing red and proves nothing.
 */
export const verdicts = ['passed', 'failed', 'no-data', 'errored', 'accepted', 'skipped'] as const
export type Verdict = (typeof verdicts)[number]

export const signals = ['load', 'metrics', 'logs', 'traces', 'joined', 'alerts', 'slo', 'stack'] as const
export type Signal = (typeof signals)[number]

/** A period in epoch milliseconds, both ends included. */
export interface Window {
  readonly from: number
  readonly to: number
}

/** What a verdict rests on; everything a reader needs to ask the same question again. */
export interface Evidence {
  /** What had to be true, in words and figures. */
  readonly expected: string
  /** What was seen. */
  readonly actual: string
  /** The resolved query or request, as it was sent. */
  readonly query?: string
  readonly window?: Window
  readonly attempts: number
  readonly elapsedMs: number
  /** What was tried when, of what did not pass: the first attempts and the last. */
  readonly tries?: readonly Try[]
  /** How the deadline came about, e.g. "2 scrapes of 1 s + 2 s = 4 s". */
  readonly deadline?: string
  /** A shell command that asks the same again; secrets are replaced by environment variables. */
  readonly reproduce?: string
  readonly link?: string
  /** Further lines: the first missing ids, the odd series. */
  readonly details?: readonly string[]
}

/** The outcome of one check; becomes one JUnit test case. */
export interface CheckResult {
  /** Stable, e.g. `metrics.request-count`. */
  readonly id: string
  /** A sentence without run ids or times, since CI systems keep history by it. */
  readonly title: string
  readonly signal: Signal
  /** The scenario judged; absent for checks of the whole run. */
  readonly scenario?: string
  readonly verdict: Verdict
  /** For skipped: why. For failed, accepted, no-data and errored: one sentence. */
  readonly reason?: string
  /** Of a failure that the config accepts: why, who answers for it, and the last day. */
  readonly accepted?: { readonly reason: string; readonly owner: string; readonly expires: string }
  readonly evidence: Evidence
}

/** True for what is never green: it failed, had no data, or could not be asked. */
export function isRed({ verdict }: Pick<CheckResult, 'verdict'>): boolean {
  return verdict === 'failed' || verdict === 'no-data' || verdict === 'errored'
}
