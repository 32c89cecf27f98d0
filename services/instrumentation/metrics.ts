import { type SpanContext, TraceFlags } from '@opentelemetry/api'
import {
  Counter,
  collectDefaultMetrics,
  Gauge,
  Histogram,
  type LabelValues,
  type MetricObject,
  Registry,
} from 'prom-client'
import type { Faults } from './faults.ts'
import { SabotagedMetrics } from './sabotaged-metrics.ts'
import type { Telemetry } from './telemetry.ts'

/** A route and every status it can answer with: their series exist, at zero, from the start. */
export interface KnownRoute {
  readonly method: string
  readonly route: string
  readonly statuses: readonly number[]
}

const requestLabels = ['method', 'route', 'status'] as const
type RequestLabel = (typeof requestLabels)[number]

/** An event that a counter and a histogram are to tell of. */
interface Event<CounterLabel extends string, DurationLabel extends string> {
  readonly counter: Counter<CounterLabel>
  readonly labels: LabelValues<CounterLabel>
  readonly durations: Histogram<DurationLabel>
  readonly durationLabels: LabelValues<DurationLabel>
  readonly seconds: number
  readonly spanContext: SpanContext
}

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
  readonly #sabotage: SabotagedMetrics
  readonly #names = new Map<MetricObject, string>()
  #scraping: Promise<unknown> = Promise.resolve()

  constructor(known: readonly KnownRoute[], telemetry: Pick<Telemetry, 'counts'>, faults: Faults) {
    this.#faults = faults
    this.#sabotage = new SabotagedMetrics(faults)
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
  observe(honest: Record<RequestLabel, string>, seconds: number, spanContext: SpanContext): void {
    const labels = this.#faults.none ? honest : this.#sabotage.labels(honest)
    this.record({
      counter: this.#requests,
      labels,
      durations: this.#durations,
      durationLabels: labels,
      seconds,
      spanContext,
    })
  }

  /** Counts an event; its exemplars name its trace if that is sampled, since no other can be found. */
  record<C extends string, D extends string>(event: Event<C, D>): void {
    const { counter, labels, durations, durationLabels, seconds, spanContext } = event
    const { traceId } = spanContext
    const honest = { count: 1, unit: 1, traceId }
    const how = this.#faults.none ? honest : this.#sabotage.counting(JSON.stringify(labels), traceId)
    const write = () => {
      const sampled = spanContext.traceFlags & TraceFlags.SAMPLED
      const exemplar: { exemplarLabels?: object } = sampled ? { exemplarLabels: { trace_id: how.traceId } } : {}
      if (how.count > 0) counter.inc({ labels, value: how.count, ...exemplar })
      durations.observe({ labels: durationLabels, value: seconds * how.unit, ...exemplar })
    }
    if (this.#faults.none) write()
    else this.#sabotage.apply(write)
  }

  /** To be called when the process is told to end; it goes on counting while it drains. */
  stop(): void {
    this.#sabotage.stop()
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
        const body = this.#sabotage.exposition(await this.registry.metrics())
        return { type: Registry.OPENMETRICS_CONTENT_TYPE, body }
      }
      const plain = new Registry()
      for (const name of this.#names.values()) {
        const metric = this.registry.getSingleMetric(name)
        if (metric !== undefined) plain.registerMetric(metric)
      }
      return { type: Registry.PROMETHEUS_CONTENT_TYPE, body: this.#sabotage.exposition(await plain.metrics()) }
    })
    this.#scraping = scrape.catch(() => undefined)
    return scrape
  }
}
