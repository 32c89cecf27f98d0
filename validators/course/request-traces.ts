import type { RequestTrace } from '../../lib/course.ts'
import type { Span } from '../../lib/span.ts'
import type { ScenarioContext } from '../context.ts'

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
