import { z } from 'zod'
import type { Span, SpanKind } from '../../lib/span.ts'
import type { JsonClient } from './http.ts'
import type { EachTrace, TraceCapabilities, TraceQuery, TraceReference, TraceSource } from './trace-source.ts'

const trace = z.object({
  traceID: z.string(),
  spans: z.array(
    z.object({
      spanID: z.string(),
      operationName: z.string(),
      references: z.array(z.object({ traceID: z.string(), spanID: z.string() })),
      startTime: z.number(),
      duration: z.number(),
      tags: z.array(z.object({ key: z.string(), value: z.unknown() })),
      processID: z.string(),
    }),
  ),
  processes: z.record(z.string(), z.object({ serviceName: z.string() })),
})
const traces = z.object({ data: z.array(trace).nullable() })
const services = z.object({ data: z.array(z.string()).nullable() })

const kinds = new Set<SpanKind>(['server', 'client', 'producer', 'consumer', 'internal'])
/** What Jaeger adds to a span's tags when it is written out as JSON: it stands in other fields of a Span. */
const added = /^(span\.kind|error|otel\.|internal\.span\.format$|w3c\.tracestate$)/

/** What every Jaeger can, however it is asked; `limit` is what can be held in memory: some 5 kB a trace, in JSON. */
export const jaegerCapabilities: TraceCapabilities = {
  lookUp: 50,
  limit: 4000,
  links: true,
  attributeSearch: true,
  raw: true,
  window: 'span',
  exactNames: true,
  kinds,
}

/** Reads Jaeger's older API, JSON over HTTP: every version has it, and an answer is held in memory whole. */
export class JaegerHttp implements TraceSource {
  readonly name = 'jaeger'
  readonly can = jaegerCapabilities
  readonly #client: JsonClient
  constructor(client: JsonClient) {
    this.#client = client
  }

  get url(): string {
    return this.#client.url
  }

  async services(signal?: AbortSignal): Promise<string[]> {
    return (await this.#client.ask(services, { path: '/api/services', ...(signal ? { signal } : {}) })).data ?? []
  }

  async lookUp(ids: readonly string[], each: EachTrace, signal?: AbortSignal): Promise<void> {
    for (let at = 0; at < ids.length; at += this.can.lookUp) {
      const traceID = ids.slice(at, at + this.can.lookUp)
      // Raw, since Jaeger else hides doubled spans.
      for (const found of await this.#ask({ traceID, raw: 'true' }, signal)) each(found)
    }
  }

  async search(query: TraceQuery, each: EachTrace, signal?: AbortSignal): Promise<{ traces: number; cut: boolean }> {
    const { service, from, to, limit } = query
    // Jaeger's times are whole microseconds, and its storages differ in whether the end belongs to the window.
    const [start, end] = [Math.floor(from * 1000), Math.ceil(to * 1000)]
    const found = await this.#ask({ service, start, end, limit, raw: 'true' }, signal)
    const inside = found.filter((spans) => beganIn(spans, query))
    for (const spans of inside) each(spans)
    return { traces: inside.length, cut: found.length >= limit }
  }

  reproduce(id: string): TraceReference {
    const path = `/api/traces/${id}`
    return {
      query: `${path}?raw=true`,
      reproduce: this.#client.curl(path, { raw: 'true' }),
      ...this.#client.link(`/trace/${id}`),
    }
  }

  async #ask(
    params: Readonly<Record<string, string | number | readonly string[]>>,
    signal: AbortSignal | undefined,
  ): Promise<Span[][]> {
    const { data } = await this.#client.ask(traces, { path: '/api/traces', params, ...(signal ? { signal } : {}) })
    return (data ?? []).map(spansOf)
  }
}

/** Whether a trace's first span of a service began in [from, to): of adjacent windows, this holds for one. */
export function beganIn(trace: readonly Span[], { service, from, to }: TraceQuery): boolean {
  let first = Number.POSITIVE_INFINITY
  for (const span of trace) if (span.service === service && span.startedAt < first) first = span.startedAt
  return first >= from && first < to
}

function spansOf({ traceID, spans, processes }: z.infer<typeof trace>): Span[] {
  // Jaeger prints ids whose high half is zero with 16 digits.
  const traceId = traceID.padStart(32, '0')
  return spans.map((span) => {
    const tags = new Map(span.tags.map(({ key, value }) => [key, value]))
    const kind = [...kinds].find((one) => one === tags.get('span.kind'))
    return {
      traceId,
      spanId: span.spanID,
      parents: span.references
        .filter(({ traceID: of }) => of.padStart(32, '0') === traceId)
        .map(({ spanID }) => spanID),
      service: processes[span.processID]?.serviceName ?? '',
      operation: span.operationName,
      kind: kind ?? 'internal',
      startedAt: span.startTime / 1000,
      durationMs: span.duration / 1000,
      error: tags.get('otel.status_code') === 'ERROR' || String(tags.get('error')) === 'true',
      attributes: Object.fromEntries(
        span.tags.filter(({ key }) => !added.test(key)).map(({ key, value }) => [key, text(value)]),
      ),
    }
  })
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
