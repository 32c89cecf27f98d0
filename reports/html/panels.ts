import type { Panel, Series } from '../../lib/course.ts'
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
