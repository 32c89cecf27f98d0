import type { Course, Panel, RequestTrace, Series } from '../../lib/course.ts'
import { formatDuration } from '../../lib/duration.ts'

export type Unit = 'rate' | 'percent' | 'ms' | 'cores' | 'bytes'

/** Series that share a picture. */
export interface PictureGroup {
  readonly key: string
  readonly title: string
  readonly unit: Unit
  readonly series: readonly Series[]
}

const looks: Readonly<Record<Panel, { readonly title: string; readonly unit: Unit }>> = {
  rate: { title: 'Iterations a second, offered and achieved', unit: 'rate' },
  errors: { title: 'Share of answers with 5xx', unit: 'percent' },
  latency: { title: 'Latency as the service measured it', unit: 'ms' },
  seen: { title: 'Requests a second, as each signal saw them', unit: 'rate' },
  freshness: { title: 'Freshness: from the answer to being found', unit: 'ms' },
  cpu: { title: 'CPU, in cores', unit: 'cores' },
  memory: { title: 'Resident memory', unit: 'bytes' },
}

/** So many colours there are, in style.css as `--series-0` and on; what comes after them is dashed. */
export const hues = 8

/** One meaning, one colour, in every picture: what metrics, logs and traces saw, and how soon; percentiles; the load. */
const meanings: Readonly<Record<string, number>> = {
  counted: 0,
  metrics: 0,
  logged: 1,
  logs: 1,
  traced: 2,
  traces: 2,
  achieved: 0,
  offered: 4,
  p50: 4,
  p95: 5,
  p99: 6,
}

/** Services first, then backends, each by name: a place is a colour, in pictures of resources and in waterfalls. */
export function namesOf(
  course: Pick<Course, 'series'> | null,
  traces: readonly Pick<RequestTrace, 'spans'>[],
): string[] {
  const series = course?.series ?? []
  const services = [
    ...series.flatMap(({ service, panel, name }) => service ?? (panel === 'errors' ? name : [])),
    ...traces.flatMap(({ spans }) => spans.map(({ service }) => service)),
  ]
  const others = series.filter(({ panel }) => panel === 'cpu' || panel === 'memory').map(({ name }) => name)
  return [...new Set([...services.sort(), ...others.sort()])]
}

/** The place of a series among the colours; from `hues` on it is dashed. */
export function hueOf({ panel, name }: Pick<Series, 'panel' | 'name'>, names: readonly string[]): number {
  const own = panel === 'errors' || panel === 'cpu' || panel === 'memory' ? undefined : meanings[name]
  return own ?? Math.max(0, names.indexOf(name))
}

/** The pictures that a course makes, in the order in which one reads them. */
export function groupsOf(series: readonly Series[]): PictureGroup[] {
  return Object.entries(looks).flatMap(([panel, { title, unit }]) => {
    const own = series.filter((one) => one.panel === panel)
    const services = [...new Set(own.map(({ service }) => service ?? ''))]
    return services.map((service) => ({
      key: `${panel} ${service}`,
      title: service === '' ? title : `${service}: ${title.charAt(0).toLowerCase()}${title.slice(1)}`,
      unit,
      series: own.filter((one) => (one.service ?? '') === service),
    }))
  })
}

/** A value with its unit, for people. */
export function say(value: number, unit: Unit): string {
  switch (unit) {
    case 'ms':
      return value > 0 && value < 10 ? `${+value.toFixed(1)} ms` : formatDuration(value)
    case 'bytes':
      return `${+(value / 2 ** 20).toFixed(value < 2 ** 24 ? 1 : 0)} MiB`
    case 'percent':
      return `${+value.toFixed(2)} %`
    case 'rate':
      return `${+value.toFixed(1)}/s`
    case 'cores':
      return `${+value.toFixed(2)}`
  }
}
