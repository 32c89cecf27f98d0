import type { RequestTrace } from '../../lib/course.ts'
import type { Span } from '../../lib/span.ts'
import type { Window } from '../../lib/verdict.ts'
import { namedBy } from '../backends/trace-source.ts'
import type { RunContext, ScenarioContext } from '../context.ts'

/** A trace that is drawn may have so many spans; a runaway one would drown the report. */
const keptSpans = 500

/** The place in the roll of a request worth looking at, with the figure by which it was chosen. */
interface Chosen {
  readonly why: RequestTrace['why']
  readonly place: number
  readonly figure: number
}

/**
 * The slowest and, if there is one, a failed request of a scenario, with their spans. Chosen among what the roll call has
 * read already, by the span with which the request entered its first service.
 */
export async function requestTraces(context: ScenarioContext, signal: AbortSignal): Promise<RequestTrace[]> {
  const { rollCall, backends, scenario } = context
  const traced = await rollCall?.tracedSoFar()
  if (rollCall === undefined || traced === undefined) return []
  const chosen = new Map<RequestTrace['why'], Chosen>()
  const choose = (one: Chosen) => {
    if (one.figure > (chosen.get(one.why)?.figure ?? 0)) chosen.set(one.why, one)
  }
  for (const [place, { declared }] of rollCall.roll.places()) {
    const entered = traced.services.get(declared.services[0] ?? '')
    const lasted = entered?.durationsMs[place] ?? Number.NaN
    if (entered === undefined || Number.isNaN(lasted)) continue
    choose({ why: 'slowest', place, figure: lasted })
    if ((entered.statuses[place] ?? 0) >= 500 && declared.status < 500) choose({ why: 'failed', place, figure: lasted })
  }
  const ids = new Map([...chosen.values()].map(({ why, place }) => [why, rollCall.roll.id(place)]))
  const found = new Map<string, readonly Span[]>()
  await backends.traces.lookUp([...new Set(ids.values())], (trace) => found.set(trace[0]?.traceId ?? '', trace), signal)
  return [...ids].flatMap(([why, traceId]): RequestTrace[] => {
    const spans = found.get(traceId)
    return spans ? [{ why, scenario: scenario.name, traceId, spans: spans.slice(0, keptSpans) }] : []
  })
}

/** A few traces of the time of a fault hold a failed one; more would only cost the backend. */
const searched = 100

/** A request that a service answered with an error in a window: one of the first that the backend finds, if there is any. */
export async function failedTrace(
  { backends, config }: Pick<RunContext, 'backends' | 'config'>,
  { service, window, where }: { readonly service: string; readonly window: Window; readonly where: string },
  signal: AbortSignal,
): Promise<RequestTrace | undefined> {
  const { traces } = backends
  const name = namedBy(traces, config.services[service]?.traces?.service ?? service)
  const query = { service: name, ...window, limit: Math.min(searched, traces.can.limit) }
  let found: readonly Span[] | undefined
  const each = (trace: readonly Span[]) => {
    if (trace.some((span) => span.service === name && span.error)) found ??= trace
  }
  await traces.search(query, each, signal)
  const [first] = found ?? []
  return first && { why: 'failed', scenario: where, traceId: first.traceId, spans: found?.slice(0, keptSpans) ?? [] }
}
