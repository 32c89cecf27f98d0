import { propagation, type Tracer } from '@opentelemetry/api'
import type { Logger } from '@opentelemetry/api-logs'
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-proto'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchLogRecordProcessor, LoggerProvider, type LogRecordProcessor } from '@opentelemetry/sdk-logs'
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  NodeTracerProvider,
  ParentBasedSampler,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace-node'
import { ATTR_SERVICE_INSTANCE_ID, ATTR_SERVICE_NAME } from '@opentelemetry/semantic-conventions'
import { type ExportCounts, ExportLedger } from './counting-exporter.ts'

/** The way out for spans and log records. */
export interface Telemetry {
  readonly tracer: Tracer
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

/**
 * Sets up traces and logs by OTLP/HTTP. Contexts are passed by hand instead of through AsyncLocalStorage, which is
 * faster and leaves no doubt about who is whose parent.
 * @param otlpUrl base URL of the collector; without it nothing is exported, but ids are still made
 */
export function startTelemetry(service: string, instance: string, otlpUrl: string | undefined): Telemetry {
  const resource = resourceFromAttributes({ [ATTR_SERVICE_NAME]: service, [ATTR_SERVICE_INSTANCE_ID]: instance })
  const spans = new ExportLedger(batching.maxQueueSize)
  const logs = new ExportLedger(batching.maxQueueSize)
  const spanProcessors: SpanProcessor[] = []
  const processors: LogRecordProcessor[] = []
  if (otlpUrl !== undefined) {
    const transport = (path: string) => ({ url: `${otlpUrl}${path}`, timeoutMillis: 5000 })
    const spanExporter = spans.watch(new OTLPTraceExporter(transport('/v1/traces')), 'spans')
    const logExporter = logs.watch(new OTLPLogExporter(transport('/v1/logs')), 'log records')
    spanProcessors.push(new CountedSpans(spans), new BatchSpanProcessor(spanExporter, batching))
    processors.push(new CountedLogs(logs), new BatchLogRecordProcessor({ exporter: logExporter, ...batching }))
  }
  // A parent's decision is kept; the sampler is named so that no OTEL_ variable of the machine changes the counts.
  const sampler = new ParentBasedSampler({ root: new AlwaysOnSampler() })
  const tracers = new NodeTracerProvider({ resource, sampler, spanProcessors })
  tracers.register({ contextManager: null })
  const loggers = new LoggerProvider({ resource, processors })
  return {
    tracer: tracers.getTracer('muster-sample'),
    logger: loggers.getLogger('muster-sample'),
    counts: { spans: spans.counts, logs: logs.counts },
    async stop() {
      await Promise.allSettled([tracers.shutdown(), loggers.shutdown()])
      propagation.disable()
    },
  }
}

class CountedSpans implements SpanProcessor {
  readonly #ledger: ExportLedger
  constructor(ledger: ExportLedger) {
    this.#ledger = ledger
  }
  onStart(): void {}
  onEnd(span: { spanContext(): { traceFlags: number } }): void {
    if (span.spanContext().traceFlags & 1) this.#ledger.taken()
  }
  async forceFlush(): Promise<void> {}
  async shutdown(): Promise<void> {}
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
