import { type Death, deathsOf, growthOverLives, type LivesGrowth, type Sample } from '../../lib/counter.ts'
import { eventually, type Polled } from '../../lib/poll.ts'
import { Tries } from '../../lib/tries.ts'
import { isFinal } from '../backends/http.ts'
import { literal, type Series } from '../backends/prometheus.ts'
import { type Asking, concluded, type Finding, type Outcome } from '../check.ts'
import type { Service } from '../config.ts'
import { edgeKey, lookback, present, type ScenarioContext, scrapeDeadline } from '../context.ts'
import { jobOf } from '../coverage.ts'

/** One target of a job, as its scrapes tell. Epoch milliseconds of Prometheus' clock. */
export interface Instance {
  readonly name: string
  /**
   * From when its growth is counted: its last scrape that could be queried before the load began. A sample bears the time at
   * which its scrape began; on a busy machine the answer may be written, and hold requests of the load, a second later.
   */
  readonly from: number
  /** True if a series that is absent before the window was zero there: the target was scraped, or did not live yet. */
  readonly absentIsZero: boolean
  /** Restarts in the window. */
  readonly deaths: readonly Death[]
  /** Scrapes that succeeded, oldest first. */
  readonly scrapes: readonly number[]
}
export type Instances = ReadonlyMap<string, Instance>

/** A finding that no later look can mend, if `hopeless`. */
export type Look = Finding & { readonly hopeless?: boolean }
type Labelled = Pick<Series, 'labels'>
type Settled = Look & { readonly instances: Instances }

/**
 * How long an answer may take: a hundred questions may be waiting for their turn. Samples bear the time of their scrape, so an
 * answer that comes late is no less true.
 */
export const patience = { attemptMs: 20_000, lastAnswerMs: 20_000 }

/** Start times of processes are often rounded to whole seconds. */
const roundingMs = 1000

/** What Prometheus scraped of one job around a scenario's window. Its instances are looked for once, for all checks. */
export class Scrapes {
  readonly #service: Pick<Service, 'job'>
  /** The window, by Prometheus' clock. */
  readonly from: number
  readonly until: number
  readonly #context: ScenarioContext
  #instances: Promise<Polled<Settled>> | undefined

  constructor(context: ScenarioContext, service: Pick<Service, 'job'>) {
    const { window, facts } = context
    this.#context = context
    this.#service = service
    this.from = window.from + facts.clockOffsetMs
    this.until = window.to + facts.clockOffsetMs
  }

  /** @throws Absent if the service is not scraped */
  get job(): string {
    return jobOf(this.#service)
  }

  /** The present, by Prometheus' clock. */
  get now(): number {
    return present(this.#context) + this.#context.facts.clockOffsetMs
  }

  /** Raw samples from before the window to now. */
  raw(selector: string, attempt: AbortSignal): Promise<Series[]> {
    const { backends, facts } = this.#context
    return backends.prometheus.raw(selector, this.from - lookback(facts), this.now, attempt)
  }

  /** The growth of a series in the window, over all lives of its instance. */
  growth(instances: Instances, { labels, samples }: Series): LivesGrowth {
    const instance = instances.get(labels.instance ?? '')
    if (!instance) return { known: false, why: `its target ${labels.instance} was not scraped` }
    return growthOverLives(samples, instance.from, instance.absentIsZero, instance.deaths)
  }

  /** Examines again and again, once every instance was scraped after the load, until nothing is wrong. */
  async look(examine: (instances: Instances, attempt: AbortSignal) => Promise<Look>): Promise<Polled<Look>> {
    this.#instances ??= this.#settled()
    const settled = await this.#instances
    if (settled.outcome !== 'held' || !settled.value) return settled
    const { instances } = settled.value
    const { facts, signal } = this.#context
    const polled = await eventually((attempt) => examine(instances, attempt), holds, {
      withinMs: Math.max(facts.scrapeMs, scrapeDeadline(facts).ms - settled.elapsedMs),
      signal,
      isFinal,
      firstPauseMs: 200,
      ...patience,
      hopeless: (look: Look) => look.hopeless === true,
    })
    return {
      ...polled,
      attempts: settled.attempts + polled.attempts,
      elapsedMs: settled.elapsedMs + polled.elapsedMs,
      tries: Tries.joined(settled.tries, polled.tries),
    }
  }

  /** How raw samples were asked for, for the evidence. */
  asking(selector: string, expected: string): Asking {
    const { backends, facts, window } = this.#context
    const { client } = backends.prometheus
    const to = this.until + 2 * facts.scrapeMs
    const { query, time } = backends.prometheus.rawQuery(selector, this.from - lookback(facts), to)
    return {
      expected,
      window,
      query,
      deadline: scrapeDeadline(facts).words,
      reproduce: client.curl('/api/v1/query', { query, time }),
      ...client.link(`/graph?g0.expr=${encodeURIComponent(selector)}&g0.tab=0`),
    }
  }

  /** Raw samples of a selector, examined as `look` does. */
  async series(
    selector: string,
    expected: string,
    examine: (series: readonly Series[], instances: Instances) => Look,
  ): Promise<Outcome> {
    const polled = await this.look(async (instances, attempt) => examine(await this.raw(selector, attempt), instances))
    return concluded(polled, this.asking(selector, expected))
  }

  /** The labels of all series that have a sample in the window: one each, where raw samples would be thousands. */
  async last(selector: string, expected: string, examine: (inside: readonly Labelled[]) => Look): Promise<Outcome> {
    const { prometheus } = this.#context.backends
    const polled = await this.look(async (_instances, attempt) => {
      const now = this.now
      const query = `last_over_time(${selector}[${Math.ceil(now - this.from)}ms])`
      return examine(await prometheus.instantAt(query, now, attempt))
    })
    return concluded(polled, this.asking(selector, expected))
  }

  #settled(): Promise<Polled<Settled>> {
    const { facts, signal } = this.#context
    const selector = `{job=${literal(this.job)},__name__=~"up|process_start_time_seconds"}`
    return eventually(async (attempt) => this.#examine(await this.raw(selector, attempt)), holds, {
      withinMs: scrapeDeadline(facts).ms,
      signal,
      isFinal,
      firstPauseMs: 100,
      ...patience,
    })
  }

  #examine(series: readonly Series[]): Settled {
    const { edges } = this.#context
    const found = instancesOf(series, this.from, (instance) => edges[edgeKey(this.job, instance)])
    const late = found.filter(({ scrapes }) => (scrapes.at(-1) ?? 0) <= this.until)
    const problems = late.map(({ name, scrapes }) => {
      const last = scrapes.at(-1)
      const seen = last === undefined ? 'it never answered' : `it last answered at ${clock(last)}`
      return `the target ${name} was not scraped after the load: ${seen}; is it down, or no target any more?`
    })
    return {
      actual: `${found.length - late.length} of ${found.length} targets of job ${this.job} were scraped after the load`,
      problems: found.length > 0 ? problems : [`job ${this.job} has no target`],
      empty: late.length === found.length,
      instances: new Map(found.map((one) => [one.name, one])),
    }
  }
}

/**
 * Instances of one job by the samples of `up` and `process_start_time_seconds`; those that were gone before `from` are none.
 * @param edgeOf the last scrape of an instance that was seen before the load began
 */
export function instancesOf(
  series: readonly Series[],
  from: number,
  edgeOf: (instance: string) => number | undefined,
): Instance[] {
  const of = (metric: string) => series.filter(({ labels }) => labels.__name__ === metric)
  const samplesOf = (metric: string, instance: string | undefined): readonly Sample[] =>
    of(metric).find(({ labels }) => labels.instance === instance)?.samples ?? []
  return of('up')
    .filter(({ samples }) => (samples.at(-1)?.at ?? 0) > from)
    .map(({ labels: { instance }, samples }) => {
      const starts = samplesOf('process_start_time_seconds', instance)
      const scrapes = samples.filter(({ value }) => value === 1).map(({ at }) => at)
      const edge = edgeOf(instance ?? '')
      const base = edge === undefined ? undefined : scrapes.findLast((at) => at <= edge)
      const began = (starts[0]?.value ?? 0) * 1000
      const since = base ?? Math.min(from, (scrapes[0] ?? from) - 1)
      return {
        name: instance ?? '',
        from: since,
        absentIsZero: base !== undefined || began > from - roundingMs,
        deaths: deathsOf(starts).filter(({ by }) => by > since),
        scrapes,
      }
    })
}

/** A time of day, UTC, to the millisecond. */
export function clock(at: number): string {
  return new Date(at).toISOString().slice(11, 23)
}

function holds({ problems, empty }: Look): boolean {
  return problems.length === 0 && !empty
}
