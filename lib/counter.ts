/** A raw sample: epoch milliseconds and value. */
export interface Sample {
  readonly at: number
  readonly value: number
}

/**
 * A process died: what it counted after its last scrape is not known. Epoch milliseconds; it was dead, and the next one
 * had begun, at `by` at the latest.
 */
export interface Death {
  readonly after: number
  readonly by: number
}

type Unknown = { readonly known: false; readonly why: string }
export type Growth = { readonly known: true; readonly growth: number; readonly until: number } | Unknown
export type LivesGrowth = (Extract<Growth, { known: true }> & { readonly deaths: readonly Death[] }) | Unknown

/** Start times are often rounded to seconds, and the service's clock is not Prometheus'. */
const startSlackMs = 2000

/** When an instance's process was replaced by another, by the samples of its `process_start_time_seconds`. */
export function deathsOf(starts: readonly Sample[]): Death[] {
  return starts.slice(1).flatMap(({ at, value }, index) => {
    const before = starts[index]
    if (before === undefined || before.value === value) return []
    return [{ after: before.at, by: Math.max(before.at + 1, Math.min(at, value * 1000 + startSlackMs)) }]
  })
}

/**
 * By how much a counter grew in (from, …], exactly: the last sample minus the last one at or before `from`; from zero only
 * if the series is absent there although its target was scraped. Never Prometheus' `increase()`, which extrapolates.
 * @param samples of one series, oldest first, reaching from before `from` to now
 * @param absentIsZero true if the target answered a scrape at or before `from`, or began later
 */
export function growth(samples: readonly Sample[], from: number, absentIsZero: boolean): Growth {
  const grew = growthOverLives(samples, from, absentIsZero, [])
  if (!grew.known || grew.deaths.length === 0) return grew
  return { known: false, why: `the counter fell ${grew.deaths.length === 1 ? 'once' : `${grew.deaths.length} times`}` }
}

/**
 * The same of a counter whose process may have been restarted: each life counts from zero. A restart is told by `deaths`,
 * since the value may have risen above where it was, or by a fall.
 * @returns with `deaths` those that lie in (from, …]: what was counted in them is lost
 */
export function growthOverLives(
  samples: readonly Sample[],
  from: number,
  absentIsZero: boolean,
  deaths: readonly Death[],
): LivesGrowth {
  const last = samples.at(-1)
  if (!last) return { known: false, why: 'no sample' }
  const before = samples.findLast(({ at }) => at <= from)
  if (!before && !absentIsZero) {
    return { known: false, why: 'no sample before the load, and its target was not scraped then' }
  }
  const met = deaths.filter(({ by }) => by > from)
  let grown = 0
  let previous = before
  for (const sample of samples) {
    if (sample.at <= from) continue
    const since = previous?.at ?? from
    const died = deaths.some(({ by }) => since < by && by <= sample.at)
    const fell = previous !== undefined && sample.value < previous.value
    if (fell && !died) met.push({ after: since, by: sample.at })
    grown += sample.value - (died || fell ? 0 : (previous?.value ?? 0))
    previous = sample
  }
  return { known: true, growth: grown, until: last.at, deaths: met }
}
