import { formatDuration, parseDuration } from '../../lib/duration.ts'
import { type Freshness, freshnessOf, type Scrape, type Sighting, scrapedAfter } from '../../lib/freshness.ts'
import { eventually } from '../../lib/poll.ts'
import { sentinelInstance, traceId } from '../../lib/trace-id.ts'
import { isFinal } from '../backends/http.ts'
import { literal, type Series } from '../backends/prometheus.ts'
import { type Asking, type Check, concluded, type Finding, judged, type Outcome } from '../check.ts'
import { pipelineDeadline, present, type ScenarioContext, type SentinelRun, scrapeDeadline } from '../context.ts'
import { whyUnjudged } from '../coverage.ts'

type MeasuredSignal = 'metrics' | 'logs' | 'traces'

/** Checks on how soon the requests of muster's own sentinel could be found while the load ran. */
export function freshnessChecks(context: ScenarioContext): Check[] {
  const check = (signal: MeasuredSignal, title: string, run: Measure): Check => ({
    id: `${signal}.freshness`,
    title,
    signal,
    scenario: context.scenario.name,
    run: async () => {
      const { freshness } = context.config
      const { sentinel } = context
      const reasons = Object.keys(context.config.services).map((name) => whyUnjudged(context, name, signal))
      if (!reasons.includes(undefined)) return skipped(context, reasons[0] ?? 'no service is judged in it')
      if (freshness === undefined) return skipped(context, 'the config has no freshness section: no sentinel was sent')
      if (signal === 'traces' && context.config.traces.sampling !== undefined)
        return skipped(context, 'the services decide what is traced: nobody knows which request must be found')
      if (sentinel !== undefined) return run(context, sentinel, freshness.p95[signal])
      if (context.horizon !== undefined) return skipped(context, 'the run was made without a sentinel')
      return unanswered(context, 'no sentinel was sent, since k6 did not start')
    },
  })
  return [
    check('metrics', 'a request is counted in time while the load runs', scraped),
    check('logs', 'a request can be found in the logs in time while the load runs', observed('logs')),
    check('traces', 'a request can be found in the traces in time while the load runs', observed('traces')),
  ]
}

/**
 * By service, milliseconds until 19 of 20 sentinel requests could be found in logs and traces; Infinity if fewer ever were.
 * Empty if nothing was measured.
 */
export async function freshnessByService({ sentinel }: ScenarioContext): Promise<ReadonlyMap<string, number>> {
  if (sentinel === undefined) return new Map()
  const { logs, traces } = await sentinel.observed
  return new Map(byService([...logs.sightings, ...traces.sightings]).map(([service, { p95 }]) => [service, p95]))
}

type Measure = (context: ScenarioContext, sentinel: SentinelRun, limit: string) => Promise<Outcome>

const observed =
  (signal: 'logs' | 'traces'): Measure =>
  async (context, sentinel, limit) => {
    const { sightings, looks, error } = (await sentinel.observed)[signal]
    if (error !== undefined) throw new Error(error)
    if (sightings.length === 0) return unanswered(context, 'no request of the sentinel was answered as declared')
    const finding = findingOf(sightings, limit, looks)
    const worst = sightings.reduce((late, one) => (lateness(one) > lateness(late) ? one : late))
    const asking = { ...askingOf(context, limit), ...reproduction(context, signal, worst) }
    const outcome = withServices(judged(finding, { ...asking, deadline: pipelineDeadline().words }), sightings)
    if (context.horizon === undefined) return outcome
    const reason = 'it is measured while the load runs; the figures are those of the run'
    return { ...outcome, verdict: 'skipped', reason }
  }

function reproduction(context: ScenarioContext, signal: 'logs' | 'traces', { service, traceId: id }: Sighting) {
  const { loki, traces } = context.backends
  if (signal === 'traces') return traces.reproduce(id)
  const selector = context.config.services[service]?.logs?.selector ?? '{}'
  const query = `${selector} |= ${literal(id)}`
  const { from, to } = context.window
  const range = { start: `${Math.round(from)}000000`, end: `${Math.round(to + pipelineDeadline().ms)}000000` }
  return { query, reproduce: loki.client.curl('/loki/api/v1/query_range', { query, ...range }) }
}

/** The sentinel's requests that were answered as declared, until scraped in each service of their step. */
export async function metricSightings(
  context: ScenarioContext,
  { requests, number: scenario }: Pick<SentinelRun, 'requests' | 'number'>,
  signal: AbortSignal,
): Promise<Sighting[]> {
  const answered = requests.filter(({ status, declared }) => status === declared.status)
  const scrapedOf = (names: readonly string[]) =>
    names.filter((name) => whyUnjudged(context, name, 'metrics') === undefined)
  const services = scrapedOf([...new Set(answered.flatMap(({ declared }) => declared.services))])
  const { clockOffsetMs } = context.facts
  const [from, to] = [context.window.from + clockOffsetMs, present(context) + clockOffsetMs]
  const found = await Promise.all(
    services.map(async (service) => {
      const series = await context.backends.prometheus.raw(scrapesSelector(context, service), from, to, signal)
      return [service, scrapesOf(series, clockOffsetMs)] as const
    }),
  )
  const scrapes = new Map(found)
  return answered.flatMap(({ declared, number: step, repetition, iteration, answeredAt }) => {
    const origin = { run: context.runId, instance: sentinelInstance, scenario, step, repetition, iteration }
    return scrapedOf(declared.services).map((service): Sighting => {
      const afterMs = scrapedAfter(answeredAt, scrapes.get(service) ?? [])
      return { traceId: traceId(origin), service, resolutionMs: 0, ...(afterMs === undefined ? {} : { afterMs }) }
    })
  })
}

function scrapesSelector({ config }: ScenarioContext, service: string): string {
  return `{__name__=~"up|scrape_duration_seconds",job=${literal(config.services[service]?.job ?? service)}}`
}

/** Scrapes leave timestamps, so nothing is asked while the load runs. */
async function scraped(context: ScenarioContext, sentinel: SentinelRun, limit: string): Promise<Outcome> {
  const { prometheus } = context.backends
  const answered = sentinel.requests.filter(({ status, declared }) => status === declared.status)
  if (answered.length === 0) return unanswered(context, 'no request of the sentinel was answered as declared')
  const [service = ''] = answered
    .flatMap(({ declared }) => declared.services)
    .filter((name) => whyUnjudged(context, name, 'metrics') === undefined)
  let sightings: Sighting[] = []
  const ask = async (attempt: AbortSignal): Promise<Finding> => {
    sightings = await metricSightings(context, sentinel, attempt)
    return findingOf(sightings, limit)
  }
  const deadline = scrapeDeadline(context.facts)
  const all = () => sightings.every(({ afterMs }) => afterMs !== undefined)
  const polled = await eventually(ask, all, {
    withinMs: context.horizon === undefined ? deadline.ms : 0,
    signal: context.signal,
    isFinal,
    firstPauseMs: 200,
  })
  const { query, time } = prometheus.rawQuery(
    scrapesSelector(context, service),
    context.window.from + context.facts.clockOffsetMs,
    context.window.to + deadline.ms,
  )
  const asking = { ...askingOf(context, limit), query, deadline: deadline.words }
  const reproduce = prometheus.client.curl('/api/v1/query', { query, time })
  if (polled.outcome === 'unasked' || !polled.value) return concluded(polled, { ...asking, reproduce })
  return withServices(judged(polled.value, { ...asking, reproduce }, polled), sightings)
}

/** By instance, the scrapes that succeeded, oldest first, on muster's clock. */
function scrapesOf(series: readonly Series[], clockOffsetMs: number): Scrape[][] {
  return series
    .filter(({ labels }) => labels.__name__ === 'up')
    .map(({ labels, samples }) => {
      const durations = series.find(
        (one) => one.labels.__name__ === 'scrape_duration_seconds' && one.labels.instance === labels.instance,
      )
      const seconds = new Map(durations?.samples.map(({ at, value }) => [at, value]))
      return samples
        .filter(({ value }) => value === 1)
        .map(({ at }) => {
          const begun = at - clockOffsetMs
          return { from: begun, to: begun + (seconds.get(at) ?? 0) * 1000 }
        })
    })
}

function findingOf(sightings: readonly Sighting[], limit: string, looks?: number): Finding {
  const figures = freshnessOf(sightings)
  if (figures === undefined) return { actual: 'no answered request', problems: [], empty: true }
  const { count, missing, p95, resolutionMs } = figures
  const requests = new Set(sightings.map((one) => one.traceId)).size
  const late = p95 > (parseDuration(limit) ?? 0)
  const lost = sightings.filter(({ afterMs }) => afterMs === undefined)
  const precision =
    looks === undefined ? 'by timestamp of the scrapes' : `within ${words(resolutionMs)}, ${looks} looks`
  return {
    actual: `${inWords(figures)}; ${requestsInWords(requests)}, found in ${count - missing} of ${count} places, ${precision}`,
    problems: [
      ...(late && p95 !== Number.POSITIVE_INFINITY ? [`p95 is ${words(p95)}, more than ${limit}`] : []),
      ...(missing > 0 ? [`never found: ${missing} of ${count}`] : []),
      ...lost.map(({ traceId: id, service }) => `${id} was not found in ${service}`),
    ],
  }
}

function withServices(outcome: Outcome, sightings: readonly Sighting[]): Outcome {
  const lines = byService(sightings).map(
    ([service, figures]) => `${service}: ${inWords(figures)}, ${requestsInWords(figures.count)}`,
  )
  return { ...outcome, evidence: { ...outcome.evidence, details: [...(outcome.evidence.details ?? []), ...lines] } }
}

function byService(sightings: readonly Sighting[]): [service: string, figures: Freshness][] {
  const services = [...new Set(sightings.map(({ service }) => service))]
  return services.flatMap((service): [string, Freshness][] => {
    const figures = freshnessOf(sightings.filter((one) => one.service === service))
    return figures === undefined ? [] : [[service, figures]]
  })
}

function inWords({ p50, p95, max }: Freshness): string {
  return `p50 ${words(p50)}, p95 ${words(p95)}, max ${words(max)}`
}

function requestsInWords(count: number): string {
  return `${count} ${count === 1 ? 'request' : 'requests'}`
}

function words(ms: number): string {
  return ms === Number.POSITIVE_INFINITY ? 'never' : formatDuration(ms)
}

function lateness({ afterMs = Number.POSITIVE_INFINITY }: Sighting): number {
  return afterMs
}

function askingOf({ window }: ScenarioContext, limit: string): Asking {
  return { expected: `p95 at most ${limit} after the answer, none lost`, window }
}

function skipped({ window }: ScenarioContext, reason: string): Outcome {
  const evidence = { expected: 'found in time', actual: 'not measured', window, attempts: 0, elapsedMs: 0 }
  return { verdict: 'skipped', reason, evidence }
}

function unanswered({ window }: ScenarioContext, reason: string): Outcome {
  const evidence = { expected: 'answered requests', actual: 'none', window, attempts: 0, elapsedMs: 0 }
  return { verdict: 'no-data', reason, evidence }
}
