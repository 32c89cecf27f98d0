import { z } from 'zod'
import type { JsonClient } from './http.ts'

/** One span, independent of the backend that keeps it; times in epoch milliseconds. */
export interface Span {
  readonly traceId: string
  readonly spanId: string
  /** Parents by reference; across a queue it may be a link (FOLLOWS_FROM). */
  readonly parents: readonly string[]
  readonly service: string
  readonly operation: string
  readonly kind: string
  readonly startedAt: number
  readonly durationMs: number
  readonly attributes: Readonly<Record<string, string>>
}

const traces = z.object({
  data: z
    .array(
      z.object({
        traceID: z.string(),
        spans: z.array(
          z.object({
            traceID: z.string(),
            spanID: z.string(),
            operationName: z.string(),
            references: z.array(z.object({ refType: z.string(), traceID: z.string(), spanID: z.string() })),
            startTime: z.number(),
            duration: z.number(),
            tags: z.array(z.object({ key: z.string(), value: z.unknown() })),
            processID: z.string(),
          }),
        ),
        processes: z.record(z.string(), z.object({ serviceName: z.string() })),
      }),
    )
    .nullable(),
})
const services = z.object({ data: z.array(z.string()).nullable() })

/** Reads Jaeger's query API. */
export class Jaeger {
  readonly client: JsonClient
  constructor(client: JsonClient) {
    this.client = client
  }

  async services(signal?: AbortSignal): Promise<string[]> {
    return (await this.client.ask(services, { path: '/api/services', ...(signal ? { signal } : {}) })).data ?? []
  }

  /** The parameters of a look-up of many traces; raw, since Jaeger else hides doubled spans. */
  lookupParams(ids: readonly string[]): { traceID: readonly string[]; raw: string } {
    return { traceID: ids, raw: 'true' }
  }

  /** Traces by id, absent ones left out. Ask for some 50 at a time: answers are held in memory. */
  async traces(ids: readonly string[], signal?: AbortSignal): Promise<Map<string, Span[]>> {
    const { data } = await this.client.ask(traces, {
      path: '/api/traces',
      params: this.lookupParams(ids),
      ...(signal ? { signal } : {}),
    })
    const found = new Map<string, Span[]>()
    for (const trace of data ?? []) {
      // Jaeger prints ids whose high half is zero with 16 digits.
      const id = trace.traceID.padStart(32, '0')
      const spans = trace.spans.map((span): Span => {
        const attributes = Object.fromEntries(span.tags.map(({ key, value }) => [key, String(value)]))
        return {
          traceId: id,
          spanId: span.spanID,
          parents: span.references.map((reference) => reference.spanID),
          service: trace.processes[span.processID]?.serviceName ?? '',
          operation: span.operationName,
          kind: attributes['span.kind'] ?? 'internal',
          startedAt: span.startTime / 1000,
          durationMs: span.duration / 1000,
          attributes,
        }
      })
      found.set(id, [...(found.get(id) ?? []), ...spans])
    }
    return found
  }
}
