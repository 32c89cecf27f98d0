import type { Window } from '../../lib/verdict.ts'
import { type Asking, type Check, type Finding, judged } from '../check.ts'
import type { Service } from '../config.ts'
import { pipelineDeadline } from '../context.ts'
import { logsOf, tracedAs, unlessAbsent, whyUnjudged } from '../coverage.ts'
import { lineQuery } from '../log-format.ts'
import { countedSelector } from './counted.ts'
import { bandOf, countedLogged, type Judge, lines, loggedTraced, loggedTracedWords, totalOf } from './findings.ts'
import { gatherLive, type LiveContext, type LiveService } from './gather.ts'
import type { Told } from './meetings.ts'

/** What one service came to, for the table. */
export interface LiveRow {
  readonly service: string
  /** Of single instances only the counter is known. */
  readonly instances: readonly { readonly name: string; readonly counted: number }[]
  readonly counted: number
  readonly logged: Told
  readonly traced: Told
  /** What the counter may show, by the lines. */
  readonly band: readonly [number, number]
  /** Lines without span and spans without line; lines and spans that were written more than once. */
  readonly missing: number
  readonly doubled: number
}

/** Live traffic of a period: every check, and the table once they were put. */
export interface LiveTraffic {
  readonly checks: readonly Check[]
  /** A row per service that could be asked and was. */
  rows(): Promise<LiveRow[]>
}

/** The questions that are put to traffic that muster did not send. Services are read one after the other, each once. */
export function liveTraffic(context: LiveContext, window: Window): LiveTraffic {
  const reading = new Map<string, Promise<LiveService>>()
  let before: Promise<unknown> = Promise.resolve()
  const read = (name: string, service: Service): Promise<LiveService> => {
    const known = reading.get(name)
    if (known !== undefined) return known
    const holds = (found: LiveService) => judges.every((judge) => isGreen(judge(found, context)))
    const own = before.then(() => gatherLive(context, service, window, holds))
    before = own.catch(() => undefined)
    reading.set(name, own)
    return own
  }
  const checks = Object.entries(context.config.services).flatMap(([name, service]): Check[] => {
    const check = (id: string, title: string, judge: Judge, expected: string): Check => ({
      id: `live.${id}.${name}`,
      title,
      signal: 'joined',
      run: async () => {
        const found = await read(name, service)
        return judged(judge(found, context), askingOf(context, window, service, expected), found)
      },
    })
    return [
      ...unlessAbsent(whyUncounted(context, name, service), [
        check('counted-logged', `${name} counted as many requests as it logged`, countedLogged, 'counted = logged'),
        check(
          'logged-traced',
          `every request that ${name} logged is traced, and the other way round`,
          loggedTraced,
          loggedTracedWords(context),
        ),
        check(
          'lines',
          `${name} wrote one whole line per request`,
          lines,
          'each request line once, with trace id, span id, level and moment',
        ),
      ]),
    ]
  })
  const sampled = context.config.traces.sampling !== undefined
  const rows = async () => {
    const settled = await Promise.all(
      [...reading].map(async ([name, own]) => rowOf(name, await own.catch(() => undefined), sampled)),
    )
    return settled.filter((row) => row !== undefined)
  }
  return { checks, rows }
}

/** Traffic that nobody announced is known by its signals alone: each is held against the others. */
function whyUncounted(context: LiveContext, name: string, { requests }: Service): string | undefined {
  const uncounted = requests.metric === undefined ? `services.${name}.requests names no metric` : undefined
  return whyUnjudged(context, name, 'metrics', 'logs', 'traces') ?? uncounted
}

const judges: readonly Judge[] = [countedLogged, loggedTraced, lines]

function isGreen({ problems, empty }: Finding): boolean {
  return problems.length === 0 && !empty
}

function askingOf({ backends, clock }: LiveContext, window: Window, service: Service, expected: string): Asking {
  const { prometheus } = backends
  const { from, to } = window
  const { query, time } = prometheus.rawQuery(countedSelector(service), from + clock.ms - 1, to + clock.ms)
  return {
    expected,
    window,
    query: `${query}; ${lineQuery(logsOf(service))}; traces of ${tracedAs(service)}`,
    deadline: `${pipelineDeadline().words} after the period`,
    reproduce: prometheus.client.curl('/api/v1/query', { query, time }),
  }
}

function rowOf(service: string, found: LiveService | undefined, sampled: boolean): LiveRow | undefined {
  if (found?.seen === undefined) return undefined
  const { counted, seen } = found
  const { logged, traced, untraced, unlogged, doubledLines, doubledSpans } = seen.met
  return {
    service,
    instances: counted.instances.map(({ name, counted: own }) => ({ name, counted: own })),
    counted: totalOf(counted),
    logged,
    traced,
    band: bandOf(counted, seen),
    missing: (sampled ? 0 : untraced.count) + unlogged.count,
    doubled: doubledLines.count + doubledSpans.count,
  }
}
