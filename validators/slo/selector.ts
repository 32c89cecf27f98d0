import {
  type Labels,
  type Matcher,
  type MatcherOperator,
  MatcherSyntaxError,
  matcher,
  matches,
} from '../../lib/matcher.ts'
import { literal } from '../backends/prometheus.ts'
import { type Expr, PromqlError, parsePromql } from '../rules/promql.ts'

/** One matcher of a label: plain data, as it is written. */
export interface LabelMatcher {
  readonly name: string
  readonly operator: MatcherOperator
  readonly value: string
}

/** The counters that one side of an SLI is made of. */
export interface CounterSelector {
  readonly metric: string
  readonly matchers: readonly LabelMatcher[]
}

/**
 * Reads `metric{label="value"}`, also inside of `sum(...)`, `rate(...[5m])` and `increase(...[5m])`, which rules and counting
 * add by themselves.
 * @returns the selector, or in words why it is none
 */
export function parseCounter(text: string): CounterSelector | string {
  let expr: Expr
  try {
    expr = parsePromql(text)
  } catch (error) {
    if (error instanceof PromqlError) return `${JSON.stringify(text)} is no PromQL: ${error.message}`
    throw error
  }
  const inner = unwrapped(expr)
  if (inner?.kind !== 'selector' || inner.metric === undefined || inner.pinned || inner.offsetMs !== 0) {
    return `${JSON.stringify(text)} is no plain selector of counters such as http_requests_total{job="api"}, which muster can count for itself`
  }
  try {
    const named = inner.matchers.filter(({ label }) => label !== '__name__')
    return { metric: inner.metric, matchers: named.map(({ label, op, value }) => labelMatcher(label, op, value)) }
  } catch (error) {
    if (error instanceof MatcherSyntaxError) return `${JSON.stringify(text)}: ${error.message}`
    throw error
  }
}

/** @throws MatcherSyntaxError if the value of `=~` or `!~` is no regular expression */
export function labelMatcher(name: string, operator: MatcherOperator, value: string): LabelMatcher {
  matcher(name, operator, value)
  return { name, operator, value }
}

/** True if the series is one of those counters. @param labels with `__name__` */
export function selects({ metric, matchers }: CounterSelector, labels: Labels): boolean {
  return labels.__name__ === metric && matches(matchers.map(languageOf), labels)
}

function unwrapped(expr: Expr): Expr | undefined {
  if (expr.kind === 'aggregation' && expr.op === 'sum' && !expr.grouping) return unwrapped(expr.of)
  if (expr.kind === 'call' && ['rate', 'increase'].includes(expr.name)) return expr.args[0]
  return expr
}

/** The matcher with the values that it takes. */
export function languageOf({ name, operator, value }: LabelMatcher): Matcher {
  return matcher(name, operator, value)
}

/** The same counters with further matchers. */
export function narrowed(counter: CounterSelector, matchers: readonly LabelMatcher[]): CounterSelector {
  return { ...counter, matchers: [...counter.matchers, ...matchers] }
}

/** As PromQL. */
export function selectorText({ metric, matchers }: CounterSelector): string {
  if (matchers.length === 0) return metric
  return `${metric}{${matchers.map(({ name, operator, value }) => `${name}${operator}${literal(value)}`).join(',')}}`
}
