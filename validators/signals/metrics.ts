import { growth, type Sample } from '../../lib/counter.ts'
import { formatDuration, parseDuration } from '../../lib/duration.ts'
import { type Bucket, histogramQuantile } from '../../lib/histogram.ts'
import { eventually } from '../../lib/poll.ts'
import { isFinal } from '../backends/http.ts'
import { literal, type Prometheus, type Series } from '../backends/prometheus.ts'
import { type Asking, type Check, concluded, type Finding, type Outcome } from '../check.ts'
import type { Service } from '../config.ts'
import { lookback, present, type ScenarioContext, scrapeDeadline } from '../context.ts'
import { compare, expectedOf, inWords, keyOf, missingLedger } from './expected.ts'

/** Checks on what Prometheus scraped of each service in a scenario's window. */
export function metricsChecks(context: ScenarioContext): Check[] {
  const scenario = context.scenario.name
  return Object.entries(context.config.services).flatMap(([name, service]): Check[] => {
    const about = (id: string, title: string, run: () => Promise<Outcome>): Check => ({
      id: `metrics.${id}.${name}`,
      title,
      signal: 'metrics',
      scenario,
      run,
    })
    const { duration } = service
    return [
      about('series', `${name} exposes every promised series with its labels`, () => seriesExist(context, service)),
      about('request-count', `${name} counted exactly the requests it was sent`, () =>
        requestCount(context, name, service),
      ),
      ...(service.requests.kind === 'http' && duration
        ? [
            about('latency', `${name} measured a p95 within its limit`, () => latency(context, service.job, duration)),
            about('error-ratio', `${name} counted errors within its limit`, () => errorRatio(context, service)),
          ]
        : []),
    ]
  })
}

/** Raw samples from before the window to now, asked until one lies after the window's end and `holds` is true. */
async function settled(
  context: ScenarioContext,
  job: string,
  selector: string,
  expected: string,
  examine: (
    series: readonly Series[],
    scrapedBefore: (instance: string) => boolean,
  ) => Finding & { readonly hopeless?: boolean },
): Promise<Outcome> {
  const { prometheus } = context.backends
  const { facts, window, signal } = context
  const from = window.from + facts.clockOffsetMs
  const until = window.to + facts.clockOffsetMs
  const deadline = scrapeDeadline(facts)
  const start = from - lookback(facts)
  const up = `up{job=${literal(job)}}`
  const polled = await eventually(
    async (attempt) => {
      const now = present(context) + facts.clockOffsetMs
      const [series, targets, starts] = await Promise.all([
        prometheus.raw(selector, start, now, attempt),
        prometheus.raw(up, start, now, attempt),
        prometheus.raw(`process_start_time_seconds{job=${literal(job)}}`, start, now, attempt),
      ])
      const scraped = targets.some(({ samples }) => samples.some(({ at, value }) => at > until && value === 1))
      if (!scraped)
        return {
          actual: `no scrape of job ${job} after the load's end`,
          problems: ['the target was not scraped after the load'],
          empty: true,
        }
      // A counter that begins anew may have risen above where it was: values alone do not tell.
      const restarted = starts.filter(({ samples }) => samples.some(({ value }) => value !== samples[0]?.value))
      if (restarted.length > 0)
        return {
          actual: `${restarted.length} instances of job ${job} were restarted`,
          problems: restarted.map(
            ({ labels }) =>
              `${labels.instance} was restarted during the load: what it counted between its last scrape and its end is lost`,
          ),
          hopeless: true,
        }
      const before = (instance: string) =>
        targets.some(
          ({ labels, samples }) =>
            labels.instance === instance && samples.some(({ at, value }) => at <= from && value === 1),
        )
      return examine(series, before)
    },
    (finding) => finding.problems.length === 0 && !finding.empty,
    {
      withinMs: deadline.ms,
      signal,
      isFinal,
      firstPauseMs: 100,
      hopeless: (finding: Finding & { hopeless?: boolean }) => finding.hopeless === true,
    },
  )
  return concluded(polled, asking(prometheus, context, selector, expected, deadline.words))
}

function asking(
  prometheus: Prometheus,
  context: ScenarioContext,
  selector: string,
  expected: string,
  deadline: string,
): Asking {
  const { facts, window } = context
  const { query, time } = prometheus.rawQuery(
    selector,
    window.from + facts.clockOffsetMs - lookback(facts),
    window.to + facts.clockOffsetMs + 2 * facts.scrapeMs,
  )
  return {
    expected,
    window,
    query,
    deadline,
    reproduce: prometheus.client.curl('/api/v1/query', { query, time }),
    ...prometheus.client.link(`/graph?g0.expr=${encodeURIComponent(selector)}&g0.tab=0`),
  }
}

function seriesExist(context: ScenarioContext, service: Service): Promise<Outcome> {
  const { requests, duration, series: further } = service
  const labelled =
    requests.kind === 'http' ? [requests.route, requests.method, requests.status] : Object.keys(requests.matchers)
  const promised = [
    { metric: requests.metric, labels: labelled },
    ...(duration ? [{ metric: `${duration}_bucket`, labels: ['le'] }] : []),
    ...further.map((metric) => ({ metric, labels: [] })),
  ]
  const selector = `{job=${literal(service.job)},__name__=~${literal(promised.map(({ metric }) => metric).join('|'))}}`
  const expected = `series ${promised.map(({ metric, labels }) => (labels.length > 0 ? `${metric}{${labels.join(', ')}}` : metric)).join('; ')}`
  return settled(context, service.job, selector, expected, (series) => {
    const inside = series.filter(({ samples }) =>
      samples.some(({ at }) => at > context.window.from + context.facts.clockOffsetMs),
    )
    const problems = promised.flatMap(({ metric, labels }) => {
      const own = inside.filter((one) => one.labels.__name__ === metric)
      if (own.length === 0) return [`${metric} has no sample in the window`]
      return labels
        .filter((label) => !own.every((one) => label in one.labels))
        .map((label) => `${metric} has series without the label ${label}`)
    })
    return { actual: `${inside.length} series`, problems, empty: inside.length === 0 }
  })
}

async function requestCount(context: ScenarioContext, name: string, service: Service): Promise<Outcome> {
  const { ledger } = context
  if (!ledger) return missingLedger(context)
  // Counters do not know set-up from load; both were sent in the window, and both are known.
  const expectation = expectedOf(ledger, name, service, 'all')
  const { requests } = service
  const matchers =
    requests.kind === 'queue'
      ? Object.entries(requests.matchers).map(([key, value]) => `,${key}=${literal(value)}`)
      : []
  const selector = `${requests.metric}{job=${literal(service.job)}${matchers.join('')}}`
  return settled(context, service.job, selector, inWords(expectation), (series, scrapedBefore) => {
    const grown = new Map<string, number>()
    const unknown: string[] = []
    for (const { labels, samples } of series) {
      const label = (of: 'method' | 'route' | 'status') =>
        requests.kind === 'http' ? (labels[requests[of]] ?? '?') : ''
      const key = keyOf(service, label('method'), label('route'), label('status'))
      const grew = growthIn(context, samples, scrapedBefore(labels.instance ?? ''))
      if (!grew.known) unknown.push(`${key}: ${grew.why}`)
      else if (grew.growth > 0) grown.set(key, (grown.get(key) ?? 0) + grew.growth)
    }
    const finding = compare(expectation, grown, 'counted')
    return { ...finding, problems: [...unknown, ...finding.problems] }
  })
}

function growthIn({ window, facts }: ScenarioContext, samples: readonly Sample[], scrapedBefore: boolean) {
  return growth(samples, window.from + facts.clockOffsetMs, scrapedBefore)
}

function latency(context: ScenarioContext, job: string, metric: string): Promise<Outcome> {
  const limitMs = parseDuration(context.config.server.p95) ?? 500
  const selector = `${metric}_bucket{job=${literal(job)}}`
  return settled(context, job, selector, `p95 below ${formatDuration(limitMs)}`, (series, scrapedBefore) => {
    const counts = new Map<number, number>()
    for (const { labels, samples } of series) {
      const grew = growthIn(context, samples, scrapedBefore(labels.instance ?? ''))
      if (!grew.known) return { actual: 'unknown', problems: [`${labels.le}: ${grew.why}`] }
      const upper = labels.le === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels.le)
      counts.set(upper, (counts.get(upper) ?? 0) + grew.growth)
    }
    const buckets = [...counts].map(([upper, count]): Bucket => ({ upper, count }))
    const p95 = histogramQuantile(0.95, buckets) * 1000
    if (Number.isNaN(p95))
      return { actual: 'no observation in the window', problems: ['no observation in the window'], empty: true }
    const problems = p95 < limitMs ? [] : [`p95 is ${formatDuration(p95)}, not below ${formatDuration(limitMs)}`]
    return {
      actual: `p95 = ${p95.toFixed(1)} ms of ${counts.get(Number.POSITIVE_INFINITY) ?? 0} observations`,
      problems,
      hopeless: problems.length > 0,
    }
  })
}

function errorRatio(context: ScenarioContext, service: Service): Promise<Outcome> {
  const { requests } = service
  const limit = context.config.server.errorRatio
  const selector = `${requests.metric}{job=${literal(service.job)}}`
  return settled(context, service.job, selector, `share of 5xx below ${limit}`, (series, scrapedBefore) => {
    let [all, bad] = [0, 0]
    for (const { labels, samples } of series) {
      const grew = growthIn(context, samples, scrapedBefore(labels.instance ?? ''))
      if (!grew.known) return { actual: 'unknown', problems: [grew.why] }
      all += grew.growth
      if (requests.kind === 'http' && labels[requests.status]?.startsWith('5')) bad += grew.growth
    }
    if (all === 0) return { actual: 'no request counted', problems: ['no request counted'], empty: true }
    const ratio = bad / all
    const problems =
      ratio < limit || bad === 0 ? [] : [`${bad} of ${all} requests were 5xx (${(ratio * 100).toFixed(2)} %)`]
    return { actual: `${bad} of ${all}`, problems, hopeless: problems.length > 0 }
  })
}
