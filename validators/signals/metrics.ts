import { literal } from '../backends/prometheus.ts'
import type { Check, Outcome } from '../check.ts'
import type { Service } from '../config.ts'
import type { ScenarioContext } from '../context.ts'
import { counterOf, unlessAbsent, whyUnjudged } from '../coverage.ts'
import { cardinality } from './cardinality.ts'
import { quietEdges, requestCount } from './counters.ts'
import { exemplars } from './exemplars.ts'
import { Histogram } from './histograms.ts'
import { Scrapes } from './scrapes.ts'

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
    const { duration, requests } = service
    const http = requests.kind === 'http'
    const scrapes = new Scrapes(context, service)
    const histogram = new Histogram(context, scrapes, name, service)
    const uncounted = requests.metric === undefined ? `services.${name}.requests names no metric` : undefined
    const untold =
      http && requests.status === false ? `services.${name}.requests names no label for the status` : undefined
    const undurated = duration === undefined ? `services.${name} names no duration` : undefined
    const unscraped = whyUnjudged(context, name, 'metrics')
    const counting = [
      about('request-count', `${name} counted exactly the requests it was sent`, () =>
        requestCount(context, scrapes, name, service),
      ),
      about('quiet-edges', `${name} counted nothing more after the load`, () =>
        quietEdges(context, scrapes, name, service),
      ),
      ...(http
        ? unlessAbsent(untold, [
            about('error-ratio', `${name} counted errors within its limit`, () =>
              errorRatio(context, scrapes, service),
            ),
          ])
        : []),
    ]
    const durations = [
      about('histogram', `the durations of ${name} add up, in seconds and in buckets that can tell its p95`, () =>
        histogram.form(),
      ),
      ...unlessAbsent(whyUnjudged(context, name, 'traces'), [
        about('exemplars', `the exemplars of ${name} lead to traces that last as long`, () =>
          exemplars(context, service),
        ),
      ]),
      ...(http ? [about('latency', `${name} measured a p95 within its limit`, () => histogram.latency())] : []),
    ]
    const buckets: Check = {
      id: `joined.buckets.${name}`,
      title: `${name}: the buckets hold the durations that were logged`,
      signal: 'joined',
      scenario,
      run: () => histogram.joined(),
    }
    // Without logs that nothing is joined is told by the checks of lines and spans.
    const unlogged = whyUnjudged(context, name, 'logs') !== undefined
    return [
      ...unlessAbsent(unscraped, [
        about('series', `${name} exposes every promised series with its labels`, () => seriesExist(scrapes, service)),
        about('cardinality', `the series of ${name} do not grow with its requests`, () =>
          cardinality(context, scrapes, name, service),
        ),
        ...unlessAbsent(uncounted, counting),
        ...unlessAbsent(undurated, durations),
      ]),
      ...(unlogged ? [] : unlessAbsent(unscraped ?? undurated, [buckets])),
    ]
  })
}

function seriesExist(scrapes: Scrapes, service: Service): Promise<Outcome> {
  const { requests, duration, series: further } = service
  const labelled =
    requests.kind === 'http'
      ? [requests.route, requests.method, requests.status].filter((label) => label !== false)
      : Object.keys(requests.matchers)
  const promised = [
    ...(requests.metric === undefined ? [] : [{ metric: requests.metric, labels: labelled }]),
    ...(duration ? [{ metric: `${duration}_bucket`, labels: ['le'] }] : []),
    ...further.map((metric) => ({ metric, labels: [] })),
  ]
  const selector = `{job=${literal(scrapes.job)},__name__=~${literal(promised.map(({ metric }) => metric).join('|'))}}`
  const expected = `series ${promised.map(({ metric, labels }) => (labels.length > 0 ? `${metric}{${labels.join(', ')}}` : metric)).join('; ')}`
  return scrapes.last(selector, expected, (inside) => {
    const ownOf = (metric: string) => inside.filter((one) => one.labels.__name__ === metric)
    const absent = promised
      .filter(({ metric }) => ownOf(metric).length === 0)
      .map(({ metric }) => `${metric} has no sample in the window`)
    const unlabelled = promised.flatMap(({ metric, labels }) =>
      labels
        .filter((label) => !ownOf(metric).every((one) => label in one.labels))
        .map((label) => `${metric} has series without the label ${label}`),
    )
    return {
      actual: `${inside.length} series`,
      problems: [...absent, ...unlabelled],
      empty: inside.length === 0,
      hopeless: unlabelled.length > 0,
    }
  })
}

function errorRatio({ config }: ScenarioContext, scrapes: Scrapes, service: Service): Promise<Outcome> {
  const { requests } = service
  const limit = config.server.errorRatio
  const selector = `${counterOf(service)}{job=${literal(scrapes.job)}}`
  return scrapes.series(selector, `share of 5xx below ${limit}`, (series, instances) => {
    let [all, bad] = [0, 0]
    for (const one of series) {
      const grew = scrapes.growth(instances, one)
      if (!grew.known) return { actual: 'unknown', problems: [grew.why] }
      all += grew.growth
      if (requests.kind === 'http' && requests.status !== false && one.labels[requests.status]?.startsWith('5'))
        bad += grew.growth
    }
    if (all === 0) return { actual: 'no request counted', problems: ['no request counted'], empty: true }
    const ratio = bad / all
    const problems =
      ratio < limit || bad === 0 ? [] : [`${bad} of ${all} requests were 5xx (${(ratio * 100).toFixed(2)} %)`]
    return { actual: `${bad} of ${all}`, problems, hopeless: problems.length > 0 }
  })
}
