import { pause } from '../../lib/poll.ts'
import { eachSlice, type Slice, slicesOf } from '../../lib/slices.ts'
import type { Span } from '../../lib/span.ts'
import type { Window } from '../../lib/verdict.ts'
import { BackendError } from '../backends/http.ts'
import { namedBy, type TraceSource } from '../backends/trace-source.ts'
import type { ClockOffset } from '../clock.ts'
import type { Service } from '../config.ts'
import { pipelineDeadline, type RunContext, settleMs } from '../context.ts'
import { logsOf, needFacts, tracedAs } from '../coverage.ts'
import { lineQuery } from '../log-format.ts'
import { type LogLine, readLogLine } from '../roll-call/log-line.ts'
import { Problems } from '../roll-call/problems.ts'
import { clock as timeOfDay } from '../signals/scrapes.ts'
import { type Counted, countedIn, countedSelector } from './counted.ts'
import { type Edges, edgesOf, placeOf } from './edges.ts'
import { Meetings, type Met } from './meetings.ts'

/** Lines and spans are read so far beyond the edges, to find the counterparts of those inside. */
const marginMs = 1000
/** Traces are searched by when they began: so much earlier than the period, and as much more as the longest request took. */
const reachMs = 5000
/** The same where traces are found by their first span, which may be long before a queue hands them over. */
const queueReachMs = 30_000
/** Lines and traces aimed at per question. */
const [aimedLines, aimedTraces] = [2500, 1000]
const [firstPauseMs, longestPauseMs] = [250, 1500]

/** What every check of live traffic knows. */
export interface LiveContext extends RunContext {
  readonly clock: ClockOffset
}

/** All that was seen of one service in a period. */
export interface LiveService {
  readonly counted: Counted
  /** Absent if no instance was scraped twice: then there is no period to judge. */
  readonly seen: Seen | undefined
  readonly attempts: number
  readonly elapsedMs: number
}

export interface Seen {
  readonly edges: Edges
  readonly met: Met
  /** Fields of request lines that are missing or of a wrong type. */
  readonly malformed: Problems
}

/**
 * Reads what a service counted, logged and traced in a period. What was written at its end has until the deadline to
 * arrive: until then all is read again while something is amiss.
 * @param holds whether nothing is amiss
 * @throws BackendError if a backend cannot be asked
 */
export async function gatherLive(
  context: LiveContext,
  service: Service,
  window: Window,
  holds: (found: LiveService) => boolean,
): Promise<LiveService> {
  const { backends, clock, signal } = context
  needFacts(service, 'timestamp')
  const begun = performance.now()
  // The last scrape may be under way, and what is written twice must have had the time for it.
  await pause(Math.max(0, window.to + settleMs - Date.now()), signal)
  const theirs = { from: window.from + clock.ms, to: window.to + clock.ms }
  const series = await backends.prometheus.raw(countedSelector(service), theirs.from - 1, theirs.to, signal)
  const counted = countedIn(series, service, theirs)
  const total = counted.instances.reduce((sum, one) => sum + one.counted, 0)
  const deadline = window.to + pipelineDeadline().ms
  for (let attempts = 1, wait = firstPauseMs; ; attempts += 1, wait = Math.min(wait * 1.5, longestPauseMs)) {
    const askedAt = Date.now()
    const seen = counted.instances.length > 0 ? await see(context, service, counted, total) : undefined
    const found = { counted, seen, attempts, elapsedMs: performance.now() - begun }
    if (seen === undefined || askedAt >= deadline || holds(found)) return found
    await pause(Math.max(0, Math.min(wait, deadline - Date.now())), signal)
  }
}

async function see(
  { backends, clock, signal }: LiveContext,
  service: Service,
  { instances }: Counted,
  total: number,
): Promise<Seen> {
  const edges = edgesOf(instances, clock)
  const [from, to] = [edges.begins.from - marginMs, edges.ends.by + marginMs]
  const meetings = new Meetings()
  const malformed = new Problems()
  let longestMs = 0
  const note = (text: string) => {
    const read = readLogLine(text, service)
    if (read === undefined) return
    const { line, faults } = read
    longestMs = Math.max(longestMs, line.durationMs ?? 0)
    if (line.at === undefined || placeOf(line.at, edges) !== 'outside')
      for (const fault of faults) malformed.add(`${whoIs(line)}: ${fault}`)
    // Without a moment it can't be told whether it belongs here; that it lacks one was said.
    if (line.at !== undefined) meetings.note('lines', { traceId: line.traceId, spanId: line.spanId, at: line.at })
  }
  await backends.loki.eachLine(lineQuery(logsOf(service)), slicesOf(from, to, total / aimedLines), note, signal)
  const source = backends.traces
  const reach = longestMs + (source.can.window === 'span' ? reachMs : queueReachMs)
  const entries = (trace: readonly Span[]) => {
    for (const span of entriesOf(trace, service, source)) {
      const at = span.startedAt + span.durationMs
      if (at >= from && at <= to) meetings.note('spans', { traceId: span.traceId, spanId: span.spanId, at })
    }
  }
  const slices = slicesOf(from - reach, to, total / aimedTraces)
  // A service of which the source of traces never heard is an answer, too: no spans.
  await searchAll(source, tracedAs(service), slices, entries, signal)
  return { edges, met: meetings.met(edges, source.can.raw), malformed }
}

function whoIs({ traceId, at, method, route, status }: LogLine): string {
  if (traceId !== undefined) return traceId
  const when = at === undefined ? '' : ` of ${timeOfDay(at)}`
  return `the line${when} (${[method, route, status].filter((part) => part !== undefined).join(' ')})`
}

/** The spans by which a service takes a request, or a message that it delivers in the end. */
function entriesOf(trace: readonly Span[], service: Service, source: TraceSource): readonly Span[] {
  const { requests } = service
  const name = namedBy(source, tracedAs(service))
  const kind = requests.kind === 'http' ? 'server' : 'consumer'
  const own = trace.filter((span) => span.service === name && span.kind === kind)
  // A delivery that failed is tried again; of those only the last is counted and logged as delivered.
  return requests.kind === 'http' ? own : own.filter(({ error }) => !error)
}

/** A cut answer is thrown away; only the entry spans of the others are kept. */
async function searchAll(
  source: TraceSource,
  service: string,
  slices: readonly Slice[],
  each: (trace: readonly Span[]) => void,
  signal: AbortSignal,
): Promise<void> {
  const limit = Math.min(source.can.limit, 4 * aimedTraces)
  const left = await eachSlice(slices, 1, async ([from, to]) => {
    const held: (readonly Span[])[] = []
    const { cut } = await source.search({ service, from, to, limit }, (trace) => held.push(trace), signal)
    if (cut) return 'cut'
    for (const trace of held) each(trace)
    return 'whole'
  })
  if (left.length > 0)
    throw new BackendError(
      'answer',
      `The source of traces at ${source.url} gives at most ${limit} traces at once, and one millisecond holds more of ${service}: raise its limit.`,
    )
}
