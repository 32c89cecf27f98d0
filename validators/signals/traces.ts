import type { SentId } from '../../lib/ledger.ts'
import { eventually } from '../../lib/poll.ts'
import { decodeTraceId, parentId } from '../../lib/trace-id.ts'
import { isFinal } from '../backends/http.ts'
import type { Span } from '../backends/jaeger.ts'
import { type Check, concluded, type Finding, type Outcome } from '../check.ts'
import { pipelineDeadline, type ScenarioContext } from '../context.ts'
import { missingLedger, sampleIds } from './expected.ts'

/** Traces asked for at once; answers are held in memory. */
const batch = 50

/** Checks on a sample of the traces of a scenario's requests. */
export function tracesChecks(context: ScenarioContext): Check[] {
  const scenario = context.scenario.name
  const check = (id: string, title: string, examine: Examine): Check => ({
    id: `traces.${id}`,
    title,
    signal: 'traces',
    scenario,
    run: () => sampled(context, title, examine),
  })
  const queues = Object.entries(context.config.services)
    .filter(([, { requests }]) => requests.kind === 'queue')
    .map(([name, { traces }]) => [name, traces.service] as const)
  return [
    check('services', 'every sampled trace reached every promised service', (spans, { services: promised }) => {
      const seen = new Set(spans.map(({ service }) => service))
      return promised
        .filter((name) => !seen.has(context.config.services[name]?.traces.service ?? name))
        .map((name) => `no span of ${name}`)
    }),
    check('tree', 'every sampled trace is one tree under the announced parent', (spans, _sent, announced) => {
      const ids = new Set(spans.map(({ spanId }) => spanId))
      const roots = spans.filter(({ parents }) => parents.length === 0 || parents.includes(announced))
      const orphans = spans.filter(
        ({ parents }) => parents.length > 0 && !parents.some((parent) => parent === announced || ids.has(parent)),
      )
      const strange = roots.filter(({ parents }) => !parents.includes(announced))
      return [
        ...(spans.length > 0 && roots.length !== 1 ? [`${roots.length} roots`] : []),
        ...strange.map(({ service, operation }) => `${service} "${operation}" ignored the announced parent`),
        ...orphans.map(({ service, operation }) => `${service} "${operation}" has a parent that is not in the trace`),
        ...(ids.size < spans.length ? [`${spans.length - ids.size} doubled spans`] : []),
      ]
    }),
    check('spans', 'every sampled trace has as many spans as its step promises', (spans, { spans: promised, step }) => {
      if (promised === undefined) return undefined
      return spans.length === promised ? [] : [`${spans.length} spans instead of ${promised} (${step})`]
    }),
    ...queues.map(([name, service]) =>
      check(
        `queue.${name}`,
        `work handed to ${name} is connected across the queue`,
        (spans, { services: promised }) => {
          if (!promised.includes(name)) return undefined
          const byId = new Map(spans.map((span) => [span.spanId, span]))
          const entries = spans.filter(
            (span) => span.service === service && !span.parents.some((parent) => byId.get(parent)?.service === service),
          )
          if (entries.length === 0) return [`${name} is not connected: none of its spans is in the trace`]
          return entries
            .filter(({ parents }) => !parents.some((parent) => byId.has(parent)))
            .map(({ operation }) => `"${operation}" has no producer in the trace`)
        },
      ),
    ),
  ]
}

/** What is wrong with one trace; undefined if the question does not apply to it. */
type Examine = (spans: readonly Span[], sent: SentId, announced: string) => string[] | undefined

async function sampled(context: ScenarioContext, expected: string, examine: Examine): Promise<Outcome> {
  const { ledger, backends, config, signal, window } = context
  if (!ledger) return missingLedger(context)
  const wanted = sampleIds(ledger, config.traces.sample)
  const good = new Set<string>()
  const deadline = pipelineDeadline()
  let applicable = 0
  const ask = async (attempt: AbortSignal): Promise<Finding> => {
    const problems: string[] = []
    const open = wanted.filter(({ id }) => !good.has(id))
    for (let at = 0; at < open.length; at += batch) {
      const slice = open.slice(at, at + batch)
      const found = await backends.jaeger.traces(
        slice.map(({ id }) => id),
        attempt,
      )
      for (const sent of slice) {
        const { id } = sent
        const origin = decodeTraceId(id)
        const spans = found.get(id) ?? []
        const wrong = origin ? examine(spans, sent, parentId(origin)) : ['its id is not of muster']
        if (wrong === undefined) good.add(id)
        else if (spans.length === 0) problems.push(`${id}: not found`)
        else if (wrong.length > 0) problems.push(`${id}: ${wrong.join(', ')}`)
        else {
          good.add(id)
          applicable += 1
        }
      }
    }
    return {
      actual: `${applicable} traces are right, ${problems.length} are not, of ${wanted.length}`,
      problems,
      empty: wanted.length === 0,
    }
  }
  const polled = await eventually(ask, ({ problems, empty }) => problems.length === 0 && !empty, {
    withinMs: deadline.ms,
    signal,
    isFinal,
    firstPauseMs: 200,
    attemptMs: 10_000,
  })
  const firstBad = polled.value?.problems[0]?.slice(0, 32) ?? wanted[0]?.id
  const outcome = concluded(polled, {
    expected: `${expected}, of ${wanted.length} sampled`,
    window,
    query: firstBad ? `/api/traces/${firstBad}?raw=true` : '/api/traces',
    deadline: deadline.words,
    ...(firstBad
      ? {
          reproduce: backends.jaeger.client.curl(`/api/traces/${firstBad}`, { raw: 'true' }),
          ...backends.jaeger.client.link(`/trace/${firstBad}`),
        }
      : {}),
  })
  // A sample in which the question never applied proves nothing; the scenario may simply have no such step.
  if (outcome.verdict === 'passed' && applicable === 0) {
    return { ...outcome, verdict: 'skipped', reason: 'no step of this scenario makes such a trace' }
  }
  return outcome
}
