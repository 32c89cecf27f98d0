import type { Death } from '../../lib/counter.ts'
import { hex8 } from '../../lib/trace-id.ts'
import { literal } from '../backends/prometheus.ts'
import type { Finding } from '../check.ts'
import type { Service } from '../config.ts'
import { present, type ScenarioContext } from '../context.ts'
import { counterOf, logsOf } from '../coverage.ts'
import { lineQuery, nameOf, tells } from '../log-format.ts'
import { requestLines } from '../roll-call/logged.ts'
import type { Counted } from './counters.ts'
import type { Expectation } from './expected.ts'
import { clock, type Scrapes } from './scrapes.ts'

/** How far the clocks of Prometheus and of a service may differ when lines are counted in the time around a restart. */
const clockSlackMs = 250

/**
 * Judges a count after restarts. What a process counted between its last scrape and its end is lost for ever; its log
 * lines are not. So they must close the count key by key, and no more can be lost than they name in that time.
 */
export async function closedByLogs(
  context: ScenarioContext,
  scrapes: Scrapes,
  name: string,
  service: Service,
  { rows }: Expectation,
  { actual, problems, counted, deaths, hopeless }: Counted,
): Promise<Finding & { readonly band: string; readonly notes: readonly string[] }> {
  const gaps = [...deaths].flatMap(([instance, own]) => own.map((death) => ({ instance, ...death })))
  const restarts = gaps.map(
    ({ instance, after, by }) => `${instance} was restarted between ${clock(after)} (its last scrape) and ${clock(by)}`,
  )
  const lost = [...rows].flatMap(([key, { min }]) => {
    const seen = counted.get(key) ?? 0
    return seen < min ? [{ key, min, seen, short: min - seen }] : []
  })
  const total = lost.reduce((sum, { short }) => sum + short, 0)
  const unexplained = problems.length > lost.length
  if (total === 0 || unexplained || hopeless || !context.rollCall) {
    const note = total === 0 ? 'nothing was lost' : `${total} increments are missing`
    return {
      actual: `${actual}; ${restarts.join('; ')}: ${note}`,
      problems,
      band: 'restarts lose nothing',
      notes: restarts,
    }
  }
  const { counted: logged } = await context.rollCall.logged(name)
  const most = await linesIn(context, service, gaps)
  const open = lost.filter(({ key, min }) => (logged.get(key) ?? 0) < min)
  const band = `restarts lose at most the ${most} requests that were logged between a last scrape and the end`
  const note = `${restarts.join('; ')}: ${total} increments are lost, ${open.length === 0 ? 'logs name them' : 'logs do not name them all'}`
  return {
    actual: `${actual}; ${note}`,
    problems: [
      ...open.map(
        ({ key, min, seen }) =>
          `${key}: ${min} sent, ${seen} counted, ${logged.get(key) ?? 0} logged: the restart alone does not explain it`,
      ),
      ...(total > most
        ? [`${total} increments are missing, but only ${most} requests were logged while a restart could lose them`]
        : []),
    ],
    band,
    notes: [
      ...restarts,
      ...lost.map(
        ({ key, min, seen, short }) =>
          `${key}: ${min} sent, ${seen} counted, ${logged.get(key) ?? 0} logged: ${short} lost`,
      ),
    ],
  }

  async function linesIn({ backends, facts, signal, runId }: ScenarioContext, of: Service, when: readonly Death[]) {
    const ours = (at: number) => at - facts.clockOffsetMs
    let lines = 0
    for (const [from, to] of merged(
      when.map(({ after, by }) => [ours(after) - clockSlackMs, ours(by) + clockSlackMs]),
    )) {
      const rows = await backends.loki.count(requestLines(of, runId), [], from, Math.min(to, ours(scrapes.now)), signal)
      lines += rows.reduce((sum, row) => sum + row.count, 0)
    }
    return lines
  }
}

/**
 * Why the counter is likely off, by what the logs say of the same requests; undefined if they say nothing, or cannot be
 * asked: a cause is help, not evidence.
 */
export async function likelyCause(
  context: ScenarioContext,
  name: string,
  service: Service,
  { rows }: Expectation,
  { counted, instances }: Counted,
): Promise<string | undefined> {
  const { rollCall } = context
  if (!rollCall) return undefined
  const surplus = [...counted].flatMap(([key, seen]) => {
    const more = seen - (rows.get(key)?.max ?? 0)
    return more > 0 ? [{ key, more }] : []
  })
  const short = [...rows].filter(([key, { min }]) => (counted.get(key) ?? 0) < min)
  try {
    if (surplus.length > 0 && short.length === 0) {
      const foreign = await foreignLines(context, service)
      if (surplus.every(({ key, more }) => (foreign.get(key) ?? 0) >= more)) {
        return 'foreign traffic, not the service: as many requests were logged that bear no id of this run'
      }
    }
    const { counted: logged } = await rollCall.logged(name)
    const away = [...rows].filter(([key, { min }]) => (logged.get(key) ?? 0) < min)
    if (short.length > 0 && away.length === 0) {
      const writers = await instancesInLogs(context, service)
      if (writers.length > instances.size) {
        return `likely the scrape job: ${writers.join(', ')} wrote logs, but Prometheus scrapes ${[...instances.keys()].join(', ')} alone`
      }
    }
    if (away.length === 0) return 'likely the service: its logs name exactly what was sent'
    return short.length > 0
      ? 'likely the service never saw them all, or lost them: they are not all logged either'
      : undefined
  } catch {
    context.signal.throwIfAborted()
    return undefined
  }
}

/** Requests in the window whose lines do not bear the run's id, by method, route and status; empty: lines do not tell these. */
async function foreignLines(context: ScenarioContext, service: Service): Promise<ReadonlyMap<string, number>> {
  const { backends, window, signal, runId } = context
  const logs = logsOf(service)
  const http = service.requests.kind === 'http'
  const facts = ['message', ...(http ? (['method', 'route', 'status'] as const) : [])] as const
  if (typeof logs.format === 'object' || !facts.every((fact) => tells(logs, fact))) return new Map()
  const extracted = facts.map((fact) => `m_${fact}=${literal(nameOf(logs, fact) ?? fact)}`).join(', ')
  const pipeline = `${lineQuery(logs)} != ${literal(hex8(runId))} | ${logs.format} ${extracted} | m_message=${literal(logs.message ?? '')}`
  const by = facts.slice(1).map((fact) => `m_${fact}`)
  const answer = await backends.loki.count(pipeline, by, window.from, present(context), signal)
  return new Map(
    answer.map(({ labels, count }) => [
      http ? `${labels.m_method} ${labels.m_route} ${labels.m_status}` : counterOf(service),
      count,
    ]),
  )
}

/** The instances that wrote request lines in this run, if the lines are labelled with them. */
async function instancesInLogs(context: ScenarioContext, service: Service): Promise<string[]> {
  const { backends, window, signal, runId } = context
  const label = 'service_instance_id'
  const lines = requestLines(service, runId)
  const answer = await backends.loki.count(lines, [label], window.from, present(context), signal)
  return answer.flatMap(({ labels }) => labels[label] ?? []).sort()
}

/** Overlapping periods made one. */
function merged(periods: readonly (readonly [number, number])[]): (readonly [number, number])[] {
  const union: [number, number][] = []
  for (const [from, to] of [...periods].sort(([a], [b]) => a - b)) {
    const last = union.at(-1)
    if (last && from <= last[1]) last[1] = Math.max(last[1], to)
    else union.push([from, to])
  }
  return union
}
