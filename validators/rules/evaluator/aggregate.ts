import type { Aggregation } from '../promql.ts'
import { Unsupported } from './operators.ts'
import { quantileOf } from './range-functions.ts'
import { type Labels, labelKey, pickLabels, type Sample } from './series.ts'

/** `sum by (…)` and its kin. @throws Unsupported for count_values, limitk and limit_ratio */
export function aggregate(
  { op, grouping }: Pick<Aggregation, 'op' | 'grouping'>,
  samples: readonly Sample[],
  parameter: number | undefined,
): Sample[] {
  const groups = new Map<string, { labels: Labels; samples: Sample[] }>()
  for (const sample of samples) {
    const labels = grouping ? groupLabels(sample.labels, grouping) : {}
    const key = labelKey(labels)
    const group = groups.get(key) ?? { labels, samples: [] }
    group.samples.push(sample)
    groups.set(key, group)
  }
  const all = [...groups.values()]
  if (op === 'topk' || op === 'bottomk') {
    const sign = op === 'topk' ? -1 : 1
    return all.flatMap(({ samples: own }) =>
      [...own].sort((a, b) => sign * (a.value - b.value)).slice(0, Math.max(0, Math.trunc(parameter ?? 0))),
    )
  }
  return all.map(({ labels, samples: own }) => ({
    labels,
    value: reduced(
      op,
      own.map(({ value }) => value),
      parameter,
    ),
  }))
}

function groupLabels(labels: Labels, { without, labels: names }: { without: boolean; labels: readonly string[] }) {
  return without ? pickLabels(labels, [...names, '__name__'], false) : pickLabels(labels, names, true)
}

function reduced(op: string, values: readonly number[], parameter: number | undefined): number {
  switch (op) {
    case 'sum':
      return total(values)
    case 'avg':
      return total(values) / values.length
    case 'count':
      return values.length
    case 'group':
      return 1
    case 'min':
      return values.reduce((best, value) => (value < best || Number.isNaN(best) ? value : best))
    case 'max':
      return values.reduce((best, value) => (value > best || Number.isNaN(best) ? value : best))
    case 'quantile':
      return quantileOf(parameter ?? Number.NaN, values)
    case 'stdvar':
      return variance(values)
    case 'stddev':
      return Math.sqrt(variance(values))
    default:
      throw new Unsupported(`${op}()`)
  }
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}

function variance(values: readonly number[]): number {
  const mean = total(values) / values.length
  return total(values.map((value) => (value - mean) ** 2)) / values.length
}
