import { type Death, deathsOf, growthOverLives } from '../../lib/counter.ts'
import type { Window } from '../../lib/verdict.ts'
import { literal, type Series } from '../backends/prometheus.ts'
import type { Service } from '../config.ts'
import { counterOf, jobOf } from '../coverage.ts'

/** A scrape: the counter was read at `at` at the earliest and at `by` at the latest. Epoch milliseconds. */
export interface Scrape {
  readonly at: number
  readonly by: number
}

/** What one target of a service counted between the first and the last scrape of a period. */
export interface LiveInstance {
  readonly name: string
  readonly first: Scrape
  readonly last: Scrape
  readonly counted: number
  /** Requests under way at the first and at the last scrape; undefined: no metric tells. */
  readonly inFlight: readonly [number, number] | undefined
  /** Restarts in between: what was counted in them is lost. */
  readonly deaths: readonly Death[]
}

/** What a service counted in a period, instance by instance. */
export interface Counted {
  readonly instances: readonly LiveInstance[]
  /** Targets of which it is not known what they counted, a sentence each. */
  readonly problems: readonly string[]
}

/** Everything that is asked of Prometheus about a service, in one selector. */
export function countedSelector(service: Service): string {
  const { series } = service
  const gauge = inFlightGauge(series)
  const names = [
    counterOf(service),
    'up',
    'scrape_duration_seconds',
    'process_start_time_seconds',
    ...(gauge ? [gauge] : []),
  ]
  return `{__name__=~${literal(names.join('|'))},job=${literal(jobOf(service))}}`
}

/** The metric among a service's series that tells how many requests are under way, by the names that are usual. */
function inFlightGauge(series: readonly string[]): string | undefined {
  return series.find((name) => /in_?flight|in_progress|active_requests/.test(name))
}

/**
 * What a service counted in a period, from the answer to `countedSelector`. Times are those of Prometheus' clock. Only
 * scrapes are edges: between them, nothing is known of a counter.
 */
export function countedIn(series: readonly Series[], service: Service, { from, to }: Window): Counted {
  const problems: string[] = []
  const instances = series
    .filter(({ labels }) => labels.__name__ === 'up')
    .flatMap(({ labels, samples }) => {
      const name = labels.instance ?? ''
      const own = series.filter((one) => one.labels.instance === labels.instance)
      const scrapes = samples.filter(({ at, value }) => value === 1 && at >= from && at <= to)
      const [first, last] = [scrapes[0], scrapes.at(-1)]
      if (first === undefined || last === undefined || first === last) {
        problems.push(`${name} was scraped ${scrapes.length === 0 ? 'never' : 'once'} in the period: two are needed`)
        return []
      }
      return [instanceIn(name, own, service, first.at, last.at)]
    })
  if (instances.length === 0 && problems.length === 0)
    problems.push(`Prometheus has no scrape of job ${service.job} in the period`)
  return { instances, problems }
}

function instanceIn(name: string, own: readonly Series[], service: Service, first: number, last: number): LiveInstance {
  const { requests, series } = service
  const within = (metric: string) =>
    own
      .filter(({ labels }) => labels.__name__ === metric)
      .map(({ labels, samples }) => ({ labels, samples: samples.filter(({ at }) => at >= first && at <= last) }))
  const at = (metric: string, moment: number) =>
    within(metric).flatMap(({ samples }) => samples.filter((sample) => sample.at === moment).map(({ value }) => value))
  const scrape = (moment: number): Scrape => ({
    at: moment,
    by: moment + Math.max(0, ...at('scrape_duration_seconds', moment)) * 1000,
  })
  const deaths = [...deathsOf(within('process_start_time_seconds')[0]?.samples ?? [])]
  let counted = 0
  for (const { labels, samples } of within(counterOf(service))) {
    const matchers = requests.kind === 'queue' ? Object.entries(requests.matchers) : []
    if (!matchers.every(([key, value]) => labels[key] === value)) continue
    // Absent at the first scrape, it was zero then: its target had answered.
    const grew = growthOverLives(samples, first, true, deaths)
    if (!grew.known) continue
    counted += grew.growth
    deaths.push(...grew.deaths.filter(({ after }) => !deaths.some((death) => death.after === after)))
  }
  const gauge = inFlightGauge(series)
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
  const known = gauge !== undefined && at(gauge, first).length > 0
  return {
    name,
    first: scrape(first),
    last: scrape(last),
    counted,
    inFlight: known ? [sum(at(gauge, first)), sum(at(gauge, last))] : undefined,
    deaths,
  }
}
