/** A sample in a range: its time in milliseconds, its value. */
export interface Point {
  readonly t: number
  readonly v: number
}

/** What a range function may need beside the points. */
export interface RangeOf {
  readonly points: readonly Point[]
  /** Bounds of the range in milliseconds, the first not included. */
  readonly from: number
  readonly to: number
  /** Scalar arguments before or after the range, in order. */
  readonly scalars: readonly number[]
  /** The time of the evaluation in milliseconds. */
  readonly at: number
}

type RangeFunction = (range: RangeOf) => number | undefined

/**
 * Functions of a range vector as Prometheus 3 computes them (promql/functions.go). Undefined: the series has no result.
 * Never called with no points at all.
 */
export const rangeFunctions: Readonly<Record<string, RangeFunction>> = {
  rate: (range) => extrapolated(range, true, true),
  increase: (range) => extrapolated(range, true, false),
  delta: (range) => extrapolated(range, false, false),
  irate: ({ points }) => instant(points, true),
  idelta: ({ points }) => instant(points, false),
  changes: ({ points }) => pairs(points, (before, after) => before !== after),
  resets: ({ points }) => pairs(points, (before, after) => after < before),
  deriv: ({ points }) => (points.length < 2 ? undefined : regression(points, points[0]?.t ?? 0).slope),
  predict_linear: ({ points, scalars, at }) => {
    if (points.length < 2) return undefined
    const { slope, intercept } = regression(points, at)
    return slope * (scalars[0] ?? Number.NaN) + intercept
  },
  avg_over_time: ({ points }) => sum(points) / points.length,
  sum_over_time: ({ points }) => sum(points),
  count_over_time: ({ points }) => points.length,
  present_over_time: () => 1,
  last_over_time: ({ points }) => points.at(-1)?.v,
  first_over_time: ({ points }) => points[0]?.v,
  min_over_time: ({ points }) => extreme(points, (a, b) => a < b),
  max_over_time: ({ points }) => extreme(points, (a, b) => a > b),
  stddev_over_time: ({ points }) => Math.sqrt(variance(points)),
  stdvar_over_time: ({ points }) => variance(points),
  quantile_over_time: ({ points, scalars }) =>
    quantileOf(
      scalars[0] ?? Number.NaN,
      points.map(({ v }) => v),
    ),
}

/** Functions whose result keeps the metric's name. */
export const nameKeeping: ReadonlySet<string> = new Set(['last_over_time', 'first_over_time'])

function extrapolated({ points, from, to }: RangeOf, isCounter: boolean, isRate: boolean): number | undefined {
  const [first] = points
  const last = points.at(-1)
  if (!first || !last || points.length < 2) return undefined
  let result = last.v - first.v
  if (isCounter) {
    let before = first.v
    for (const { v } of points) {
      if (v < before) result += before
      before = v
    }
  }
  const sampled = (last.t - first.t) / 1000
  const between = sampled / (points.length - 1)
  let toStart = (first.t - from) / 1000
  let toEnd = (to - last.t) / 1000
  // A gap of more than 1.1 mean distances says that the series begins, or ends, inside the range.
  if (toStart >= between * 1.1) toStart = between / 2
  if (isCounter && result > 0 && first.v >= 0) toStart = Math.min(toStart, sampled * (first.v / result))
  if (toEnd >= between * 1.1) toEnd = between / 2
  const factor = sampled === 0 ? 1 : (sampled + toStart + toEnd) / sampled
  return result * (isRate ? factor / ((to - from) / 1000) : factor)
}

function instant(points: readonly Point[], isRate: boolean): number | undefined {
  const [before, last] = points.slice(-2)
  if (!before || !last) return undefined
  const difference = isRate && last.v < before.v ? last.v : last.v - before.v
  return isRate ? difference / ((last.t - before.t) / 1000) : difference
}

function pairs(points: readonly Point[], counts: (before: number, after: number) => boolean): number {
  let total = 0
  for (const [index, { v }] of points.entries()) {
    const before = points[index - 1]
    if (before && counts(before.v, v)) total++
  }
  return total
}

function regression(points: readonly Point[], interceptAt: number): { slope: number; intercept: number } {
  const [first] = points
  if (first && points.every(({ v }) => v === first.v)) return { slope: 0, intercept: first.v }
  const n = points.length
  let [sumX, sumY, sumXY, sumX2] = [0, 0, 0, 0]
  for (const { t, v } of points) {
    const x = (t - interceptAt) / 1000
    sumX += x
    sumY += v
    sumXY += x * v
    sumX2 += x * x
  }
  const slope = (sumXY - (sumX * sumY) / n) / (sumX2 - (sumX * sumX) / n)
  return { slope, intercept: sumY / n - (slope * sumX) / n }
}

function sum(points: readonly Point[]): number {
  let total = 0
  for (const { v } of points) total += v
  return total
}

function variance(points: readonly Point[]): number {
  const mean = sum(points) / points.length
  return sum(points.map(({ t, v }) => ({ t, v: (v - mean) ** 2 }))) / points.length
}

function extreme(points: readonly Point[], better: (a: number, b: number) => boolean): number {
  let best = Number.NaN
  for (const { v } of points) if (Number.isNaN(best) || better(v, best)) best = v
  return best
}

/** The φ-quantile, interpolated between the neighbours (`quantile` in promql/quantile.go). */
export function quantileOf(phi: number, values: readonly number[]): number {
  if (values.length === 0 || Number.isNaN(phi)) return Number.NaN
  if (phi < 0) return Number.NEGATIVE_INFINITY
  if (phi > 1) return Number.POSITIVE_INFINITY
  const sorted = [...values].sort((a, b) => a - b)
  const rank = phi * (sorted.length - 1)
  const lower = Math.max(0, Math.floor(rank))
  const upper = Math.min(sorted.length - 1, lower + 1)
  const weight = rank - Math.floor(rank)
  return (sorted[lower] ?? Number.NaN) * (1 - weight) + (sorted[upper] ?? Number.NaN) * weight
}
