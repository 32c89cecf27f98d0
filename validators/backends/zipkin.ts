import { z } from 'zod'
import type { Span, SpanKind } from '../../lib/span.ts'
import type { JsonClient } from './http.ts'
import type { EachTrace, TraceCapabilities, TraceQuery, TraceReference, TraceSource } from './trace-source.ts'

const span = z.object({
  traceId: z.string(),
  id: z.string(),
  parentId: z.string().optional(),
  kind: z.string().optional(),
  name: z.string().optional(),
  timestamp: z.number().optional(),
  duration: z.number().optional(),
  localEndpoint: z.object({ serviceName: z.string().optional() }).optional(),
  tags: z.record(z.string(), z.string()).optional(),
})
const traces = z.array(z.array(span))
const services = z.array(z.string())

const kinds: Readonly<Record<string, SpanKind>> = {
  SERVER: 'server',
  CLIENT: 'client',
  PRODUCER: 'producer',
  CONSUMER: 'consumer',
}
/** OpenTelemetry's exporter writes the status and the whole resource among the tags. */
const added = /^(error$|otel\.|service\.|telemetry\.)/
/** An id that no trace has: a look-up of many wants at least two. */
const nobody = 'f'.repeat(32)

/** Reads Zipkin's API v2. */
export class Zipkin implements TraceSource {
  readonly name = 'zipkin'
  readonly can: TraceCapabilities = {
    // Its server takes some 4,000 characters of URL.
    lookUp: 100,
    // An answer is held in memory.
    limit: 4000,
    links: false,
    attributeSearch: true,
    // Equal spans are kept once.
    raw: false,
    window: 'trace',
    exactNames: false,
    kinds: new Set<SpanKind>(['server', 'client', 'producer', 'consumer', 'internal']),
  }
  readonly #client: JsonClient
  constructor(client: JsonClient) {
    this.#client = client
  }

  get url(): string {
    return this.#client.url
  }

  async services(signal?: AbortSignal): Promise<string[]> {
    return this.#client.ask(services, { path: '/api/v2/services', ...(signal ? { signal } : {}) })
  }

  async lookUp(ids: readonly string[], each: EachTrace, signal?: AbortSignal): Promise<void> {
    // An id that is given twice is refused.
    const distinct = [...new Set(ids)]
    for (let at = 0; at < distinct.length; at += this.can.lookUp) {
      const slice = distinct.slice(at, at + this.can.lookUp)
      const traceIds = (slice.length === 1 ? [...slice, nobody] : slice).join(',')
      for (const found of await this.#ask('/api/v2/traceMany', { traceIds }, signal)) each(found)
    }
  }

  async search(
    { service, from, to, limit }: TraceQuery,
    each: EachTrace,
    signal?: AbortSignal,
  ): Promise<{ traces: number; cut: boolean }> {
    // Zipkin takes whole milliseconds, and the end belongs to its window.
    const [start, endTs] = [Math.floor(from), Math.ceil(to)]
    const params = { serviceName: service.toLowerCase(), endTs, lookback: endTs - start, limit }
    const found = await this.#ask('/api/v2/traces', params, signal)
    const inside = found.filter((spans) => {
      const began = beginning(spans)
      return began >= from && began < to
    })
    for (const spans of inside) each(spans)
    return { traces: inside.length, cut: found.length >= limit }
  }

  reproduce(id: string): TraceReference {
    const path = `/api/v2/trace/${id}`
    return { query: path, reproduce: this.#client.curl(path), ...this.#client.link(`/zipkin/traces/${id}`) }
  }

  async #ask(
    path: string,
    params: Readonly<Record<string, string | number>>,
    signal: AbortSignal | undefined,
  ): Promise<Span[][]> {
    const found = await this.#client.ask(traces, { path, params, ...(signal ? { signal } : {}) })
    return found.filter((spans) => spans.length > 0).map((spans) => spans.map(spanOf))
  }
}

/** When Zipkin says that a trace began: its root, or, without one, its first span. */
function beginning(spans: readonly Span[]): number {
  const root = spans.find(({ parents }) => parents.length === 0)
  return root?.startedAt ?? Math.min(...spans.map(({ startedAt }) => startedAt))
}

function spanOf({
  traceId,
  id,
  parentId,
  kind,
  name,
  timestamp,
  duration,
  localEndpoint,
  tags,
}: z.infer<typeof span>): Span {
  return {
    // Zipkin prints ids whose high half is zero with 16 digits.
    traceId: traceId.padStart(32, '0'),
    spanId: id,
    parents: parentId === undefined ? [] : [parentId],
    service: localEndpoint?.serviceName ?? '',
    operation: name ?? '',
    kind: kinds[kind ?? ''] ?? 'internal',
    startedAt: (timestamp ?? 0) / 1000,
    durationMs: (duration ?? 0) / 1000,
    error: tags?.error !== undefined || tags?.['otel.status_code'] === 'ERROR',
    attributes: Object.fromEntries(Object.entries(tags ?? {}).filter(([key]) => !added.test(key))),
  }
}
