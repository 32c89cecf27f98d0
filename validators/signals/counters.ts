import type { Death } from '../../lib/counter.ts'
import { colonRoute } from '../../lib/route.ts'
import { literal, type Series } from '../backends/prometheus.ts'
import { concluded, judged, type Outcome } from '../check.ts'
import type { Service } from '../config.ts'
import type { ScenarioContext } from '../context.ts'
import { counterOf, jobOf, whyUnjudged } from '../coverage.ts'
import { closedByLogs, likelyCause } from './counter-causes.ts'
import {
  blurred,
  compare,
  type Expectation,
  expectedOf,
  inWords,
  keyOf,
  leastOf,
  missingLedger,
  untold,
} from './expected.ts'
import type { Instances, Look, Scrapes } from './scrapes.ts'

/** What a look at the counter found, for the judgement after the last one. */
export interface Counted extends Look {
  /** By method, route and status, as `keyOf` writes them. */
  readonly counted: ReadonlyMap<string, number>
  readonly deaths: ReadonlyMap<string, readonly Death[]>
  readonly instances: Instances
}

/** Did the service count exactly what it was sent? After a restart: but for what the restart lost, closed by the logs. */
export async function requestCount(
  context: ScenarioContext,
  scrapes: Scrapes,
  name: string,
  service: Service,
): Promise<Outcome> {
  const { ledger } = context
  if (!ledger) return missingLedger(context)
  // Counters do not know set-up from load; both were sent in the window, and both are known.
  const expectation = expectedOf(ledger, name, service, blurred(service.requests))
  const selector = requestSelector(service)
  let last: Counted | undefined
  const polled = await scrapes.look(async (instances, attempt) => {
    last = count(await scrapes.raw(selector, attempt), scrapes, instances, service, expectation)
    return last
  })
  const asking = scrapes.asking(selector, inWords(expectation))
  const outcome = concluded(polled, asking)
  if (polled.outcome === 'unasked' || last === undefined) return outcome
  context.rollCall?.noteCounted(name, sum(last.counted.values()))
  const restarted = [...last.deaths].filter(([, deaths]) => deaths.length > 0)
  // Logs can close a count, or tell why it is off, only key by key.
  const closable = whyUnjudged(context, name, 'logs') === undefined && ![...expectation.rows.keys()].some(isBlurred)
  if (restarted.length > 0 && closable) {
    const closed = await closedByLogs(context, scrapes, name, service, expectation, last)
    const after = judged(closed, { ...asking, expected: `${asking.expected}; ${closed.band}` }, outcome.evidence)
    return { ...after, evidence: { ...after.evidence, details: closed.notes } }
  }
  if (restarted.length > 0) {
    const note = `${restarted.map(([instance]) => instance).join(', ')} restarted, and no logs tell what was lost with it`
    return { ...outcome, evidence: { ...outcome.evidence, details: [...(outcome.evidence.details ?? []), note] } }
  }
  if (outcome.verdict !== 'failed' || !closable) return outcome
  const cause = await likelyCause(context, name, service, expectation, last)
  if (cause === undefined) return outcome
  const details = [...(outcome.evidence.details ?? []), cause]
  return { ...outcome, reason: `${outcome.reason}: ${cause}`, evidence: { ...outcome.evidence, details } }
}

/**
 * Does the counter stand still after the load? Once all that was sent is counted, another scrape of every instance must
 * show the same. Movement before the window is told, not judged: it may be what an earlier load left to do, and what is
 * counted in the window is counted from the last scrape before it.
 */
export async function quietEdges(
  context: ScenarioContext,
  scrapes: Scrapes,
  name: string,
  service: Service,
): Promise<Outcome> {
  const { ledger } = context
  if (!ledger) return missingLedger(context)
  const expectation = expectedOf(ledger, name, service, blurred(service.requests))
  const { rows, unsure } = expectation
  const least = leastOf(expectation)
  const most = [...rows.values()].reduce((sum, { max }) => sum + max, 0) + sum(unsure.values())
  const expected = `no movement once ${least === most ? least : `${least} to ${most}`} are counted, for another scrape of each instance`
  const selector = `{job=${literal(scrapes.job)},__name__=~${literal(`${counterOf(service)}|up`)}}`
  let last: Movement | undefined
  const polled = await scrapes.look(async (instances, attempt) => {
    last = movement(await scrapes.raw(selector, attempt), scrapes, instances, service, { least, most })
    return last.settled || last.problems.length > 0
      ? last
      : { ...last, problems: ['not yet all counted and scraped again'] }
  })
  const asking = scrapes.asking(selector, expected)
  if (polled.outcome !== 'broken' || last === undefined || !last.quiet) return concluded(polled, asking)
  // A count that stays short is the affair of request-count; here it is enough that it stands still.
  return judged(last, asking, polled)
}

/** True for the routes that the config leaves to scrapes and probes. */
function isIgnored(requests: Service['requests'], labels: Series['labels']): boolean {
  if (requests.kind === 'queue' || requests.route === false) return false
  return requests.ignore?.includes(labels[requests.route] ?? '') ?? false
}

function isBlurred(key: string): boolean {
  return key.split(' ').includes(untold)
}

/** The series that count a service's requests, or its consumer's deliveries. */
function requestSelector(service: Service): string {
  const { requests } = service
  const matchers =
    requests.kind === 'queue'
      ? Object.entries(requests.matchers).map(([key, value]) => `,${key}=${literal(value)}`)
      : []
  return `${counterOf(service)}{job=${literal(jobOf(service))}${matchers.join('')}}`
}

function matches({ requests }: Service, labels: Series['labels']): boolean {
  if (labels.__name__ !== requests.metric || isIgnored(requests, labels)) return false
  return requests.kind === 'http' || Object.entries(requests.matchers).every(([key, value]) => labels[key] === value)
}

function count(
  series: readonly Series[],
  scrapes: Scrapes,
  instances: Instances,
  service: Service,
  expectation: Expectation,
): Counted {
  const { requests } = service
  const counted = new Map<string, number>()
  const deaths = new Map([...instances].map(([name, one]) => [name, [...one.deaths]]))
  const unknown: string[] = []
  for (const one of series) {
    const { labels } = one
    if (isIgnored(requests, labels)) continue
    const label = (of: 'method' | 'route' | 'status') => {
      if (requests.kind === 'queue') return ''
      const known = requests[of]
      const value = known === false ? untold : (labels[known] ?? '?')
      return of === 'route' ? colonRoute(value) : value
    }
    const key = keyOf(service, label('method'), label('route'), label('status'))
    const grew = scrapes.growth(instances, one)
    if (!grew.known) {
      unknown.push(`${key}: ${grew.why}`)
      continue
    }
    if (grew.growth > 0) counted.set(key, (counted.get(key) ?? 0) + grew.growth)
    const known = deaths.get(labels.instance ?? '') ?? []
    known.push(...grew.deaths.filter(({ after }) => !known.some((death) => death.after === after)))
  }
  const finding = compare(expectation, counted, 'counted')
  return { ...finding, problems: [...unknown, ...finding.problems], counted, deaths, instances }
}

interface Movement extends Look {
  /** True once all is counted and every instance was scraped again. */
  readonly settled: boolean
  /** True if the last scrape of every instance showed what the one before it did. */
  readonly quiet: boolean
}

/** @param series the counter's and `up` */
function movement(
  series: readonly Series[],
  scrapes: Scrapes,
  instances: Instances,
  service: Service,
  { least, most }: { readonly least: number; readonly most: number },
): Movement {
  const counters = series.filter(({ labels }) => matches(service, labels))
  const grown = (of: readonly Series[], to = Number.POSITIVE_INFINITY) =>
    sum(
      of.map((one) => {
        const samples = one.samples.filter(({ at }) => at <= to)
        const grew = samples.length > 0 ? scrapes.growth(instances, { ...one, samples }) : undefined
        return grew?.known ? grew.growth : 0
      }),
    )
  const targets = [...instances.keys()].map((name) => ({
    name,
    own: counters.filter(({ labels }) => labels.instance === name),
    after: series
      .filter(({ labels }) => labels.__name__ === 'up' && labels.instance === name)
      .flatMap(({ samples }) =>
        samples.filter(({ at, value }) => at > scrapes.until && value === 1).map(({ at }) => at),
      ),
  }))
  const moments = [...new Set(targets.flatMap(({ after }) => after))].sort((a, b) => a - b)
  const completeAt = moments.find((at) => grown(counters, at) >= least)
  const total = grown(counters)
  const moved = targets.flatMap(({ name, own }) => {
    const by = completeAt === undefined ? 0 : grown(own) - grown(own, completeAt)
    return by > 0 ? [{ name, by }] : []
  })
  // Where it is not known how many arrived, the last of them may come late.
  const problems = moved
    .filter(() => total > most)
    .map(({ name, by }) => `${name} counted ${by} more after all that was sent was counted: foreign traffic`)
  const then = moved.length === 0 ? 'no movement' : `${sum(moved.map(({ by }) => by))} more`
  return {
    actual: `${completeAt === undefined ? `${total} counted` : `all counted, then ${then}`}; ${earlier(counters, scrapes)} between the last two scrapes before the load`,
    problems,
    empty: moments.length === 0,
    hopeless: problems.length > 0,
    settled: completeAt !== undefined && targets.every(({ after }) => (after.at(-1) ?? 0) > completeAt),
    quiet: targets.every(({ own, after }) => after.length > 1 && grown(own) === grown(own, after.at(-2))),
  }
}

/** By how much the counter moved between the last two scrapes before the window. */
function earlier(series: readonly Series[], { from }: Scrapes): number {
  return sum(
    series.map(({ samples }) => {
      const [one, other] = samples.filter(({ at }) => at <= from).slice(-2)
      return one && other ? Math.max(0, other.value - one.value) : 0
    }),
  )
}

function sum(values: Iterable<number>): number {
  let total = 0
  for (const value of values) total += value
  return total
}
