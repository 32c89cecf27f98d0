/** A raw sample: epoch milliseconds and value. */
export interface Sample {
  readonly at: number
  readonly value: number
}

export type Growth =
  | { readonly known: true; readonly growth: number; readonly until: number; readonly note?: string }
  | { readonly known: false; readonly why: string }

/**
 * By how much a counter grew in (from, …], exactly: the last sample minus the last one at or before `from`; from zero only
 * if the series is absent there although its target was scraped. Never Prometheus' `increase()`, which extrapolates.
 * @param samples of one series, oldest first, reaching from before `from` to now
 * @param scrapedBefore true if the target answered a scrape at or before `from`
 */
export function growth(samples: readonly Sample[], from: number, scrapedBefore: boolean): Growth {
  const last = samples.at(-1)
  if (!last) return { known: false, why: 'no sample' }
  const before = samples.filter((sample) => sample.at <= from).at(-1)
  if (!before && !scrapedBefore) {
    return { known: false, why: 'no sample before the load, and its target was not scraped then' }
  }
  let previous = before?.value ?? 0
  for (const sample of samples) {
    if (sample.at <= from) continue
    if (sample.value < previous) return { known: false, why: `the counter fell from ${previous} to ${sample.value}` }
    previous = sample.value
  }
  return {
    known: true,
    growth: last.value - (before?.value ?? 0),
    until: last.at,
    ...(before ? {} : { note: 'the series began in the window' }),
  }
}
