import { propagation, type Tracer } from '@opentelemetry/api'
import type { Logger } from '@opentelemetry/api-logs'
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-proto'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { ZipkinExporter } from '@opentelemetry/exporter-zipkin'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchLogRecordProcessor, LoggerProvider, type LogRecordProcessor } from '@opentelemetry/sdk-logs'
import {
  BatchSpanProcessor,
  NodeTracerProvider,
  type ReadableSpan,
  type SpanExporter,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace-node'
import { ATTR_SERVICE_INSTANCE_ID, ATTR_SERVICE_NAME } from '@opentelemetry/semantic-conventions'
import { TraceContext } from './context.ts'
import { type ExportCounts, ExportLedger } from './counting-exporter.ts'
import type { Faults } from './faults.ts'
import { SabotagedSpans } from './sabotaged-spans.ts'
import { samplerOf } from './sampler.ts'

/** The way out for spans and log records. */
export interface Telemetry {
  readonly tracer: Tracer
  readonly context: TraceContext
  readonly logger: Logger
  /** Records exported, failed and dropped so far. */
  readonly counts: { readonly spans: ExportCounts; readonly logs: ExportCounts }
  /** Sends what is left, then stops. Never rejects; losses stand in `counts`. */
  stop(): Promise<void>
}

// The SDK's defaults (2,048 spans, every 5 s) drop above some 500 spans/s without a word.
const batching = {
  maxQueueSize: 65_536,
  maxExportBatchSize: 4096,
  scheduledDelayMillis: 200,
  exportTimeoutMillis: 10_000,
}

// As small as a careless setting may make it.
const narrowBatching = { ...batching, maxQueueSize: 16, maxExportBatchSize: 16 }

interface TelemetryOptions {
  readonly service: string
  readonly instance: string
  /** Base URL of the collector; without it nothing is exported, but ids are still made. */
  readonly otlpUrl: string | undefined
  /** Base URL of a Zipkin server that takes the spans instead. */
  readonly zipkinUrl: string | undefined
  /** The share of traces that this service samples whatever its caller says; absent: as the caller says. */
  readonly sampleRatio: number | undefined
  readonly faults: Faults
}

/**
 * Sets up traces and logs by OTLP/HTTP. Contexts are passed by hand instead of through AsyncLocalStorage, which is
 * faster and leaves no doubt about who is whose parent.
 */
export function startTelemetry(options: TelemetryOptions): Telemetry {
  const { service, instance, otlpUrl, zipkinUrl, sampleRatio, faults } = options
  const resource = resourceFromAttributes({ [ATTR_SERVICE_NAME]: service, [ATTR_SERVICE_INSTANCE_ID]: instance })
  const spans = new ExportLedger(batching.maxQueueSize)
  const logs = new ExportLedger(batching.maxQueueSize)
  const spanProcessors: SpanProcessor[] = []
  const processors: LogRecordProcessor[] = []
  if (otlpUrl !== undefined) {
    const transport = (path: string) => ({ url: `${otlpUrl}${path}`, timeoutMillis: 5000 })
    const spanExporter = () =>
      zipkinUrl === undefined
        ? new OTLPTraceExporter(transport('/v1/traces'))
        : new ZipkinExporter({ url: `${zipkinUrl}/api/v2/spans` })
    const narrow = (pauseMs: number) => {
      const ledger = new ExportLedger(narrowBatching.maxQueueSize, spans.counts)
      return new CountedSpans(ledger, paused(spanExporter(), pauseMs), narrowBatching)
    }
    spanProcessors.push(new SabotagedSpans(faults, new CountedSpans(spans, spanExporter(), batching), narrow))
    const logExporter = logs.watch(new OTLPLogExporter(transport('/v1/logs')), 'log records')
    processors.push(new CountedLogs(logs), new BatchLogRecordProcessor({ exporter: logExporter, ...batching }))
  }
  const sampler = samplerOf(sampleRatio, faults)
  const tracers = new NodeTracerProvider({ resource, sampler, spanProcessors })
  tracers.register({ contextManager: null })
  const loggers = new LoggerProvider({ resource, processors })
  return {
    tracer: tracers.getTracer('muster-sample'),
    context: new TraceContext(faults),
    logger: loggers.getLogger('muster-sample'),
    counts: { spans: spans.counts, logs: logs.counts },
    async stop() {
      await Promise.allSettled([tracers.shutdown(), loggers.shutdown()])
      propagation.disable()
    },
  }
}

/** Exports each batch after a pause, as to a collector that is slow to answer. */
function paused(exporter: SpanExporter, pauseMs: number): SpanExporter {
  return {
    export: (spans, done) => void setTimeout(() => exporter.export(spans, done), pauseMs),
    shutdown: () => exporter.shutdown(),
  }
}

/** A batch processor whose spans are counted. */
class CountedSpans implements SpanProcessor {
  readonly #ledger: ExportLedger
  readonly #batches: BatchSpanProcessor
  constructor(ledger: ExportLedger, exporter: SpanExporter, settings: typeof batching) {
    this.#ledger = ledger
    this.#batches = new BatchSpanProcessor(ledger.watch(exporter, 'spans'), settings)
  }
  onStart(): void {}
  onEnd(span: ReadableSpan): void {
    if (span.spanContext().traceFlags & 1) this.#ledger.taken()
    this.#batches.onEnd(span)
  }
  forceFlush(): Promise<void> {
    return this.#batches.forceFlush()
  }
  shutdown(): Promise<void> {
    return this.#batches.shutdown()
  }
}

class CountedLogs implements LogRecordProcessor {
  readonly #ledger: ExportLedger
  constructor(ledger: ExportLedger) {
    this.#ledger = ledger
  }
  onEmit(): void {
    this.#ledger.taken()
  }
  async forceFlush(): Promise<void> {}
  async shutdown(): Promise<void> {}
}
