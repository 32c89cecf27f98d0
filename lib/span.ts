/** What a span says it did. A backend that does not say is read as 'internal'. */
export type SpanKind = 'server' | 'client' | 'producer' | 'consumer' | 'internal'

/** One span as read back from a source of traces, whichever that is. */
export interface Span {
  /** 32 lower-case hexadecimal digits. */
  readonly traceId: string
  /** 16 lower-case hexadecimal digits. */
  readonly spanId: string
  /** Span ids of its parent and of the spans of the same trace that it links to; empty for a root. */
  readonly parents: readonly string[]
  readonly service: string
  readonly operation: string
  readonly kind: SpanKind
  /** Epoch milliseconds, with fractions. */
  readonly startedAt: number
  readonly durationMs: number
  /** Whether the span's status is error. */
  readonly error: boolean
  /** Attributes of the span itself, not those of its resource; values are written out as text. */
  readonly attributes: Readonly<Record<string, string>>
}
