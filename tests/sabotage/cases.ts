import type { LeaseRequest } from '../../services/instrumentation/faults.ts'
import type { Consequence } from './verdicts.ts'

type Fault = Pick<LeaseRequest, 'fault'> & Partial<LeaseRequest>

/** A defect of the telemetry that one service is given by lease, and what must notice it. */
export interface Sabotage extends Consequence {
  readonly name: string
  readonly service: 'gateway' | 'todos' | 'webhooks'
  readonly faults: readonly Fault[]
  /** The share of requests that the service must fail, once the load is under way, for the defect to show. */
  readonly failing?: number
  /** True if the service must be started anew after it: wrong series stay in a process, late lines are still to come. */
  readonly lasting?: boolean
}

/** Losses strike one request in a thousand. */
const ratio = 1 / 1000
/** What follows from failing requests themselves, not from the defect. */
const failing = ['load', 'metrics.error-ratio', 'metrics.latency', 'alerts.quiet']

export const sabotages: readonly Sabotage[] = [
  // Logs.
  {
    name: 'log lines are dropped',
    service: 'todos',
    faults: [{ fault: 'drop-logs', ratio }],
    must: ['logs.request-count.todos', 'logs.ids.todos'],
    // Where lines are missing, nothing proves that they were whole, or held no secret.
    may: ['logs.fields.todos', 'logs.secrets', 'logs.freshness', 'joined.buckets.todos'],
  },
  {
    name: 'log lines are written twice',
    service: 'todos',
    faults: [{ fault: 'double-logs', ratio }],
    must: ['logs.request-count.todos', 'logs.ids.todos'],
    may: ['joined.buckets.todos'],
  },
  {
    name: 'log lines come after the deadline',
    service: 'todos',
    lasting: true,
    faults: [{ fault: 'delay-logs', ratio, ms: 20_000 }],
    must: ['logs.request-count.todos', 'logs.ids.todos'],
    may: ['logs.fields.todos', 'logs.secrets', 'logs.freshness', 'joined.buckets.todos'],
  },
  {
    name: 'log lines of one level are missing',
    service: 'gateway',
    faults: [{ fault: 'drop-level', level: 'error' }],
    failing: 1 / 20,
    must: ['logs.request-count.gateway', 'logs.ids.gateway'],
    may: [...failing, 'logs.fields.gateway', 'logs.secrets', 'logs.freshness', 'joined.buckets.gateway'],
  },
  {
    name: "one service's logs are off",
    service: 'todos',
    faults: [{ fault: 'logs-off' }],
    must: ['logs.request-count.todos', 'logs.ids.todos', 'logs.fields.todos', 'logs.secrets'],
    may: ['logs.freshness', 'logs.levels.todos', 'joined'],
  },
  {
    name: 'log lines have no trace_id',
    service: 'todos',
    faults: [{ fault: 'logs-without-trace', ratio }],
    must: ['logs.request-count.todos', 'logs.ids.todos', 'logs.fields.todos'],
    may: ['logs.freshness', 'joined.buckets.todos'],
  },
  {
    name: 'log lines have a wrong trace_id',
    service: 'todos',
    faults: [{ fault: 'wrong-trace-id', ratio }],
    must: ['logs.request-count.todos', 'logs.ids.todos'],
    may: ['logs.freshness', 'joined.buckets.todos'],
  },
  {
    name: 'a log line holds a secret',
    service: 'gateway',
    faults: [{ fault: 'secret-in-log' }],
    must: ['logs.secrets'],
  },
  // Metrics.
  {
    name: 'increments of the counter are skipped',
    service: 'gateway',
    faults: [{ fault: 'skip-counter', ratio }],
    must: ['metrics.request-count.gateway'],
    may: ['metrics.histogram.gateway', 'metrics.quiet-edges.gateway'],
  },
  {
    name: 'the counter counts twice',
    service: 'gateway',
    faults: [{ fault: 'double-counter', ratio }],
    must: ['metrics.request-count.gateway'],
    may: ['metrics.histogram.gateway', 'metrics.quiet-edges.gateway'],
  },
  {
    name: 'the first increment of a new series is lost',
    service: 'todos',
    faults: [{ fault: 'first-increment-lost' }],
    must: ['metrics.request-count.todos'],
    may: ['metrics.histogram.todos', 'metrics.quiet-edges.todos', 'metrics.cardinality.todos'],
  },
  {
    name: 'durations are milliseconds under a name in seconds',
    service: 'gateway',
    faults: [{ fault: 'histogram-in-ms' }],
    must: ['metrics.histogram.gateway'],
    // The alert on latency believes it.
    may: ['metrics.latency.gateway', 'metrics.exemplars.gateway', 'joined.buckets.gateway', 'alerts.quiet'],
  },
  {
    name: 'the threshold is no edge of a bucket',
    service: 'gateway',
    faults: [{ fault: 'missing-bucket' }],
    must: ['metrics.histogram.gateway'],
    may: ['joined.buckets.gateway', 'metrics.exemplars.gateway'],
  },
  {
    name: 'the route label is the raw path',
    service: 'gateway',
    lasting: true,
    faults: [{ fault: 'raw-route' }],
    must: ['metrics.request-count.gateway', 'metrics.cardinality.gateway'],
    may: ['metrics.histogram.gateway', 'metrics.exemplars.gateway'],
  },
  {
    name: 'the method label is missing',
    service: 'gateway',
    lasting: true,
    faults: [{ fault: 'label-missing' }],
    must: ['metrics.request-count.gateway', 'metrics.series.gateway'],
    may: ['metrics.histogram.gateway'],
  },
  {
    name: 'the status label is wrong',
    service: 'todos',
    lasting: true,
    faults: [{ fault: 'status-wrong' }],
    must: ['metrics.request-count.todos'],
    may: ['metrics.histogram.todos', 'metrics.cardinality.todos'],
  },
  {
    name: 'exemplars lead to traces that do not exist',
    service: 'gateway',
    faults: [{ fault: 'bad-exemplar' }],
    must: ['metrics.exemplars.gateway'],
  },
  // Traces.
  {
    name: 'spans of requests are dropped',
    service: 'todos',
    faults: [{ fault: 'drop-spans', ratio }],
    must: ['traces.tree', 'traces.spans'],
    may: ['traces.ids.todos', 'traces.freshness', 'joined.spans.todos', 'joined.statuses.todos'],
  },
  {
    name: 'a child span is dropped',
    service: 'gateway',
    faults: [{ fault: 'drop-child-span', ratio }],
    must: ['traces.spans'],
    may: ['traces.tree'],
  },
  {
    name: 'spans are exported twice',
    service: 'todos',
    faults: [{ fault: 'double-spans', ratio }],
    must: ['traces.tree'],
  },
  {
    name: 'trace context is not forwarded from gateway to todos',
    service: 'gateway',
    faults: [{ fault: 'drop-context' }],
    // What todos and webhooks log bears trace ids that nobody announced; what they count is right.
    must: [
      'traces.ids.todos',
      'traces.ids.webhooks',
      'traces.spans',
      'traces.queue.webhooks',
      ...['logs.request-count.todos', 'logs.ids.todos', 'logs.request-count.webhooks', 'logs.ids.webhooks'],
    ],
    may: ['logs.freshness', 'traces.freshness', 'logs.levels', 'logs.fields', 'joined', 'metrics.exemplars'],
  },
  {
    name: 'trace context is lost across the queue',
    service: 'todos',
    faults: [{ fault: 'drop-queue-context' }],
    must: [
      'traces.ids.webhooks',
      'traces.spans',
      'traces.queue.webhooks',
      'logs.request-count.webhooks',
      'logs.ids.webhooks',
    ],
    may: ['logs.freshness', 'traces.freshness', 'logs.fields.webhooks', 'joined', 'metrics.exemplars.webhooks'],
  },
  {
    name: 'a service begins a trace of its own',
    service: 'todos',
    faults: [{ fault: 'restart-context', ratio }],
    must: ['traces.ids.todos', 'traces.spans', 'logs.ids.todos', 'logs.request-count.todos'],
    may: [
      ...['traces.tree', 'traces.queue', 'traces.ids.webhooks', 'logs.ids.webhooks', 'logs.request-count.webhooks'],
      ...['logs.freshness', 'logs.fields', 'logs.levels', 'traces.freshness', 'joined', 'metrics.exemplars'],
    ],
  },
  {
    name: 'a trace has two roots',
    service: 'todos',
    faults: [{ fault: 'two-roots', ratio }],
    must: ['traces.tree'],
    may: ['traces.spans'],
  },
  {
    name: 'an attribute is missing',
    service: 'todos',
    faults: [{ fault: 'attribute-missing', ratio }],
    must: ['traces.attributes'],
  },
  {
    name: 'spans of failed requests are not marked as errors',
    service: 'gateway',
    faults: [{ fault: 'no-error-status' }],
    failing: 1 / 20,
    must: ['traces.status'],
    may: failing,
  },
  {
    name: 'the clock of one service is 5 s off',
    service: 'todos',
    faults: [{ fault: 'clock-skew', ms: 5000 }],
    must: ['traces.times'],
    may: ['logs.freshness', 'traces.freshness', 'metrics.exemplars'],
  },
  {
    name: 'services do not agree on what is sampled',
    service: 'todos',
    faults: [{ fault: 'sample-some', ratio }],
    must: ['traces.spans'],
    may: [
      ...['traces.tree', 'traces.queue', 'traces.ids', 'traces.freshness', 'joined.spans', 'joined.statuses'],
      'metrics.exemplars',
    ],
  },
  {
    name: 'the queue for spans is too small for a burst',
    service: 'todos',
    faults: [{ fault: 'small-span-queue', ms: 300 }],
    must: ['traces.spans'],
    // The service's own count of what it dropped makes an alert.
    may: [
      ...['traces.tree', 'traces.queue', 'traces.ids', 'traces.freshness', 'joined', 'metrics.exemplars'],
      'alerts.quiet',
    ],
  },
]
