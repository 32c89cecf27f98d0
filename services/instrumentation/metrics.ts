import { Counter, collectDefaultMetrics, Gauge, Histogram, type MetricObject, Registry } from 'prom-client'
import type { Faults } from './faults.ts'
import type { Telemetry } from './telemetry.ts'

/** A route and every status it can answer with: their series exist, at zero, from the start. */
export interface KnownRoute {
  readonly method: string
  readonly route: string
  readonly statuses: readonly number[]
}

const requestLabels = ['method', 'route', 'status'] as const
type RequestLabel = (typeof requestLabels)[number]

/** Upper bounds in seconds; the thresholds of the sample plan, 0.5 and 1, are among them. */
export const durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** The metrics that every service has, and the registry for those of its own. */
export class Metrics {
  readonly registry = new Registry<typeof Registry.OPENMETRICS_CONTENT_TYPE>()
  /** Requests being worked on. */
  inFlight = 0
  readonly #requests: Counter<RequestLabel>
  readonly #durations: Histogram<RequestLabel>
  readonly #faults: Faults
  readonly #names = new Map<MetricObject, string>()
  #scraping: Promise<unknown> = Promise.resolve()

  constructor(known: readonly KnownRoute[], telemetry: Pick<Telemetry, 'counts'>, faults: Faults) {
    this.#faults = faults
    this.registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
    const registers = [this.registry]
    collectDefaultMetrics({ register: this.registry })
    this.#requests = new Counter({
      name: 'http_requests_total',
      help: 'Requests answered.',
      labelNames: requestLabels,
      registers,
      enableExemplars: true,
    })
    this.#durations = new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Time from a request’s arrival to the end of its response.',
      labelNames: requestLabels,
      buckets: durationBuckets,
      registers,
      enableExemplars: true,
    })
    const inFlight = () => this.inFlight
    new Gauge({
      name: 'http_requests_in_flight',
      help: 'Requests being worked on.',
      registers,
      collect() {
        this.set(inFlight())
      },
    })
    new Counter({
      name: 'telemetry_records_total',
      help: 'Spans and log records by what became of them in this process.',
      labelNames: ['signal', 'outcome'],
      registers,
      collect() {
        this.reset()
        for (const [signal, counts] of Object.entries(telemetry.counts)) {
          for (const [outcome, count] of Object.entries(counts)) this.inc({ signal, outcome }, count)
        }
      },
    })
    for (const { method, route, statuses } of known) {
      for (const status of statuses) {
        this.#requests.inc({ labels: { method, route, status: String(status) }, value: 0 })
        this.#durations.zero({ method, route, status: String(status) })
      }
    }
  }

  /** Counts an answered request. */
  observe(labels: Record<RequestLabel, string>, seconds: number, traceId: string): void {
    const exemplarLabels: object = { trace_id: traceId }
    if (!this.#faults.strikesEveryNth('skip-counter')) this.#requests.inc({ labels, value: 1, exemplarLabels })
    this.#durations.observe({ labels, value: seconds, exemplarLabels })
  }

  /**
   * The exposition and its content type: OpenMetrics, which alone carries exemplars, if the caller accepts it.
   * One at a time: prom-client keeps the format in the registry, and takes `_total` off a counter's name for good
   * when it writes OpenMetrics, so the names are put back before each scrape.
   */
  expose(accept: string | undefined): Promise<{ type: string; body: string }> {
    const scrape = this.#scraping.then(async () => {
      for (const metric of this.registry.getMetricsAsArray()) {
        metric.name = this.#names.get(metric) ?? metric.name
        this.#names.set(metric, metric.name)
      }
      if (accept?.includes('application/openmetrics-text')) {
        return { type: Registry.OPENMETRICS_CONTENT_TYPE, body: await this.registry.metrics() }
      }
      const plain = new Registry()
      for (const name of this.#names.values()) {
        const metric = this.registry.getSingleMetric(name)
        if (metric !== undefined) plain.registerMetric(metric)
      }
      return { type: Registry.PROMETHEUS_CONTENT_TYPE, body: await plain.metrics() }
    })
    this.#scraping = scrape.catch(() => undefined)
    return scrape
  }
}
