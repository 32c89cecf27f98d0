import type { Span, SpanKind } from '../../lib/span.ts'

/** What a source of traces can tell, stated by itself, so that nobody has to ask which one it is. */
export interface TraceCapabilities {
  /** Ids per request for look-up. */
  readonly lookUp: number
  /** Traces that one search may return at most. */
  readonly limit: number
  /** Whether a span may name others besides its parent. False: a hop over a queue is judged by its parent. */
  readonly links: boolean
  /** Whether a search by attributes of spans is possible. */
  readonly attributeSearch: boolean
  /** Whether a span that was written twice is read twice. False: doubled spans cannot be judged. */
  readonly raw: boolean
  /**
   * What must begin in the window of a search: the trace's first span of the service, or the whole trace. With 'trace',
   * work that a trace does late is found in the window in which the trace began.
   */
  readonly window: 'span' | 'trace'
  /** Whether names come back as they were sent. False: services and operations are in lower case. */
  readonly exactNames: boolean
  /** Kinds that are told apart; a span of another kind reads as 'internal'. */
  readonly kinds: ReadonlySet<SpanKind>
}

export interface TraceQuery {
  /** A service that took part in the trace. */
  readonly service: string
  /** [from, to), epoch milliseconds: when its first span of that service (or the trace, see `can.window`) began. */
  readonly from: number
  readonly to: number
  /** Traces at most, no more than `can.limit`. */
  readonly limit: number
}

/** How a trace can be looked at again, for evidence. */
export interface TraceReference {
  readonly query: string
  /** A command for a shell; credentials stand in it as environment variables. */
  readonly reproduce: string
  /** The trace's page, if the backend has pages. */
  readonly link?: string
}

/** Called once per trace with all its spans. */
export type EachTrace = (trace: readonly Span[]) => void

/** Where traces are read back from. Every method throws a BackendError if the backend cannot be asked or refuses. */
export interface TraceSource {
  readonly name: 'jaeger' | 'zipkin'
  readonly url: string
  readonly can: TraceCapabilities

  /** Names of the services that ever sent a span. */
  services(signal?: AbortSignal): Promise<string[]>

  /** Traces by id (32 digits); absent ones are left out. Any number of ids: asked in slices of `can.lookUp`. */
  lookUp(ids: readonly string[], each: EachTrace, signal?: AbortSignal): Promise<void>

  /**
   * Every trace whose first span of `service` began in [from, to), one whole trace at a time; of adjacent windows, one
   * has it. `cut` tells that the limit was met: such an answer proves nothing and must not be judged. The limit counts
   * what the backend finds, some of which may belong to a neighbouring window; `traces` is the number given to `each`.
   */
  search(query: TraceQuery, each: EachTrace, signal?: AbortSignal): Promise<{ traces: number; cut: boolean }>

  reproduce(id: string): TraceReference
}

/** A service's name as the source writes it: Zipkin, for one, knows small letters alone. */
export function namedBy({ can }: TraceSource, service: string): string {
  return can.exactNames ? service : service.toLowerCase()
}
