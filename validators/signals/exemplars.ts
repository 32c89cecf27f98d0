import { toleranceInWords, toleranceOf } from '../../lib/clock-readings.ts'
import { eventually } from '../../lib/poll.ts'
import type { Span } from '../../lib/span.ts'
import { isFinal } from '../backends/http.ts'
import { type Exemplar, literal } from '../backends/prometheus.ts'
import { type Asking, concluded, type Outcome } from '../check.ts'
import type { Service } from '../config.ts'
import { pipelineDeadline, present, type ScenarioContext } from '../context.ts'
import { durationOf, jobOf, tracedAs } from '../coverage.ts'
import { missingLedger } from './expected.ts'
import { upperOf } from './histograms.ts'
import { type Look, patience } from './scrapes.ts'

/** Traces looked up at most. */
const sample = 50

const none = 'no exemplar'

/** Do the exemplars of a duration histogram lie in their buckets, and lead to the traces of requests of this run? */
export async function exemplars(context: ScenarioContext, service: Service): Promise<Outcome> {
  const { backends, rollCall, facts, window, signal } = context
  if (!rollCall) return missingLedger(context)
  const { prometheus } = backends
  const metric = durationOf(service)
  const selector = `${metric}_bucket{job=${literal(jobOf(service))}}`
  const from = window.from + facts.clockOffsetMs
  const deadline = pipelineDeadline()
  const { query, ...times } = prometheus.exemplarsQuery(selector, from, window.to + facts.clockOffsetMs + deadline.ms)
  const asking: Asking = {
    expected: `exemplars in their buckets, of requests of this run, whose traces exist (up to ${sample} looked up) and last as long, within ${toleranceInWords}, but for one`,
    window,
    query,
    deadline: deadline.words,
    reproduce: prometheus.client.curl('/api/v1/query_exemplars', { query, ...times }),
  }
  const stored = await storage(context)
  if (stored === 'off') return skipped(asking, 'Prometheus keeps no exemplars: its feature exemplar-storage is off')
  const ask = async (attempt: AbortSignal): Promise<Look> => {
    const now = present(context) + facts.clockOffsetMs
    // A series that did not move still shows the exemplar of an earlier load.
    const found = (await prometheus.exemplars(selector, from, now, attempt)).filter(({ at }) => at >= from)
    if (found.length === 0)
      return { actual: none, problems: [`exemplars are kept, but ${metric} has none in the window`] }
    const series = await prometheus.instantAt(`group by (le) (${selector})`, now, attempt)
    const edges = series.map(({ labels }) => upperOf(labels.le ?? 'NaN')).sort((a, b) => a - b)
    return examined(context, service, found, edges, attempt)
  }
  const polled = await eventually(ask, ({ problems }) => problems.length === 0, {
    withinMs: deadline.ms,
    signal,
    isFinal,
    firstPauseMs: 300,
    ...patience,
    hopeless: ({ hopeless }) => hopeless === true,
  })
  if (stored === 'unknown' && (isFinal(polled.error) || polled.value?.actual === none)) {
    return skipped(asking, 'Prometheus neither has an exemplar nor tells whether it keeps any')
  }
  return concluded(polled, asking)
}

async function storage({ backends, signal }: ScenarioContext): Promise<'on' | 'off' | 'unknown'> {
  try {
    return (await backends.prometheus.storesExemplars(signal)) ? 'on' : 'off'
  } catch (error) {
    // A compatible backend may not tell its flags; one that cannot be reached is another matter.
    if (isFinal(error)) return 'unknown'
    throw error
  }
}

function skipped(asking: Asking, reason: string): Outcome {
  return { verdict: 'skipped', reason, evidence: { ...asking, actual: reason, attempts: 1, elapsedMs: 0 } }
}

async function examined(
  { backends, rollCall, config }: ScenarioContext,
  service: Service,
  found: readonly Exemplar[],
  edges: readonly number[],
  attempt: AbortSignal,
): Promise<Look> {
  const misplaced = found.flatMap(({ series, value }) => {
    const upper = upperOf(series.le ?? 'NaN')
    const lower = edges[edges.indexOf(upper) - 1] ?? Number.NEGATIVE_INFINITY
    return value > lower && value <= upper
      ? []
      : [`an exemplar of ${value} s stands in the bucket (${lower}, ${series.le}]`]
  })
  const named = found.flatMap((exemplar) => {
    const id = traceIdOf(exemplar)
    return id === undefined ? [] : [{ id, ms: exemplar.value * 1000 }]
  })
  const nameless = found.length - named.length
  const stride = Math.max(1, named.length / sample)
  const looked = Array.from({ length: Math.min(sample, named.length) }, (_, n) => named[Math.floor(n * stride)]).filter(
    (one) => one !== undefined,
  )
  const traces = new Map<string, readonly Span[]>()
  const keep = (trace: readonly Span[]) => {
    if (trace[0]) traces.set(trace[0].traceId, trace)
  }
  await backends.traces.lookUp([...new Set(looked.map(({ id }) => id))], keep, attempt)
  const disagreeing: string[] = []
  // A service that observes a request does not know what a tail sampler will keep of it.
  const kept = config.traces.sampling?.by !== 'tail'
  const astray = looked.flatMap(({ id, ms }) => {
    const trace = traces.get(id)
    const known = (rollCall?.roll.place(id) ?? -1) >= 0
    if (!trace && known && !kept) return []
    if (!trace)
      return [`exemplar ${id}: ${known ? 'its trace does not exist' : 'neither sent in this run, nor traced'}`]
    if (!known) return [`exemplar ${id}: not sent in this run, though traced: foreign traffic, or a lost context`]
    const lasted = entries(trace, tracedAs(service)).map(({ durationMs }) => durationMs)
    if (lasted.some((duration) => Math.abs(duration - ms) <= toleranceOf(ms))) return []
    const spans = lasted.map((duration) => `${duration.toFixed(1)} ms`).join(', ') || 'no span'
    disagreeing.push(`exemplar ${id}: ${ms.toFixed(1)} ms observed, ${spans} traced by the service`)
    return []
  })
  // A pause of the process between the two readings hits one request, hardly two of fifty.
  if (disagreeing.length > 1) astray.push(...disagreeing)
  return {
    actual: `${found.length} exemplars, ${traces.size} of ${looked.length} traces found`,
    problems: [
      ...misplaced,
      ...(nameless > 0 ? [`${nameless} of ${found.length} exemplars have no trace_id`] : []),
      ...astray,
    ],
    hopeless: misplaced.length > 0 || nameless > 0,
  }
}

/** The spans by which a service took part: those whose parent is none of its own. */
function entries(trace: readonly Span[], service: string): readonly Span[] {
  const own = trace.filter((span) => span.service === service)
  const ids = new Set(own.map(({ spanId }) => spanId))
  return own.filter(({ parents }) => !parents.some((parent) => ids.has(parent)))
}

/** The trace an exemplar leads to, under the names that are in use. */
function traceIdOf({ labels }: Exemplar): string | undefined {
  return (labels.trace_id ?? labels.traceID ?? labels.traceId ?? labels.TraceID)?.toLowerCase()
}
