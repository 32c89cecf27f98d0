import { outliersOf } from '../../lib/clock-readings.ts'
import { formatDuration, parseDuration } from '../../lib/duration.ts'
import {
  type Bucket,
  bucketHolding,
  disagreements,
  edgeInWords,
  histogramFaults,
  histogramQuantile,
} from '../../lib/histogram.ts'
import type { Polled } from '../../lib/poll.ts'
import { type Labels, literal } from '../backends/prometheus.ts'
import { concluded, judged, type Outcome } from '../check.ts'
import type { Service } from '../config.ts'
import type { ScenarioContext } from '../context.ts'
import { durationOf, needFacts } from '../coverage.ts'
import { expectedOf, leastOf, missingLedger } from './expected.ts'
import type { Instances, Look, Scrapes } from './scrapes.ts'

/** Two readings of a clock for one request, one for the histogram and one for the log line, differ by less than this, but for outliers. */
const readingMs = 1

/** By how much a service's duration histogram grew in the window, over all instances and their lives. */
interface Grown {
  readonly buckets: readonly Bucket[]
  readonly count: number
  /** Seconds. */
  readonly sum: number
  /** The growth of the counter of requests, whatever its labels; undefined: there is none. */
  readonly counted: number | undefined
}
type GrownLook = Look & { readonly grown?: Grown }

/**
 * One service's duration histogram. Its growth is the difference of sums that Prometheus makes over label sets at the
 * edges of the window and of processes' lives: raw values, and a small answer, however many series there are.
 */
export class Histogram {
  readonly #context: ScenarioContext
  readonly #scrapes: Scrapes
  readonly #name: string
  readonly #service: Service
  #look: Promise<Polled<GrownLook>> | undefined

  constructor(context: ScenarioContext, scrapes: Scrapes, name: string, service: Service) {
    this.#context = context
    this.#scrapes = scrapes
    this.#name = name
    this.#service = service
  }

  /** @throws Absent if the service measures no durations */
  get #metric(): string {
    return durationOf(this.#service)
  }

  /** Is the measured p95 below the limit? */
  async latency(): Promise<Outcome> {
    const limitMs = this.#limitMs
    return this.#judge(`p95 below ${formatDuration(limitMs)}`, ({ buckets, count }) => {
      const p95 = histogramQuantile(0.95, buckets) * 1000
      if (Number.isNaN(p95)) return { actual: nothing, problems: [nothing], empty: true }
      const problems = p95 < limitMs ? [] : [`p95 is ${formatDuration(p95)}, not below ${formatDuration(limitMs)}`]
      return { actual: `p95 = ${p95.toFixed(1)} ms of ${count} observations`, problems }
    })
  }

  /** Does it add up, can it tell what it is asked for, and is it in seconds? */
  async form(): Promise<Outcome> {
    const { requests } = this.#service
    const expected = [
      `+Inf = _count${requests.metric === undefined ? '' : ` = growth of ${requests.metric}`}`,
      'buckets never fall',
      ...(requests.kind === 'http' ? [`an edge at ${this.#limitMs / 1000}`] : []),
      'p95 below the last edge',
      'a mean in seconds',
    ].join('; ')
    return this.#judge(expected, (grown) => {
      if (grown.count === 0) return { actual: nothing, problems: [nothing], empty: true }
      const unit = this.#unitProblem(grown)
      const meanMs = (grown.sum / grown.count) * 1000
      return {
        actual: `${grown.count} observations, mean ${meanMs.toPrecision(3)} ms, edges ${edges(grown.buckets)}`,
        // A wrong unit comes first: it explains a quantile beyond the last edge.
        problems: [
          ...(unit ? [unit] : []),
          ...histogramFaults(grown.buckets, grown.count),
          ...this.#shapeProblems(grown),
        ],
      }
    })
  }

  /** Does it agree with the durations that the service logged, bucket by bucket? */
  async joined(): Promise<Outcome> {
    const { rollCall } = this.#context
    if (!rollCall) return missingLedger(this.#context)
    needFacts(this.#service, 'duration_ms', 'duration_s')
    const { durationsMs } = await rollCall.logged(this.#name)
    const toleranceMs = readingMs + resolutionMs(durationsMs)
    const logged = durationsMs.reduce((sum, value) => (Number.isNaN(value) ? sum : sum + 1), 0)
    const paused = outliersOf(logged)
    const expected = `each bucket holds as many observations as durations were logged up to its edge, but for those within ${toleranceMs} ms of it (two readings of a clock) and ${paused} others (pauses between them)`
    return this.#judge(expected, ({ buckets, count }) => {
      if (count === 0 || logged === 0) {
        const actual = `${count} observations, ${logged} logged durations`
        return { actual, problems: [`${actual}: nothing to compare`], empty: true }
      }
      const inMs = buckets.map((bucket) => ({ ...bucket, upper: bucket.upper * 1000 }))
      const problems = disagreements(inMs, durationsMs, toleranceMs, paused).map(
        ({ upper, count: held, least, most }) =>
          `bucket ${edgeInWords(upper / 1000)} holds ${held} observations, but ${`${Math.max(0, least)} to ${most}`} durations up to it were logged`,
      )
      return { actual: `${count} observations, ${logged} logged durations, ${buckets.length} buckets`, problems }
    })
  }

  get #limitMs(): number {
    return parseDuration(this.#context.config.server.p95) ?? 500
  }

  async #judge(expected: string, examine: (grown: Grown) => Look): Promise<Outcome> {
    this.#look ??= this.#scrapes.look((instances, attempt) => this.#grown(instances, attempt))
    const polled = await this.#look
    const asking = this.#asking(expected)
    const grown = polled.value?.grown
    if (polled.outcome === 'unasked' || !grown) return concluded(polled, asking)
    return judged(examine(grown), asking, polled)
  }

  get #query(): string {
    const names = [
      `${this.#metric}_bucket`,
      `${this.#metric}_sum`,
      `${this.#metric}_count`,
      ...(this.#service.requests.metric === undefined ? [] : [this.#service.requests.metric]),
    ]
    return `sum by (__name__, instance, le) ({job=${literal(this.#scrapes.job)},__name__=~${literal(names.join('|'))}})`
  }

  #asking(expected: string) {
    const { backends } = this.#context
    const query = this.#query
    const time = (this.#scrapes.until / 1000 + 2 * (this.#context.facts.scrapeMs / 1000)).toFixed(3)
    return {
      ...this.#scrapes.asking(`${this.#metric}_bucket{job=${literal(this.#scrapes.job)}}`, expected),
      query,
      reproduce: backends.prometheus.client.curl('/api/v1/query', { query, time }),
    }
  }

  /** Asked until as many are observed as were surely sent; fewer at the deadline are for the examination to judge. */
  async #grown(instances: Instances, attempt: AbortSignal): Promise<GrownLook> {
    const { prometheus } = this.#context.backends
    const edges = [...instances.values()].flatMap(({ from, deaths }) => [from, ...deaths.map(({ after }) => after)])
    const { now } = this.#scrapes
    const moments = [...new Set([...edges, now])].sort((a, b) => a - b)
    const sums = new Map<number, ReadonlyMap<string, number>>()
    const names = new Map<string, Labels>()
    for (const at of moments) {
      const rows = await prometheus.instantAt(this.#query, at, attempt)
      for (const { labels } of rows) names.set(keyOf(labels), labels)
      sums.set(at, new Map(rows.map(({ labels, value }) => [keyOf(labels), value])))
    }
    const totals = new Map<string, number>()
    const problems: string[] = []
    for (const [key, labels] of names) {
      const instance = instances.get(labels.instance ?? '')
      const first = instance && sums.get(instance.from)?.get(key)
      if (!instance || (first === undefined && !instance.absentIsZero)) {
        problems.push(
          `${labels.__name__} of ${labels.instance} has no sample before the load, and was not scraped then`,
        )
        continue
      }
      const ends = [...instance.deaths.map(({ after }) => Math.max(instance.from, after)), now]
      const grown = ends.reduce((sum, at) => sum + (sums.get(at)?.get(key) ?? 0), 0) - (first ?? 0)
      const total = `${labels.__name__} ${labels.le ?? ''}`
      totals.set(total, (totals.get(total) ?? 0) + grown)
    }
    if (problems.length > 0) return { actual: 'unknown', problems }
    const total = (name: string) => totals.get(`${name} `) ?? 0
    const count = total(`${this.#metric}_count`)
    const prefix = `${this.#metric}_bucket `
    const buckets = [...totals]
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => ({ upper: upperOf(key.slice(prefix.length)), count: value }))
      .sort((a, b) => a.upper - b.upper)
    const least = this.#least()
    const { metric } = this.#service.requests
    return {
      actual: `${count} observations`,
      problems: count < least ? [`${count} of at least ${least} observations`] : [],
      grown: {
        buckets,
        count,
        sum: total(`${this.#metric}_sum`),
        counted: metric === undefined ? undefined : total(metric),
      },
    }
  }

  #least(): number {
    const { ledger } = this.#context
    if (!ledger) return 1
    return leastOf(expectedOf(ledger, this.#name, this.#service))
  }

  #shapeProblems({ buckets, count, counted }: Grown): string[] {
    const { requests } = this.#service
    const http = requests.kind === 'http'
    const limit = this.#limitMs / 1000
    const problems: string[] = []
    // A consumer's histogram may leave out deliveries that failed, which its counter knows.
    const least = http || counted === undefined ? counted : Math.min(counted, this.#least())
    if (counted !== undefined && least !== undefined && (count < least || count > counted))
      problems.push(`${count} observed, but ${counted} counted by ${requests.metric}`)
    if (http && !buckets.some(({ upper }) => Math.abs(upper - limit) < 1e-9)) {
      problems.push(`no bucket ends at ${limit}, the limit of server.p95: edges are ${edges(buckets)}`)
    }
    const holding = bucketHolding(0.95, buckets)
    if (holding?.[1] === Number.POSITIVE_INFINITY) {
      problems.push(`p95 lies beyond the last edge, ${holding[0]}: the histogram cannot tell it`)
    }
    return problems
  }

  /**
   * Physical bounds. A service under k6's call works while k6 waits, so that all its time is at most k6's (half as much
   * again and 5 ms each, for calls at once and for the end that it notes after the answer left); whom k6 calls takes at
   * least a thousandth of it. A delivery is at most as long as the time in which it happened.
   */
  #unitProblem({ sum, count }: Grown): string | undefined {
    const { summary, ledger } = this.#context
    const k6Ms = summary?.metrics.http_req_duration?.values.avg
    if (k6Ms === undefined || !ledger) return undefined
    const requests = ledger.steps.reduce((total, { attempted }) => total + attempted[1], 0)
    const meanMs = (sum / count) * 1000
    const http = this.#service.requests.kind === 'http'
    const most = http ? (1.5 * k6Ms * requests) / count + 5 : this.#scrapes.now - this.#scrapes.from
    const called = ledger.steps.filter(({ declared }) => declared.services[0] === this.#name)
    const least = called.length > 0 && called.length === ledger.steps.length ? k6Ms / 1000 : 0
    const figures = `its mean is ${formatDuration(meanMs)}, k6 waited ${k6Ms.toFixed(2)} ms in the mean`
    if (meanMs > most) {
      const looks = meanMs / 1000 <= most ? ': looks like milliseconds' : ''
      return `${this.#metric} is not in seconds${looks}: ${figures}`
    }
    return meanMs < least ? `${this.#metric} is not in seconds: ${figures}` : undefined
  }
}

const nothing = 'no observation in the window'

function keyOf({ __name__, instance, le }: Labels): string {
  return `${__name__} ${instance} ${le === undefined ? '' : upperOf(le)}`
}

/** The number that a `le` label means. */
export function upperOf(le: string): number {
  return le === '+Inf' || le === 'Infinity' ? Number.POSITIVE_INFINITY : Number(le)
}

function edges(buckets: readonly Bucket[]): string {
  return buckets.map(({ upper }) => edgeInWords(upper)).join(', ')
}

/** To what the logged durations are rounded: 1 ms if all are whole, else too little to matter. */
function resolutionMs(durationsMs: Float32Array): number {
  return durationsMs.every((value) => Number.isNaN(value) || Number.isInteger(value)) ? 1 : 0
}
