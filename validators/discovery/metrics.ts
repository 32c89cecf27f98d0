import { colonRoute } from '../../lib/route.ts'
import { literal, type Prometheus, type Target } from '../backends/prometheus.ts'
import { PrometheusCatalogue } from '../backends/prometheus-catalogue.ts'

/** A counter of requests, and which of its labels tells what; false: none does. */
export interface FoundCounter {
  readonly metric: string
  readonly route: string | false
  readonly method: string | false
  readonly status: string | false
  /** Templates that the route label held, as journeys write them. */
  readonly routes: readonly string[]
  /** Those that scrapes and probes of health call, as the label has them. */
  readonly ignore: readonly string[]
}

/** What Prometheus scrapes of one job. */
export interface FoundJob {
  readonly job: string
  readonly urls: readonly string[]
  readonly scrapeMs: number
  readonly counter: FoundCounter | undefined
  /** A histogram of durations in seconds, without `_bucket`, and its edges but for the last. */
  readonly histogram: { readonly metric: string; readonly edges: readonly number[] } | undefined
}

/** Names under which labels tell what; the first that a metric has is taken. */
const labelNames = {
  route: ['route', 'http_route', 'handler', 'path_template', 'endpoint', 'uri', 'path', 'pattern', 'resource', 'url'],
  method: ['method', 'http_method', 'http_request_method', 'request_method', 'verb'],
  status: [
    'status',
    'code',
    'status_code',
    'http_status',
    'http_status_code',
    'http_response_status_code',
    'response_code',
  ],
} as const

const counts =
  /^(?=.*(request|http|handled))(?!.*(client|outgoing|upstream|size|bytes|flight|error|fail|panic|connection|redirect|promhttp)).*(_total|_count)$/i
const measures = /^(?=.*(request|http))(?!.*(client|outgoing|upstream|size|bytes|promhttp)).*_seconds_bucket$/i
/** What nobody's journey calls, but the machinery around a service does. */
const housekeeping =
  /^\/(-\/)?(metrics|healthz?|healthy|livez?|liveness|readyz?|readiness|ping|actuator\/(prometheus|health.*))$/
/** Of many names the likeliest are looked at. */
const lookedAt = 12
const routesRead = 200
const hourMs = 3_600_000

/**
 * Finds the jobs that Prometheus scrapes, and how each counts and measures requests, by the usual names.
 * @param wanted looks into these jobs alone
 * @throws BackendError if Prometheus cannot be asked
 */
export async function discoverJobs(
  prometheus: Prometheus,
  wanted: (target: Target) => boolean,
  signal: AbortSignal,
): Promise<FoundJob[]> {
  const targets = (await prometheus.targets(signal)).filter(wanted)
  const catalogue = new PrometheusCatalogue(prometheus.client)
  const found: FoundJob[] = []
  for (const job of new Set(targets.map((target) => target.job))) {
    const own = targets.filter((target) => target.job === job)
    const names = await prometheus.instant(`group by (__name__) ({job=${literal(job)}})`, signal)
    const metrics = names.flatMap(({ labels }) => labels.__name__ ?? []).sort()
    found.push({
      job,
      urls: own.map(({ url }) => url),
      scrapeMs: Math.max(...own.map(({ scrapeMs }) => scrapeMs)),
      counter: await counterOf(catalogue, job, metrics, signal),
      histogram: await histogramOf(prometheus, job, metrics, signal),
    })
  }
  return found
}

async function counterOf(
  catalogue: PrometheusCatalogue,
  job: string,
  metrics: readonly string[],
  signal: AbortSignal,
): Promise<FoundCounter | undefined> {
  const since = Date.now() - hourMs
  const candidates: { counter: FoundCounter; score: number }[] = []
  for (const metric of metrics.filter((name) => counts.test(name)).slice(0, lookedAt)) {
    const selector = `${metric}{job=${literal(job)}}`
    const labels = new Set(await catalogue.labelNames(selector, since, signal))
    const pick = (of: keyof typeof labelNames) => labelNames[of].find((name) => labels.has(name)) ?? (false as const)
    const [route, method, status] = [pick('route'), pick('method'), pick('status')]
    if (route === false && status === false) continue
    const values = route === false ? [] : await catalogue.labelValues(route, selector, since, routesRead, signal)
    const score =
      (status === false ? 0 : 4) +
      (route === false ? 0 : 2) +
      (method === false ? 0 : 2) +
      (metric.endsWith('_total') ? 1 : 0)
    candidates.push({
      counter: {
        metric,
        route,
        method,
        status,
        routes: values.map(colonRoute),
        ignore: values.filter((value) => housekeeping.test(value)),
      },
      score,
    })
  }
  return candidates.sort((one, other) => other.score - one.score)[0]?.counter
}

async function histogramOf(
  prometheus: Prometheus,
  job: string,
  metrics: readonly string[],
  signal: AbortSignal,
): Promise<FoundJob['histogram']> {
  const [bucket] = metrics.filter((name) => measures.test(name)).sort((one, other) => rank(one) - rank(other))
  if (bucket === undefined) return undefined
  const rows = await prometheus.instant(`group by (le) (${bucket}{job=${literal(job)}})`, signal)
  const edges = rows.map(({ labels }) => Number(labels.le)).filter((edge) => Number.isFinite(edge))
  return { metric: bucket.replace(/_bucket$/, ''), edges: edges.sort((a, b) => a - b) }
}

function rank(name: string): number {
  return (/duration|latency/.test(name) ? 0 : 2) + (/http/.test(name) ? 0 : 1)
}
