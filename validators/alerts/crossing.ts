import { type Crossing, shareCrossing } from '../../lib/alert-timing.ts'
import { formatDuration, parseDuration } from '../../lib/duration.ts'
import { partsOf, selectorsOf, thresholdOf } from '../rules/expression.ts'
import { type Expr, PromqlError, parsePromql } from '../rules/promql.ts'
import type { Expected, Fault } from './expectation.ts'

/** What muster knows of an expression: how soon the fault crosses it, that it never can, or that it can't tell. */
export type Crossed = Crossing | { readonly never: string } | undefined

/** For so long a series that ended without a word is taken to be there (`query.lookback-delta`, as it comes). */
const lookbackMs = 300_000

const share = /^(rate|irate|increase|delta|sum_over_time|avg_over_time|count_over_time)$/

/**
 * When a rule's expression becomes true under a fault, and false after it: as the config states it, or derived from the
 * expression. Derived are a share over a threshold (`rate(bad[W]) / rate(all[W]) > theta`), a quantile over a limit
 * (`histogram_quantile(q, rate(b[W])) > limit`: true when a share above 1 - q is slow), a comparison without any window
 * with an equal sign (`up == 0`), `absent` of a series, and these joined by `and` and `or`. Recording rules are looked through.
 * @param recorded expressions of recording rules by name
 */
export function crossingOf(
  query: string,
  fault: Fault,
  crosses: Expected['crosses'],
  recorded: ReadonlyMap<string, string>,
): Crossed {
  if (crosses) {
    const [crossesMs, clearsMs] = [parseDuration(crosses.within) ?? 0, parseDuration(crosses.clearsWithin) ?? 0]
    return { crossesMs, clears: { earliestMs: 0, latestMs: clearsMs }, words: 'as the config states' }
  }
  try {
    return derive(parsePromql(query), fault, recorded)
  } catch (error) {
    if (error instanceof PromqlError) return undefined
    throw error
  }
}

function derive(expr: Expr, fault: Fault, recorded: ReadonlyMap<string, string>): Crossed {
  if (expr.kind === 'binary' && (expr.op === 'and' || expr.op === 'or')) {
    const [left, right] = [derive(expr.left, fault, recorded), derive(expr.right, fault, recorded)]
    return expr.op === 'and' ? both(left, right) : either(left, right)
  }
  if (isAbsent(expr)) {
    return { crossesMs: lookbackMs, clears: { earliestMs: 0, latestMs: 0 }, words: "Prometheus' look-back" }
  }
  const threshold = thresholdOf(expr)
  if (!threshold) return undefined
  const of = resolved(threshold.of, recorded)
  const windowMs = Math.max(0, ...selectorsOf(of).map(({ rangeMs = 0 }) => rangeMs))
  // A computed range is not a number.
  if (Number.isNaN(windowMs) || hasSubquery(of)) return undefined
  if (windowMs === 0) {
    return threshold.op === '=='
      ? { crossesMs: 0, clears: { earliestMs: 0, latestMs: 0 }, words: 'at the next scrape' }
      : undefined
  }
  if (threshold.op !== '>' && threshold.op !== '>=') return undefined
  const theta = thetaOf(of, threshold.value)
  if (theta === undefined || fault.kind === 'synthetic') return undefined
  const slow = slowness(of, threshold.value, fault)
  if (slow) return { never: slow }
  if (fault.ratio <= theta) {
    return {
      never: `the fault strikes ${fault.ratio * 100} % of requests, and the expression wants more than ${+(theta * 100).toPrecision(4)} %`,
    }
  }
  return shareCrossing(windowMs, theta, fault.ratio)
}

/** The share of requests that the fault must strike; undefined if the expression is no such share. */
function thetaOf(of: Expr, value: number): number | undefined {
  if (of.kind === 'call' && of.name === 'histogram_quantile') {
    const [quantile] = of.args
    return quantile?.kind === 'number' ? 1 - quantile.value : undefined
  }
  const isShare = of.kind === 'binary' && of.op === '/' && [of.left, of.right].every((side) => isRate(side))
  return isShare ? value : undefined
}

/** Why a fault of latency cannot lift a quantile over the limit, in seconds; undefined if it can. */
function slowness(of: Expr, limit: number, fault: Fault): string | undefined {
  if (of.kind !== 'call' || fault.kind !== 'service' || fault.ms === undefined || fault.ms > limit * 1000)
    return undefined
  return `the fault's ${formatDuration(fault.ms)} are not above the expression's ${formatDuration(limit * 1000)}`
}

function isRate(expr: Expr): boolean {
  if (expr.kind === 'aggregation') return expr.op === 'sum' && isRate(expr.of)
  if (expr.kind === 'call' && expr.name === 'clamp_min') return expr.args[0] !== undefined && isRate(expr.args[0])
  return expr.kind === 'call' && share.test(expr.name)
}

function isAbsent(expr: Expr): boolean {
  if (expr.kind !== 'call' || expr.name !== 'absent') return false
  const [of] = expr.args
  return of?.kind === 'selector' && of.rangeMs === undefined
}

function hasSubquery(expr: Expr): boolean {
  return expr.kind === 'subquery' || partsOf(expr).some(hasSubquery)
}

/** The expression of a recording rule in its place, at most so deep as rules build on each other. */
function resolved(expr: Expr, recorded: ReadonlyMap<string, string>, depth = 4): Expr {
  const query = expr.kind === 'selector' && expr.rangeMs === undefined ? recorded.get(expr.metric ?? '') : undefined
  return query === undefined || depth === 0 ? expr : resolved(parsePromql(query), recorded, depth - 1)
}

function both(left: Crossed, right: Crossed): Crossed {
  if (!left || !right) return undefined
  if ('never' in left) return left
  if ('never' in right) return right
  const later = left.crossesMs > right.crossesMs ? left : right
  return {
    ...later,
    clears: {
      earliestMs: Math.min(left.clears.earliestMs, right.clears.earliestMs),
      latestMs: Math.min(left.clears.latestMs, right.clears.latestMs),
    },
  }
}

function either(left: Crossed, right: Crossed): Crossed {
  if (!left || !right) return undefined
  if ('never' in left) return right
  if ('never' in right) return left
  const sooner = left.crossesMs < right.crossesMs ? left : right
  return {
    ...sooner,
    clears: {
      earliestMs: Math.min(left.clears.earliestMs, right.clears.earliestMs),
      latestMs: Math.max(left.clears.latestMs, right.clears.latestMs),
    },
  }
}
