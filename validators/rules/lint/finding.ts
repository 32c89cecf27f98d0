import type { ParsedRule, Recordings } from '../recordings.ts'
import type { RulePart } from '../rule-file.ts'

/** What is looked for in rules, and the sentence that must hold. */
export const lints = {
  'rate-on-gauge': 'rate, irate and increase are taken of counters alone',
  'for-too-short': 'for lasts at least two evaluations, or is not there',
  'missing-severity': 'every alert has a severity',
  'missing-runbook': 'every alert that wakes somebody has a runbook',
  'dropped-label': 'templates use no label that the expression drops',
  'up-without-absent': 'a target that vanishes is noticed, too',
  'division-by-zero': 'no alert fires because it divides by zero',
  'value-in-label': 'no label holds the value',
  'unreachable-threshold': 'every threshold can be reached',
} as const
export type LintName = keyof typeof lints

/** One thing that a lint has to say of one rule. */
export interface Finding {
  readonly lint: LintName
  /** An error fails the check; a note is told with it. */
  readonly level: 'error' | 'note'
  readonly of: ParsedRule
  readonly part: RulePart
  /** Offset into the part. */
  readonly offset: number
  /** One sentence with the remedy. */
  readonly message: string
}

/** What lints know beside the rule itself. */
export interface LintContext {
  readonly rules: readonly ParsedRule[]
  readonly recordings: Recordings
  /** Types of metrics by name, as Prometheus knows them from its targets; absent without a Prometheus. */
  readonly metricTypes?: ReadonlyMap<string, string>
  /** The interval of groups that name none, and who says so. */
  readonly defaultInterval: { readonly ms: number; readonly known: boolean }
}

export type Lint = (of: ParsedRule, context: LintContext) => readonly Omit<Finding, 'lint' | 'of'>[]
