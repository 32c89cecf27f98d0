import { constantOf } from './expression.ts'
import type { Aggregation, Binary, Call, ComparisonOp, Expr, Selector } from './promql.ts'

/** The least and the greatest value that an expression can have, both included; NaN apart. */
export interface ValueRange {
  readonly min: number
  readonly max: number
}

const anything: ValueRange = { min: Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY }
const notNegative: ValueRange = { min: 0, max: Number.POSITIVE_INFINITY }
const share: ValueRange = { min: 0, max: 1 }

/** What a metric can be by its very nature. */
const metricRanges: Readonly<Record<string, ValueRange>> = { up: share, ALERTS: { min: 1, max: 1 } }

/** Results that do not depend on what goes in. */
const functionRanges: Readonly<Record<string, ValueRange>> = {
  absent: { min: 1, max: 1 },
  absent_over_time: { min: 1, max: 1 },
  present_over_time: { min: 1, max: 1 },
  count_over_time: { min: 1, max: Number.POSITIVE_INFINITY },
  rate: notNegative,
  irate: notNegative,
  increase: notNegative,
  changes: notNegative,
  resets: notNegative,
  stddev_over_time: notNegative,
  stdvar_over_time: notNegative,
  abs: notNegative,
  sqrt: notNegative,
  sgn: { min: -1, max: 1 },
  hour: { min: 0, max: 23 },
  minute: { min: 0, max: 59 },
  day_of_week: { min: 0, max: 6 },
  day_of_month: { min: 1, max: 31 },
  month: { min: 1, max: 12 },
  histogram_fraction: share,
}

/** Functions whose result lies within the range of what goes in. */
const withinInput = new Set([
  'avg_over_time',
  'min_over_time',
  'max_over_time',
  'last_over_time',
  'first_over_time',
  'quantile_over_time',
  'sort',
  'sort_desc',
  'sort_by_label',
  'sort_by_label_desc',
  'label_replace',
  'label_join',
  'vector',
  'scalar',
])

const withinInputOps = new Set(['avg', 'min', 'max', 'topk', 'bottomk', 'limitk', 'limit_ratio'])

/** The range of an expression as far as its form proves it; recorded metrics should be inlined before. */
export function valueRange(expr: Expr): ValueRange {
  const constant = constantOf(expr)
  if (constant !== undefined) return { min: constant, max: constant }
  switch (expr.kind) {
    case 'selector':
      return ofSelector(expr)
    case 'subquery':
      return valueRange(expr.of)
    case 'unary': {
      const { min, max } = valueRange(expr.of)
      return expr.op === '-' ? { min: -max, max: -min } : { min, max }
    }
    case 'call':
      return ofCall(expr)
    case 'aggregation':
      return ofAggregation(expr)
    case 'binary':
      return ofBinary(expr)
    default:
      return anything
  }
}

/** Whether a comparison with a constant holds for all values of a range, for none, or for some. */
export function holdsFor({ min, max }: ValueRange, op: ComparisonOp, value: number): 'all' | 'none' | 'some' {
  switch (op) {
    case '>':
      return min > value ? 'all' : max > value ? 'some' : 'none'
    case '>=':
      return min >= value ? 'all' : max >= value ? 'some' : 'none'
    case '<':
      return max < value ? 'all' : min < value ? 'some' : 'none'
    case '<=':
      return max <= value ? 'all' : min <= value ? 'some' : 'none'
    case '==':
      return min === value && max === value ? 'all' : min <= value && value <= max ? 'some' : 'none'
    case '!=':
      return value < min || value > max ? 'all' : min === value && max === value ? 'none' : 'some'
  }
}

function ofSelector({ metric = '' }: Selector): ValueRange {
  return metricRanges[metric] ?? (isCounterName(metric) ? notNegative : anything)
}

/** True for names that counters and the parts of histograms and summaries have by convention. */
export function isCounterName(metric: string): boolean {
  return /_(total|count|sum|bucket)$/.test(metric)
}

function ofCall({ name, args }: Call): ValueRange {
  const known = functionRanges[name]
  if (known) return known
  const [first, second, third] = args
  if (!first) return anything
  if (withinInput.has(name)) return valueRange(args.find(({ kind }) => kind !== 'number' && kind !== 'string') ?? first)
  const [low, high] = [second && constantOf(second), third && constantOf(third)]
  if (name === 'clamp_min' && low !== undefined) return bounded(valueRange(first), { ...anything, min: low })
  if (name === 'clamp_max' && low !== undefined) return bounded(valueRange(first), { ...anything, max: low })
  if (name === 'clamp' && low !== undefined && high !== undefined)
    return bounded(valueRange(first), { min: low, max: high })
  if (name === 'sum_over_time') return summed(valueRange(first))
  return anything
}

function bounded({ min, max }: ValueRange, to: ValueRange): ValueRange {
  return { min: Math.max(min, to.min), max: Math.min(Math.max(max, to.min), to.max) }
}

function summed({ min, max }: ValueRange): ValueRange {
  return { min: min >= 0 ? min : Number.NEGATIVE_INFINITY, max: max <= 0 ? max : Number.POSITIVE_INFINITY }
}

function ofAggregation({ op, of }: Aggregation): ValueRange {
  if (op === 'count' || op === 'count_values') return { min: 1, max: Number.POSITIVE_INFINITY }
  if (op === 'group') return { min: 1, max: 1 }
  if (op === 'stddev' || op === 'stdvar') return notNegative
  if (op === 'sum') return summed(valueRange(of))
  return withinInputOps.has(op) ? valueRange(of) : anything
}

function ofBinary({ op, bool, left, right }: Binary): ValueRange {
  if (bool) return share
  const [a, b] = [valueRange(left), valueRange(right)]
  switch (op) {
    case '+':
      return { min: sum(a.min, b.min, -1), max: sum(a.max, b.max, 1) }
    case '-':
      return { min: sum(a.min, -b.max, -1), max: sum(a.max, -b.min, 1) }
    case '*':
      return hull([product(a.min, b.min), product(a.min, b.max), product(a.max, b.min), product(a.max, b.max)])
    case '/':
      return ofDivision(left, right, a, b)
    case 'or':
      return { min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) }
    case '%':
    case '^':
    case 'atan2':
      return anything
    default:
      // A comparison or set operator hands on values of its left side, or of the right if a constant stands left.
      return constantOf(left) === undefined ? a : b
  }
}

function ofDivision(left: Expr, right: Expr, a: ValueRange, b: ValueRange): ValueRange {
  const most = greatestShare(left, right)
  if (most !== undefined) return hull([0, most])
  if (b.min === b.max && b.min !== 0) return hull([a.min / b.min, a.max / b.min])
  return a.min >= 0 && b.min >= 0 ? notNegative : anything
}

function sum(a: number, b: number, towards: 1 | -1): number {
  const value = a + b
  return Number.isNaN(value) ? towards * Number.POSITIVE_INFINITY : value
}

/** Zero times infinity is zero here: a bound that is not reached. */
function product(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : a * b
}

function hull(values: readonly number[]): ValueRange {
  return { min: Math.min(...values), max: Math.max(...values) }
}

/** The most that a part divided by its whole can be: 1, or the constant that the part is multiplied by (`100 * a / b`). */
export function greatestShare(part: Expr, whole: Expr): number | undefined {
  if (isPartOf(part, whole)) return 1
  if (part.kind !== 'binary' || part.op !== '*') return undefined
  const [left, right] = [constantOf(part.left), constantOf(part.right)]
  if (left !== undefined && isPartOf(part.right, whole)) return left
  return right !== undefined && isPartOf(part.left, whole) ? right : undefined
}

const counting = new Set(['rate', 'irate', 'increase', 'count_over_time', 'sum_over_time'])

/**
 * True if a part is proven to be never more than the whole, neither of them negative: the same counters summed in the
 * same way, with at least the matchers of the whole. Their quotient then lies between 0 and 1.
 */
function isPartOf(part: Expr, whole: Expr): boolean {
  if (whole.kind === 'binary' && whole.op === '+') {
    const [a, b] = [whole.left, whole.right]
    return (isPartOf(part, a) && valueRange(b).min >= 0) || (isPartOf(part, b) && valueRange(a).min >= 0)
  }
  if (part.kind === 'aggregation' && whole.kind === 'aggregation') {
    const same = part.op === whole.op && (part.op === 'sum' || part.op === 'count')
    return same && sameGrouping(part, whole) && isPartOf(part.of, whole.of)
  }
  if (part.kind === 'call' && whole.kind === 'call') {
    const [a, b] = [part.args[0], whole.args[0]]
    return part.name === whole.name && counting.has(part.name) && a !== undefined && b !== undefined && isPartOf(a, b)
  }
  if (part.kind !== 'selector' || whole.kind !== 'selector') return false
  return isPartOfSelection(part, whole) && valueRange(part).min >= 0
}

function sameGrouping(a: Aggregation, b: Aggregation): boolean {
  const text = ({ grouping }: Aggregation) =>
    `${grouping?.without ?? false} ${[...(grouping?.labels ?? [])].sort().join(',')}`
  return text(a) === text(b)
}

function isPartOfSelection(part: Selector, whole: Selector): boolean {
  if (part.metric === undefined || whole.metric === undefined) return false
  if (part.rangeMs !== whole.rangeMs || part.offsetMs !== whole.offsetMs || part.pinned || whole.pinned) return false
  // A bucket of a histogram, of which the count is the greatest.
  const bucket =
    part.metric === whole.metric.replace(/_count$/, '_bucket') &&
    part.matchers.some(({ label, op }) => label === 'le' && op === '=')
  if (part.metric !== whole.metric && !bucket) return false
  return whole.matchers.every(({ label, op, value }) =>
    part.matchers.some((one) => one.label === label && one.op === op && one.value === value),
  )
}
