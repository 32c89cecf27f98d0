import { matches } from '../../lib/matcher.ts'
import type { Recording } from './evaluator/evaluator.ts'
import { compiledMatcher } from './evaluator/selects.ts'
import { partsOf, selectorsOf, walk } from './expression.ts'
import { type Expr, parsePromql, type Selector } from './promql.ts'
import type { Rule, RuleGroup } from './rule-file.ts'

/** A rule with all that decides what it does: the recording rules it reads, and how often it is evaluated. */
export interface RuleInContext {
  readonly rule: Rule
  readonly expr: Expr
  /** What it reads, directly or through others; each before those that read it. */
  readonly recordings: readonly Rule[]
  readonly parsed: readonly Recording[]
  /** Selectors of series that no recording rule makes, each once. */
  readonly leaves: readonly Selector[]
  /** What the group says; a minute, Prometheus' default, if it says nothing. */
  readonly intervalMs: number
  /** The longest way back that a result can depend on, and the shortest range. */
  readonly windowMs: number
  readonly shortestRangeMs: number
  /** True if the result depends on the clock, not only on samples. */
  readonly clocked: boolean
}

const defaultIntervalMs = 60_000
const clockFunctions = new Set([
  'time',
  'timestamp',
  'hour',
  'minute',
  'day_of_week',
  'day_of_month',
  'day_of_year',
  'days_in_month',
  'month',
  'year',
])

/** Every rule of the groups in its context. @throws PromqlError for an expression that is no PromQL */
export function readRules(groups: readonly RuleGroup[]): RuleInContext[] {
  const recorded = groups.flatMap(({ rules }) => rules).filter(({ kind }) => kind === 'record')
  return groups.flatMap(({ rules, intervalMs }) =>
    rules.map((rule) => inContext(rule, recorded, intervalMs ?? defaultIntervalMs)),
  )
}

function inContext(rule: Rule, recorded: readonly Rule[], intervalMs: number): RuleInContext {
  const expr = parsePromql(rule.expr)
  const recordings: Rule[] = []
  const parsed: Recording[] = []
  const seen = new Set<Rule>([rule])
  const leaves = new Map<string, Selector>()
  collect(expr)
  const exprs = [expr, ...parsed.map((one) => one.expr)]
  const parts = exprs.flatMap((one) => [...walk(one)])
  return {
    rule,
    expr,
    recordings,
    parsed,
    leaves: [...leaves.values()],
    intervalMs,
    windowMs: reach(expr, parsed),
    shortestRangeMs: Math.min(
      ...parts.flatMap((part) => ((part.kind === 'selector' || part.kind === 'subquery') && part.rangeMs) || []),
    ),
    clocked: parts.some((part) => part.kind === 'call' && clockFunctions.has(part.name)),
  }

  function collect(of: Expr): void {
    for (const selector of selectorsOf(of)) {
      const makers = recorded.filter((maker) => canMake(maker, selector))
      if (makers.length === 0) {
        const key = `${selector.metric} ${selector.matchers.map(({ label, op, value }) => `${label}${op}${JSON.stringify(value)}`).join()}`
        if (!leaves.has(key)) leaves.set(key, selector)
      }
      for (const maker of makers) {
        if (seen.has(maker)) continue
        seen.add(maker)
        const inner = parsePromql(maker.expr)
        collect(inner)
        recordings.push(maker)
        parsed.push({ name: maker.name, expr: inner, labels: maker.labels })
      }
    }
  }
}

/** Whether a selector can take what a recording rule makes, as far as the rule's own labels tell. */
function canMake({ name, labels }: Rule, { metric, matchers }: Selector): boolean {
  if (metric === undefined || name !== metric) return false
  return matchers.every((one) => !Object.hasOwn(labels, one.label) || matches([compiledMatcher(one)], labels))
}

/** How far back an expression looks, what it reads of recording rules included. */
function reach(expr: Expr, recordings: readonly Recording[]): number {
  const inner = Math.max(0, ...partsOf(expr).map((part) => reach(part, recordings)))
  if (expr.kind !== 'selector' && expr.kind !== 'subquery') return inner
  // A recording stands before those that read it, so what it reads itself stands before it.
  const read = recordings.findIndex(({ name }) => expr.kind === 'selector' && name === expr.metric)
  const behind = recordings
    .filter(({ name }) => expr.kind === 'selector' && name === expr.metric)
    .map((one) => reach(one.expr, recordings.slice(0, read)))
  return Math.max(inner, ...behind) + Math.max(0, expr.rangeMs || 0) + Math.max(0, expr.offsetMs ?? 0)
}
