import { type Labels, labelKey, pickLabels, type Sample } from './series.ts'

/** `histogram_quantile` over classic buckets (`BucketQuantile` of promql/quantile.go); samples without a usable `le` are left out. */
export function histogramQuantile(phi: number, samples: readonly Sample[]): Sample[] {
  const histograms = new Map<string, { labels: Labels; buckets: Bucket[] }>()
  for (const { labels, value } of samples) {
    const le = boundOf(labels.le)
    if (le === undefined) continue
    const rest = pickLabels(labels, ['le', '__name__'], false)
    const key = labelKey(rest)
    const histogram = histograms.get(key) ?? { labels: rest, buckets: [] }
    histogram.buckets.push({ le, count: value })
    histograms.set(key, histogram)
  }
  return [...histograms.values()].map(({ labels, buckets }) => ({ labels, value: quantile(phi, buckets) }))
}

interface Bucket {
  readonly le: number
  readonly count: number
}

/** Prometheus takes smaller differences between neighbouring buckets for rounding. */
const negligible = 1e-12

function boundOf(le: string | undefined): number | undefined {
  if (le === undefined || le === '') return undefined
  if (/^\+?inf$/i.test(le)) return Number.POSITIVE_INFINITY
  const bound = Number(le)
  return Number.isNaN(bound) ? undefined : bound
}

function quantile(phi: number, unsorted: readonly Bucket[]): number {
  if (Number.isNaN(phi)) return Number.NaN
  if (phi < 0) return Number.NEGATIVE_INFINITY
  if (phi > 1) return Number.POSITIVE_INFINITY
  const buckets = monotonic([...unsorted].sort((a, b) => a.le - b.le))
  const last = buckets.at(-1)
  if (!last || last.le !== Number.POSITIVE_INFINITY || buckets.length < 2 || last.count === 0) return Number.NaN
  const rank = phi * last.count
  const found = buckets.slice(0, -1).findIndex(({ count }) => count >= rank)
  const index = found === -1 ? buckets.length - 1 : found
  const bucket = buckets[index]
  const below = buckets[index - 1]
  if (!bucket) return Number.NaN
  if (index === buckets.length - 1) return below?.le ?? Number.NaN
  if (!below) return bucket.le <= 0 ? bucket.le : bucket.le * (rank / bucket.count)
  return below.le + (bucket.le - below.le) * ((rank - below.count) / (bucket.count - below.count))
}

function monotonic(sorted: readonly Bucket[]): Bucket[] {
  const merged: Bucket[] = []
  for (const { le, count } of sorted) {
    const last = merged.at(-1)
    if (last?.le === le) merged[merged.length - 1] = { le, count: last.count + count }
    else merged.push({ le, count })
  }
  const risen: Bucket[] = []
  let before: number | undefined
  for (const { le, count } of merged) {
    const same = before !== undefined && (count < before || Math.abs(count - before) <= negligible * (count + before))
    before = same ? before : count
    risen.push({ le, count: before ?? count })
  }
  return risen
}
