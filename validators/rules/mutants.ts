import { formatPrometheusDuration } from '../../lib/prometheus-duration.ts'
import { type Threshold, thresholdOf, walk } from './expression.ts'
import {
  type Aggregation,
  type ComparisonOp,
  comparisonOps,
  type Expr,
  parsePromql,
  type Selector,
  type Span,
} from './promql.ts'
import type { Rule } from './rule-file.ts'
import { valueRange } from './value-range.ts'

export const mutationKinds = ['threshold', 'comparison', 'metric', 'matcher', 'for', 'aggregation', 'window'] as const
export type MutationKind = (typeof mutationKinds)[number]

/** A rule with one change, which good tests of the rule should notice. */
export interface Mutant {
  readonly rule: Rule
  readonly kind: MutationKind
  /** For people: `threshold 0.05 -> 0.0625`. */
  readonly what: string
  readonly expr: string
  readonly forMs: number
}

/** A change that was left out, since it is the same rule. */
export interface EquivalentMutant {
  readonly what: string
  readonly reason: string
}

export interface Mutations {
  readonly mutants: readonly Mutant[]
  readonly skipped: readonly EquivalentMutant[]
}

/**
 * Every way to change one thing of a rule: threshold, comparison, metric name, label matcher, `for`, aggregation, window.
 * @param options.intervalMs how often the rule is evaluated: a change of `for` that needs as many evaluations is none
 * @param options.inlined resolves recorded metrics, so that more equivalent changes are seen
 * @throws PromqlError
 */
export function mutantsOf(
  rule: Rule,
  { intervalMs, inlined = (expr) => expr }: { readonly intervalMs: number; readonly inlined?: (expr: Expr) => Expr },
): Mutations {
  const mutants: Mutant[] = []
  const skipped: EquivalentMutant[] = []
  const put = (kind: MutationKind, what: string, { from, to }: Span, text: string, equivalent?: string) => {
    if (equivalent !== undefined) skipped.push({ what, reason: equivalent })
    else {
      const expr = rule.expr.slice(0, from) + text + rule.expr.slice(to)
      mutants.push({ rule, kind, what, expr, forMs: rule.forMs })
    }
  }
  for (const node of walk(parsePromql(rule.expr))) {
    const threshold = thresholdOf(node)
    if (threshold) mutateThreshold(threshold, inlined(threshold.of), put)
    if (node.kind === 'selector') mutateSelector(node, rule.expr, put)
    if (node.kind === 'aggregation') mutateAggregation(node, rule.expr, put)
    if ((node.kind === 'selector' || node.kind === 'subquery') && node.rangeMs !== undefined && node.rangeSpan) {
      mutateWindow(node.rangeMs, node.rangeSpan, put)
    }
  }
  for (const [factor, word] of [
    [0.5, 'halved'],
    [2, 'doubled'],
    [0, 'zero'],
  ] as const) {
    if (rule.forMs === 0) break
    const forMs = rule.forMs * factor
    const what = `for ${formatPrometheusDuration(rule.forMs)} -> ${formatPrometheusDuration(forMs)} (${word})`
    if (Math.ceil(forMs / intervalMs) === Math.ceil(rule.forMs / intervalMs)) {
      skipped.push({ what, reason: 'both need the same number of evaluations' })
    } else mutants.push({ rule, kind: 'for', what, expr: rule.expr, forMs })
  }
  return { mutants, skipped }
}

type Put = (kind: MutationKind, what: string, span: Span, text: string, equivalent?: string) => void

/** @param source what is compared, recorded metrics inlined */
function mutateThreshold({ node, of, op, value, constant }: Threshold, source: Expr, put: Put): void {
  for (const next of op === '==' || op === '!=' ? [value + 1] : [above(value), below(value)]) {
    put('threshold', `threshold ${value} -> ${next}`, constant, String(next))
  }
  for (const other of comparisonOps) {
    if (other === node.op) continue
    const what = `comparison ${node.op} -> ${other} ${value}`
    const written = node.left === of
    put('comparison', what, node.opSpan, other, written ? sameComparison(op, other, value, source) : undefined)
  }
}

/** A quarter, or 1 for the small numbers that are counts: less would hardly matter, more would spare weak tests. */
function above(value: number): number {
  return Number.isInteger(value) && Math.abs(value) < 4 ? value + 1 : rounded(value + Math.abs(value) / 4)
}

function below(value: number): number {
  return Number.isInteger(value) && Math.abs(value) < 4 ? value - 1 : rounded(value - Math.abs(value) / 4)
}

function rounded(value: number): number {
  return Number(value.toPrecision(12))
}

/** Why two comparisons are the same for all values that can be; undefined if they differ. */
function sameComparison(op: ComparisonOp, other: ComparisonOp, value: number, of: Expr): string | undefined {
  const { min, max } = valueRange(of)
  const pair = [op, other].sort().join(' ')
  if (pair === '< <=' || pair === '> >=') {
    return isContinuous(of) ? `a computed fraction is hardly ever exactly ${value}` : undefined
  }
  // NaN is unlike every number, so `!=` holds for what a division by zero left.
  if (pair.includes('!=') && isContinuous(of)) return undefined
  if (value === min && (pair === '!= >' || pair === '<= ==')) return `the value is never below ${min}`
  if (value === max && (pair === '!= <' || pair === '== >=')) return `the value is never above ${max}`
  return undefined
}

const fractional = new Set(['avg', 'quantile', 'stddev', 'stdvar'])

/** True if the value is computed by dividing, so that it meets a given number only by chance. */
function isContinuous(expr: Expr): boolean {
  return [...walk(expr)].some(
    (one) =>
      (one.kind === 'binary' && one.op === '/') ||
      (one.kind === 'aggregation' && fractional.has(one.op)) ||
      (one.kind === 'call' &&
        /^(i?rate|increase|deriv|predict_linear|histogram_.*|(avg|quantile|stddev)_over_time)$/.test(one.name)),
  )
}

const negated = { '=': '!=', '!=': '=', '=~': '!~', '!~': '=~' } as const

function mutateSelector(selector: Selector, text: string, put: Put): void {
  const { metric, metricSpan, matchers, bare } = selector
  if (metric !== undefined && metricSpan) put('metric', `metric ${metric} -> ${metric}_x`, metricSpan, `${metric}_x`)
  for (const matcher of matchers) {
    const { label, op, opSpan } = matcher
    if (label === '__name__') continue
    const written = text.slice(matcher.from, matcher.to)
    const where = metric === undefined ? '' : ` of ${metric}`
    put('matcher', `matcher ${written}${where} negated`, opSpan, negated[op])
    if (metric === undefined && matchers.length === 1) continue
    put('matcher', `matcher ${written}${where} dropped`, withComma(matcher, text, bare), '')
  }
}

/** A matcher with the comma that separates it. */
function withComma({ from, to }: Span, text: string, within: Span): Span {
  const after = /^\s*,\s*/.exec(text.slice(to, within.to))
  if (after) return { from, to: to + after[0].length }
  const before = /,\s*$/.exec(text.slice(within.from, from))
  return { from: from - (before?.[0].length ?? 0), to }
}

const otherAggregations: Readonly<Record<string, readonly string[]>> = {
  sum: ['max', 'avg'],
  avg: ['max', 'min'],
  max: ['min', 'avg'],
  min: ['max', 'avg'],
  count: ['sum'],
  topk: ['bottomk'],
  bottomk: ['topk'],
}

function mutateAggregation({ op, opSpan, grouping }: Aggregation, text: string, put: Put): void {
  for (const other of otherAggregations[op] ?? []) put('aggregation', `aggregation ${op} -> ${other}`, opSpan, other)
  if (!grouping) return
  const written = text.slice(grouping.from, grouping.to)
  for (const [index, label] of grouping.labels.entries()) {
    const rest = grouping.labelSpans.filter((_, at) => at !== index).map(({ from, to }) => text.slice(from, to))
    const changed = `${grouping.without ? 'without' : 'by'} (${rest.join(', ')})`
    put('aggregation', `aggregation ${op} ${written} without ${label}`, grouping, changed)
  }
}

function mutateWindow(ms: number, span: Span, put: Put): void {
  if (Number.isNaN(ms)) return
  for (const [factor, word] of [
    [0.5, 'halved'],
    [2, 'doubled'],
  ] as const) {
    const next = formatPrometheusDuration(ms * factor)
    put('window', `window ${formatPrometheusDuration(ms)} -> ${next} (${word})`, span, next)
  }
}
