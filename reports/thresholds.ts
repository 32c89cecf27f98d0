import type { CheckResult, Verdict } from '../lib/verdict.ts'

/** A threshold of k6: its rule beside what was measured. */
export interface ThresholdRow {
  readonly scenario: string
  /** With its tags; of requests of the load alone the tag is left out, since that is the rule. */
  readonly metric: string
  readonly rule: string
  readonly actual: string
  readonly verdict: Verdict
}

/** The thresholds among the checks, in the order of the run. */
export function thresholdRows(checks: readonly CheckResult[]): ThresholdRow[] {
  return checks
    .filter(({ id }) => id.startsWith('load.threshold.'))
    .map(({ scenario = '', verdict, evidence }) => ({
      scenario,
      metric: (evidence.query ?? '').replace('{part:load}', '').replace('{part:load,', '{'),
      rule: evidence.expected,
      actual: evidence.actual,
      verdict,
    }))
}
