import { toleranceOf } from '../../lib/clock-readings.ts'
import type { Roll } from '../../lib/roll.ts'
import type { ScenarioFacts } from '../context.ts'
import type { LoggedService } from './logged.ts'
import { Problems } from './problems.ts'
import type { TracedService } from './traced.ts'

/** In what a line and a span of one request may differ. */
interface Difference {
  readonly spans: Problems
  readonly statuses: Problems
  readonly 'span-durations': Problems
}

/** Lines may name a span further inside; of those that do not name the entry so many are looked into, evenly spread. */
const lookedInto = 200

/** Compares the lines and the entry spans of one service, request by request. */
export async function differencesOf(
  { backends, signal }: ScenarioFacts,
  roll: Roll,
  logged: LoggedService,
  traced: TracedService,
): Promise<{ readonly pairs: number; readonly differences: Difference }> {
  const differences = { spans: new Problems(), statuses: new Problems(), 'span-durations': new Problems() }
  const elsewhere: number[] = []
  let pairs = 0
  for (const [place] of roll.places()) {
    const [line, span] = [logged.spanIds[place] ?? 0n, traced.spanIds[place] ?? 0n]
    if ((logged.counts[place] ?? 0) === 0 || span === 0n) continue
    pairs += 1
    // A line that tells no span has been found wanting by logs.fields, if it should.
    if (line !== 0n && line !== span) elsewhere.push(place)
    const [said, traceStatus] = [logged.statuses[place] ?? 0, traced.statuses[place] ?? 0]
    if (said !== 0 && traceStatus !== 0 && said !== traceStatus)
      differences.statuses.add(`${roll.id(place)}: logged ${said}, traced ${traceStatus}`)
    const [one, other] = [logged.durationsMs[place] ?? Number.NaN, traced.durationsMs[place] ?? Number.NaN]
    if (Math.abs(one - other) > toleranceOf(Math.max(one, other)))
      differences['span-durations'].add(`${roll.id(place)}: logged ${one.toFixed(1)} ms, traced ${other.toFixed(1)} ms`)
  }
  const spansOf = new Map<string, Set<string>>()
  const stride = Math.max(1, Math.ceil(elsewhere.length / lookedInto))
  const asked = elsewhere.filter((_, index) => index % stride === 0)
  await backends.traces.lookUp(
    asked.map((place) => roll.id(place)),
    (trace) => {
      const [first] = trace
      if (first) spansOf.set(first.traceId, new Set(trace.map(({ spanId }) => spanId)))
    },
    signal,
  )
  for (const place of asked) {
    const id = roll.id(place)
    const named = (logged.spanIds[place] ?? 0n).toString(16).padStart(16, '0')
    const spans = spansOf.get(id)
    if (!spans?.has(named))
      differences.spans.add(`${id}: the line names the span ${named}, which the trace does not have`)
  }
  return { pairs, differences }
}
