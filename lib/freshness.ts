/** How long one answered request took until it could be found in one signal of one service. */
export interface Sighting {
  readonly traceId: string
  readonly service: string
  /** Milliseconds from the answer's arrival to the end of the query that found it; absent: not found by the deadline. */
  readonly afterMs?: number
  /** It may have been there so much earlier: the time since the query before, which did not find it. 0: exact. */
  readonly resolutionMs: number
}

/** Of many sightings; Infinity where a request was never found. */
export interface Freshness {
  readonly count: number
  readonly missing: number
  readonly p50: number
  readonly p95: number
  readonly max: number
  /** The coarsest of those that were found. */
  readonly resolutionMs: number
}

/** Undefined without sightings. Quantiles are values that were measured, since never (Infinity) has no neighbours. */
export function freshnessOf(sightings: readonly Sighting[]): Freshness | undefined {
  if (sightings.length === 0) return undefined
  const sorted = sightings.map(({ afterMs = Number.POSITIVE_INFINITY }) => afterMs).sort((a, b) => a - b)
  const at = (part: number) => sorted[Math.ceil(part * sorted.length) - 1] ?? Number.POSITIVE_INFINITY
  const found = sightings.filter(({ afterMs }) => afterMs !== undefined)
  return {
    count: sightings.length,
    missing: sightings.length - found.length,
    p50: at(0.5),
    p95: at(0.95),
    max: at(1),
    resolutionMs: found.reduce((most, { resolutionMs }) => Math.max(most, resolutionMs), 0),
  }
}

/** One scrape of one target on muster's clock, epoch milliseconds: when it began and when its samples were there. */
export interface Scrape {
  readonly from: number
  readonly to: number
}

/**
 * Milliseconds from an answer to the end of the first scrape that began at or after it, in the last of the instances,
 * since it is not known which one handled the request. An instance that was not scraped any more is left out, unless none
 * was: then undefined.
 */
export function scrapedAfter(answeredAt: number, instances: readonly (readonly Scrape[])[]): number | undefined {
  const firsts = instances.flatMap((scrapes) => {
    const first = scrapes.find(({ from }) => from >= answeredAt)
    return first === undefined ? [] : [first.to - answeredAt]
  })
  return firsts.length === 0 ? undefined : Math.max(...firsts)
}
