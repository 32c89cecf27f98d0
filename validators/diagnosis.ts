import { parse } from 'yaml'
import { z } from 'zod'
import { formatDuration, parseDuration } from '../lib/duration.ts'
import { nearest } from '../lib/nearest.ts'
import { literal } from './backends/prometheus.ts'
import { PrometheusCatalogue } from './backends/prometheus-catalogue.ts'
import { namedBy } from './backends/trace-source.ts'
import type { ParsedConfig, Service } from './config.ts'
import { isLoopback } from './config-values.ts'
import type { Backends, Facts } from './context.ts'
import { lineQuery } from './log-format.ts'

/** Something that will make checks red or leave them out, and what to change. */
export interface Advice {
  /** 0: nothing can be proven; 1: checks will be red; 2: worth knowing. */
  readonly rank: 0 | 1 | 2
  readonly text: string
  /** The setting to change, as keys from the top of the config. */
  readonly path: readonly string[]
  /** What to write there. */
  readonly write?: string
}

/** What is known before advice is given. */
export interface Patient {
  readonly config: ParsedConfig
  readonly backends: Backends
  readonly facts: Facts
  /** By name, how long each scenario lasts; milliseconds. */
  readonly scenarios: ReadonlyMap<string, number>
  readonly signal: AbortSignal
}

const recentMs = 300_000
const hourMs = 3_600_000
/** Fewer lines an answer make reading long. */
const fewLines = 1000

/** Looks for what will go wrong, likeliest causes first. What gets no answer is told, too. */
export async function diagnose(patient: Patient): Promise<Advice[]> {
  const { config } = patient
  const asked = await Promise.allSettled([
    ...Object.entries(config.services).flatMap(([name, service]) => [
      metricNames(patient, name, service),
      logLines(patient, name, service),
      traceNames(patient, name, service),
      sampling(patient, name, service),
    ]),
    lokiLimit(patient),
  ])
  patient.signal.throwIfAborted()
  const found = asked.flatMap((one): Advice[] => {
    if (one.status === 'fulfilled') return one.value
    const why = one.reason instanceof Error ? one.reason.message : String(one.reason)
    return [{ rank: 2, text: `something could not be asked: ${why}`, path: ['backends'] }]
  })
  return [...allowance(config), ...timing(patient), ...found].sort((one, other) => one.rank - other.rank)
}

function allowance({ target }: ParsedConfig): Advice[] {
  if (target === undefined || isLoopback(target.url)) return []
  const { hostname } = new URL(target.url)
  if (target.allow.includes(hostname)) return []
  const text = `load on ${hostname} is refused, since it is not loopback and not allowed by name`
  return [{ rank: 0, text, path: ['target', 'allow'], write: `allow: ['${hostname}']` }]
}

/** Times that do not fit together. */
export function timing({ config, facts, scenarios }: Pick<Patient, 'config' | 'facts' | 'scenarios'>): Advice[] {
  const { scrapeMs, clockOffsetMs } = facts
  const advice: Advice[] = []
  for (const [name, ms] of scenarios) {
    if (scrapeMs === 0 || ms >= scrapeMs) continue
    advice.push({
      rank: 2,
      text: `${name} lasts ${formatDuration(ms)}, less than a scrape (${formatDuration(scrapeMs)}): its counts are exact, but nothing is seen of its course`,
      path: ['scenarios'],
      write: `duration: '${Math.ceil((4 * scrapeMs) / 1000)}s'`,
    })
  }
  const wanted = parseDuration(config.freshness?.p95.metrics ?? '')
  if (wanted !== undefined && wanted < scrapeMs) {
    advice.push({
      rank: 1,
      text: `metrics are to be found within ${formatDuration(wanted)}, but are scraped every ${formatDuration(scrapeMs)}`,
      path: ['freshness', 'p95', 'metrics'],
      write: `metrics: '${Math.ceil((1.2 * scrapeMs) / 1000)}s'`,
    })
  }
  const skewMs = parseDuration(config.traces.skew) ?? 0
  if (Math.abs(clockOffsetMs) > skewMs) {
    advice.push({
      rank: 1,
      text: `Prometheus' clock is ${formatDuration(Math.abs(clockOffsetMs))} ${clockOffsetMs < 0 ? 'behind' : 'ahead'}, more than clocks may differ (${config.traces.skew}): run NTP on both machines, or allow it`,
      path: ['traces', 'skew'],
      write: `skew: '${Math.ceil(Math.abs(clockOffsetMs) * 1.5)}ms'`,
    })
  }
  return advice
}

async function metricNames({ config, backends, signal }: Patient, name: string, service: Service): Promise<Advice[]> {
  const { job, requests, duration } = service
  if (backends.lacks('prometheus') || job === undefined) return []
  const { prometheus } = backends
  const at = (...path: string[]) => ['services', name, ...path]
  const rows = await prometheus.instant(`group by (__name__) ({job=${literal(job)}})`, signal)
  const names = rows.flatMap(({ labels }) => labels.__name__ ?? [])
  if (names.length === 0) return []
  const advice: Advice[] = []
  const absent = (metric: string, path: string[], among: readonly string[], key: string) => {
    const close = nearest(metric, among)
    advice.push({
      rank: 1,
      text: `job ${job} has no series ${metric} yet: a wrong name, or no request so far`,
      path,
      ...(close === undefined ? {} : { write: `${key}: '${close}'` }),
    })
  }
  const { metric } = requests
  if (metric !== undefined && !names.includes(metric)) absent(metric, at('requests', 'metric'), names, 'metric')
  else if (metric !== undefined && requests.kind === 'http') {
    const selector = `${metric}{job=${literal(job)}}`
    const labels = await new PrometheusCatalogue(prometheus.client).labelNames(selector, Date.now() - hourMs, signal)
    for (const key of ['route', 'method', 'status'] as const) {
      const label = requests[key]
      if (label === false || labels.includes(label)) continue
      advice.push({
        rank: 1,
        text: `${metric} has no label ${label}; it has ${labels.filter((one) => one !== '__name__').join(', ')}`,
        path: at('requests', key),
        write: `${key}: ${wordsOf(nearest(label, labels))}`,
      })
    }
  }
  if (duration === undefined) return advice
  const bases = names.filter((one) => one.endsWith('_bucket')).map((one) => one.replace(/_bucket$/, ''))
  if (!bases.includes(duration)) absent(duration, at('duration'), bases, 'duration')
  else if (requests.kind === 'http') {
    const edges = await prometheus.instant(`group by (le) (${duration}_bucket{job=${literal(job)}})`, signal)
    advice.push(
      ...edgeAdvice(
        config,
        duration,
        edges.map(({ labels }) => Number(labels.le)),
      ),
    )
  }
  return advice
}

function wordsOf(label: string | undefined): string {
  return label === undefined ? 'false' : `'${label}'`
}

/** Whether the limit of the p95 is an edge of a histogram; else the nearest edge is proposed. Seconds. */
export function edgeAdvice(config: Pick<ParsedConfig, 'server'>, metric: string, edges: readonly number[]): Advice[] {
  const limit = (parseDuration(config.server.p95) ?? 0) / 1000
  const finite = edges.filter((edge) => Number.isFinite(edge))
  if (finite.length === 0 || finite.some((edge) => Math.abs(edge - limit) < 1e-9)) return []
  const [close = limit] = [...finite].sort((one, other) => Math.abs(one - limit) - Math.abs(other - limit))
  return [
    {
      rank: 1,
      text: `no bucket of ${metric} ends at ${limit} s, so that it cannot tell whether the p95 keeps that limit`,
      path: ['server', 'p95'],
      write: `p95: '${Math.round(close * 1000)}ms'`,
    },
  ]
}

async function logLines({ backends, signal }: Patient, name: string, { logs }: Service): Promise<Advice[]> {
  if (backends.lacks('loki') || logs === undefined) return []
  const { loki } = backends
  const [from, to] = [Date.now() - hourMs, Date.now()]
  const count = async (pipeline: string) =>
    (await loki.count(pipeline, [], from, to, signal)).reduce((sum, row) => sum + row.count, 0)
  const all = await count(logs.selector)
  if (all === 0) {
    const labels = await loki.labelNames(from, signal)
    const text = `${logs.selector} matched no line in the last hour; Loki's labels are ${labels.join(', ') || 'none'}`
    return [{ rank: 1, text, path: ['services', name, 'logs', 'selector'] }]
  }
  if ((await count(lineQuery(logs))) > 0) return []
  const wanted = logs.message === undefined ? 'fits logs.format.pattern' : `holds "${logs.message}"`
  const text = `none of ${all} lines of the last hour ${wanted}: another text, or no request so far`
  return [{ rank: 2, text, path: ['services', name, 'logs', logs.message === undefined ? 'format' : 'message'] }]
}

async function traceNames({ backends, signal }: Patient, name: string, { traces }: Service): Promise<Advice[]> {
  if (backends.lacks('traces') || traces === undefined) return []
  const names = await backends.traces.services(signal)
  if (names.includes(namedBy(backends.traces, traces.service))) return []
  const close = nearest(traces.service, names)
  const text = `no span of ${traces.service} was ever stored; services with spans are ${[...names].sort().join(', ') || 'none'}`
  const path = ['services', name, 'traces', 'service']
  return [{ rank: 1, text, path, ...(close === undefined ? {} : { write: `service: '${close}'` }) }]
}

/** The share of the last minutes' requests that was traced; told only where there were some, and nothing says who samples. */
async function sampling({ config, backends, signal }: Patient, name: string, service: Service): Promise<Advice[]> {
  const { job, requests, traces } = service
  const { metric } = requests
  const unknown = job === undefined || metric === undefined || traces === undefined || requests.kind === 'queue'
  if (unknown || backends.lacks('traces') || backends.lacks('prometheus') || config.traces.sampling) return []
  const query = `sum(increase(${metric}{job=${literal(job)}}[${recentMs / 1000}s]))`
  const [row] = await backends.prometheus.instant(query, signal)
  const counted = Math.round(row?.value ?? 0)
  const source = backends.traces
  const limit = Math.min(source.can.limit, 1000)
  // More than can be read at once need not be read to know the share.
  if (counted < 20 || counted > limit) return []
  // A name without any span is told of by itself.
  if (!(await source.services(signal)).includes(namedBy(source, traces.service))) return []
  const now = Date.now()
  let traced = 0
  await source.search({ service: traces.service, from: now - recentMs, to: now, limit }, () => (traced += 1), signal)
  if (traced >= 0.9 * counted) return []
  const share = Math.round((100 * traced) / counted) / 100
  return [
    {
      rank: 1,
      text: `${name} counted some ${counted} requests in the last ${formatDuration(recentMs)}, and ${traced} were traced: somebody samples, or spans are lost`,
      path: ['traces', 'sampling'],
      // Nothing at all is lost rather than sampled.
      ...(share === 0 ? {} : { write: `traces: { sampling: { by: 'service', share: ${share} } }` }),
    },
  ]
}

const lokiConfig = z.object({
  limits_config: z.object({ max_entries_limit_per_query: z.number().optional() }).optional(),
})

async function lokiLimit({ backends, signal }: Patient): Promise<Advice[]> {
  if (backends.lacks('loki')) return []
  const text = await backends.loki.configText(signal)
  const limit = lokiConfig.safeParse(parse(text ?? '')).data?.limits_config?.max_entries_limit_per_query
  if (limit === undefined || limit === 0 || limit >= fewLines) return []
  return [
    {
      rank: 2,
      text: `Loki gives at most ${limit} lines at once (max_entries_limit_per_query in its limits_config): muster asks in slices, which takes long`,
      path: ['backends', 'loki'],
    },
  ]
}

/**
 * The line of a config's text, from 1, on which a setting stands: the keys are looked for one behind the other. Undefined if
 * the first is not there; else the line of the last that is.
 */
export function lineOf(text: string, path: readonly string[]): number | undefined {
  const lines = text.split('\n')
  let found: number | undefined
  let from = 0
  for (const key of path) {
    const quoted = key.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
    const pattern = new RegExp(`(^|[\\s{,])['"]?${quoted}['"]?\\s*:`)
    const index = lines.findIndex((line, n) => n >= from && !/^\s*(\/\/|#)/.test(line) && pattern.test(line))
    if (index < 0) break
    found = index + 1
    from = index
  }
  return found
}
