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

/** What a classic histogram must not show; one sentence each. `count` is what its `_count` says. */
export function histogramFaults(buckets: readonly Bucket[], count: number): string[] {
  const sorted = [...buckets].sort((a, b) => a.upper - b.upper)
  const last = sorted.at(-1)
  if (last?.upper !== Number.POSITIVE_INFINITY) return ['it has no bucket +Inf']
  const falls = sorted.slice(1).flatMap((bucket, index) => {
    const below = sorted[index]
    if (below === undefined || bucket.count >= below.count) return []
    return [`${below.count} observations up to ${below.upper}, but ${bucket.count} up to ${edgeInWords(bucket.upper)}`]
  })
  return last.count === count ? falls : [...falls, `${last.count} observations up to +Inf, but _count says ${count}`]
}

/** The bounds (lower, upper] of the bucket that holds the quantile; undefined without observations. */
export function bucketHolding(quantile: number, buckets: readonly Bucket[]): readonly [number, number] | undefined {
  const sorted = [...buckets].sort((a, b) => a.upper - b.upper)
  const total = sorted.at(-1)?.count ?? 0
  if (total <= 0) return undefined
  const place = sorted.findIndex(({ count }) => count >= quantile * total)
  const upper = sorted[place]?.upper
  return upper === undefined ? undefined : [sorted[place - 1]?.upper ?? Number.NEGATIVE_INFINITY, upper]
}

/** An edge as Prometheus writes it. */
export function edgeInWords(upper: number): string {
  return upper === Number.POSITIVE_INFINITY ? '+Inf' : String(upper)
}

/**
 * Holds a histogram against the single values it is said to have observed: each bucket holds as many as lie up to its
 * edge, but for those within `tolerance` of it, for `slack` others, and for the difference of the totals, which is not a
 * histogram's affair.
 * @param values of the same unit as the bounds; NaN is left out
 * @returns for each bucket that cannot be, its edge, what it holds, and what it may hold at least and at most
 */
export function disagreements(
  buckets: readonly Bucket[],
  values: Iterable<number>,
  tolerance: number,
  slack = 0,
): { upper: number; count: number; least: number; most: number }[] {
  const sorted = Float64Array.from(values)
    .filter((value) => !Number.isNaN(value))
    .sort()
  const total = buckets.find(({ upper }) => upper === Number.POSITIVE_INFINITY)?.count ?? 0
  const unlisted = Math.max(0, total - sorted.length) + slack
  const unobserved = Math.max(0, sorted.length - total) + slack
  return buckets.flatMap(({ upper, count }) => {
    const least = upTo(sorted, upper - tolerance) - unobserved
    const most = upTo(sorted, upper + tolerance) + unlisted
    return count < least || count > most ? [{ upper, count, least, most }] : []
  })
}

/** How many of the sorted values are at most `limit`. */
function upTo(sorted: Float64Array, limit: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? Number.NaN) <= limit) low = middle + 1
    else high = middle
  }
  return low
}
