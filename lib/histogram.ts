/** How many observations were at most `upper`; cumulative, as Prometheus counts. `upper` of the last one is Infinity. */
export interface Bucket {
  readonly upper: number
  readonly count: number
}

/**
 * The quantile of a classic histogram, interpolated linearly within its bucket, in the unit of the bounds. Same formula as
 * Prometheus' `histogram_quantile`: a quantile in the last bucket is that bucket's lower bound. NaN without observations,
 * without an infinite last bucket, or without a finite one.
 */
export function histogramQuantile(quantile: number, buckets: readonly Bucket[]): number {
  const sorted = [...buckets].sort((a, b) => a.upper - b.upper)
  const total = sorted.at(-1)?.count ?? 0
  if (total === 0 || sorted.length < 2 || sorted.at(-1)?.upper !== Number.POSITIVE_INFINITY) return Number.NaN
  const rank = quantile * total
  let lower: Bucket = { upper: 0, count: 0 }
  for (const bucket of sorted) {
    if (bucket.count >= rank) {
      if (bucket.upper === Number.POSITIVE_INFINITY) return lower.upper
      const inside = bucket.count - lower.count
      return inside === 0 ? bucket.upper : lower.upper + ((bucket.upper - lower.upper) * (rank - lower.count)) / inside
    }
    lower = bucket
  }
  return Number.NaN
}
