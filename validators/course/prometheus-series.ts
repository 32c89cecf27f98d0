import type { Panel, Series } from '../../lib/course.ts'
import { literal } from '../backends/prometheus.ts'
import type { Service } from '../config.ts'
import type { RunContext } from '../context.ts'
import { type Grid, onGrid } from './grid.ts'

/** A question for Prometheus whose answer is drawn. */
interface Question {
  readonly panel: Panel
  readonly query: string
  readonly service?: string
  /** The series' name; else by the label `job`. */
  readonly name?: string
}

/** Series of one question that are drawn; a Prometheus may watch a thousand jobs. */
const shownSeries = 12

const quantiles = [0.5, 0.95, 0.99]

/** Backends whose use of resources is drawn, where Prometheus scrapes them, by the names that their jobs usually have. */
const backendJobs = '.*(prometheus|alertmanager|loki|jaeger|zipkin|tempo|collector|otelcol).*'

/** As client libraries name them, and as OpenTelemetry's collector does. */
const cpuMetrics = 'process_cpu_seconds_total|otelcol_process_cpu_seconds(_total)?'
const memoryMetrics = 'process_resident_memory_bytes|otelcol_process_memory_rss(_bytes)?'

/**
 * What Prometheus saw over time.
 * @returns the series; for what could not be read, a sentence each
 */
export async function prometheusSeries(
  context: Pick<RunContext, 'config' | 'backends' | 'facts'>,
  grid: Grid,
  signal: AbortSignal,
): Promise<{ readonly series: Series[]; readonly missing: string[] }> {
  const { config, backends, facts } = context
  const windowMs = Math.max(3 * facts.scrapeMs, grid.stepMs)
  const range = `[${windowMs}ms]`
  const questions = [
    ...Object.entries(config.services).flatMap(([name, service]) => serviceQuestions(name, service, range)),
    ...resourceQuestions(Object.values(config.services), range),
  ]
  const answers = await Promise.all(
    questions.map(async (question): Promise<Series[] | string> => {
      const { panel, query, service, name } = question
      try {
        const offset = facts.clockOffsetMs
        const { from, to, stepMs } = grid
        const found = await backends.prometheus.range(query, from + offset, to + offset, stepMs, signal)
        return found.slice(0, shownSeries).map(({ labels, samples }) => ({
          panel,
          name: name ?? labels.job ?? '?',
          ...(service === undefined ? {} : { service }),
          values: onGrid(
            grid,
            samples.map(({ at, value }) => ({ at: at - offset, value })),
          ),
        }))
      } catch (error) {
        const what = service === undefined ? panel : `${panel} of ${service}`
        return `${what}: ${error instanceof Error ? error.message : String(error)}`
      }
    }),
  )
  return {
    series: answers.flatMap((answer) => (typeof answer === 'string' ? [] : answer)).filter(hasValues),
    missing: [
      ...new Set(
        answers.flatMap((answer, index) => {
          if (typeof answer === 'string') return [answer]
          const { panel, service } = questions[index] ?? {}
          return answer.some(hasValues)
            ? []
            : [`${panel}${service ? ` of ${service}` : ''}: Prometheus has no such series`]
        }),
      ),
    ],
  }
}

function hasValues({ values }: Series): boolean {
  return values.some((value) => value !== null)
}

function serviceQuestions(name: string, service: Service, range: string): Question[] {
  const { job, requests, duration } = service
  if (job === undefined) return []
  const own = [
    `job=${literal(job)}`,
    ...(requests.kind === 'queue'
      ? Object.entries(requests.matchers).map(([key, value]) => `${key}=${literal(value)}`)
      : []),
  ].join(',')
  const all = `sum(rate(${requests.metric}{${own}}${range}))`
  const questions: Question[] =
    requests.metric === undefined ? [] : [{ panel: 'seen', service: name, name: 'counted', query: all }]
  if (requests.kind === 'http' && requests.metric !== undefined && requests.status !== false) {
    const bad = `sum(rate(${requests.metric}{${own},${requests.status}=~"5.."}${range}))`
    // Without a single 5xx there is no such series.
    questions.push({ panel: 'errors', name, query: `100 * (${bad} or 0 * ${all}) / ${all}` })
  }
  if (duration !== undefined) {
    const buckets = `sum by (le) (rate(${duration}_bucket{job=${literal(job)}}${range}))`
    for (const quantile of quantiles)
      questions.push({
        panel: 'latency',
        service: name,
        name: `p${quantile * 100}`,
        query: `1000 * histogram_quantile(${quantile}, ${buckets})`,
      })
  }
  return questions
}

function resourceQuestions(services: readonly Service[], range: string): Question[] {
  const exactly = (job: string) => job.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')
  const jobs = `job=~${literal([...services.flatMap(({ job }) => (job === undefined ? [] : [exactly(job)])), backendJobs].join('|'))}`
  return [
    { panel: 'cpu', query: `sum by (job) (rate({__name__=~${literal(cpuMetrics)},${jobs}}${range}))` },
    { panel: 'memory', query: `sum by (job) ({__name__=~${literal(memoryMetrics)},${jobs}})` },
  ]
}
