import type { Span, SpanKind } from './span.ts'
import { pathOf, placeInWords } from './span-shape.ts'

/** What can be wrong with a trace; each is a question of its own. */
export const traceTopics = ['tree', 'spans', 'queue', 'status', 'attributes', 'times'] as const
export type TraceTopic = (typeof traceTopics)[number]

/** What one trace must look like. */
export interface TraceExpectation {
  /** The parent id that was announced to the first service. */
  readonly announced: string
  /** Promised paths and how often each is there; undefined: the step promises none. */
  readonly paths: ReadonlyMap<string, number> | undefined
  /** Service names, as the source of traces writes them, that take their work from a queue. */
  readonly queues: ReadonlySet<string>
  /** The status that the client was promised. */
  readonly status: number
  /** Attributes that a span of a kind must have. */
  readonly required: Readonly<Partial<Record<SpanKind, readonly string[]>>>
  /** How far a span may lie outside its parent, in milliseconds: clocks of machines differ. */
  readonly skewMs: number
  /** Whether a span written twice is read twice. */
  readonly raw: boolean
}

/** The span by which a service enters a trace. */
export interface Entry {
  readonly spanId: string
  /** Epoch milliseconds. */
  readonly startedAt: number
  readonly durationMs: number
  /** http.response.status_code; 0 if it has none. */
  readonly status: number
}

export interface Examination {
  /** By service: its entry, and how many it has. */
  readonly entries: ReadonlyMap<string, Entry & { readonly count: number }>
  readonly problems: ReadonlyMap<TraceTopic, readonly string[]>
  /** True if the answer was another than the promised one: then the shape is not judged. */
  readonly otherStatus: number | undefined
}

/** Attributes by which HTTP statuses are known, the present and the older name. */
const statusAttributes = ['http.response.status_code', 'http.status_code'] as const

/** Looks at one whole trace. Pure; a trace without spans has no problems, it is missing. */
export function examineTrace(spans: readonly Span[], expectation: TraceExpectation): Examination {
  const problems = new Map<TraceTopic, string[]>()
  const say = (topic: TraceTopic, text: string) => {
    const list = problems.get(topic)
    if (list === undefined) problems.set(topic, [text])
    else list.push(text)
  }
  const byId = new Map<string, Span>()
  let doubled = 0
  for (const span of spans) {
    if (byId.has(span.spanId)) doubled += 1
    else byId.set(span.spanId, span)
  }
  if (doubled > 0 && expectation.raw) say('tree', `${doubled} doubled ${doubled === 1 ? 'span' : 'spans'}`)

  const entries = new Map<string, Entry & { count: number }>()
  let root: Span | undefined
  let roots = 0
  const parentOf = new Map<Span, Span>()
  for (const span of byId.values()) {
    const parent = parentIn(byId, span)
    if (parent !== undefined) parentOf.set(span, parent)
    if (parent === undefined) {
      if (span.parents.length === 0 || span.parents.includes(expectation.announced)) {
        roots += 1
        root ??= span
        if (!span.parents.includes(expectation.announced)) say('tree', `${named(span)} ignored the announced parent`)
      } else say('tree', `${named(span)} has a parent that is not in the trace`)
    }
    if (parent === undefined || parent.service !== span.service) {
      const before = entries.get(span.service)
      if (before === undefined) {
        entries.set(span.service, {
          spanId: span.spanId,
          startedAt: span.startedAt,
          durationMs: span.durationMs,
          status: statusOf(span),
          count: 1,
        })
      } else before.count += 1
      if (parent === undefined && expectation.queues.has(span.service) && !span.parents.includes(expectation.announced))
        say('queue', `${named(span)} has no producer in the trace`)
    }
    examineSpan(span, parent, expectation, say)
  }
  if (byId.size > 0 && roots !== 1) say('tree', `${roots} roots`)
  const status = root === undefined ? 0 : statusOf(root)
  const otherStatus = status !== 0 && status !== expectation.status ? status : undefined
  if (expectation.paths !== undefined && otherStatus === undefined && byId.size > 0)
    for (const text of differences(expectation.paths, byId.values(), parentOf)) say('spans', text)
  return { entries, problems, otherStatus }
}

function parentIn(byId: ReadonlyMap<string, Span>, span: Span): Span | undefined {
  for (const id of span.parents) {
    const parent = byId.get(id)
    if (parent !== undefined && parent !== span) return parent
  }
  return undefined
}

type Say = (topic: TraceTopic, text: string) => void

function examineSpan(span: Span, parent: Span | undefined, { required, skewMs }: TraceExpectation, say: Say): void {
  for (const key of required[span.kind] ?? []) {
    if (!(key in span.attributes)) say('attributes', `${named(span)} lacks ${key}`)
  }
  const status = statusOf(span)
  // OpenTelemetry: a server's span is an error from 500 on, a client's from 400 on; below, it is up to the service.
  if (span.kind === 'server' && status !== 0 && status >= 500 !== span.error) {
    say('status', `${named(span)} answered ${status}, but its status is ${span.error ? 'error' : 'not error'}`)
  }
  if (parent === undefined) return
  const early = parent.startedAt - span.startedAt
  if (early > skewMs) say('times', `${named(span)} began ${Math.round(early)} ms before its parent`)
  // What a queue hands on may end when it likes.
  if (span.kind === 'consumer' || parent.kind === 'producer') return
  const late = span.startedAt + span.durationMs - parent.startedAt - parent.durationMs
  if (late > skewMs) say('times', `${named(span)} ended ${Math.round(late)} ms after its parent`)
}

function differences(
  promised: ReadonlyMap<string, number>,
  spans: Iterable<Span>,
  parentOf: ReadonlyMap<Span, Span>,
): string[] {
  const paths = new Map<Span, string>()
  const path = (span: Span, depth: number): string => {
    const known = paths.get(span)
    if (known !== undefined) return known
    const parent = parentOf.get(span)
    // A ring of parents can't be; a source that gives one must not hang us.
    const above = parent === undefined || depth > 64 ? '' : path(parent, depth + 1)
    const own = pathOf(above, span.service, span.kind, span.operation)
    paths.set(span, own)
    return own
  }
  const seen = new Map<string, number>()
  for (const span of spans) {
    const own = path(span, 0)
    seen.set(own, (seen.get(own) ?? 0) + 1)
  }
  const texts: string[] = []
  for (const [one, count] of promised) {
    const found = seen.get(one) ?? 0
    // Below a span that is missing all paths differ: only the uppermost is news.
    if (found < count && (seen.has(aboveOf(one)) || aboveOf(one) === '')) texts.push(`${placeInWords(one)} is missing`)
  }
  for (const [one, count] of seen) {
    const wanted = promised.get(one) ?? 0
    if (count > wanted && (promised.has(aboveOf(one)) || aboveOf(one) === ''))
      texts.push(`${placeInWords(one)} is surplus`)
  }
  return texts
}

function aboveOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf(' › ')))
}

function statusOf({ attributes }: Span): number {
  for (const key of statusAttributes) {
    const value = attributes[key]
    if (value !== undefined) return Number(value) || 0
  }
  return 0
}

function named({ service, operation }: Span): string {
  return `${service} "${operation}"`
}
