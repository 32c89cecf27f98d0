import { selectorsOf, walk } from '../expression.ts'
import type { Expr } from '../promql.ts'
import type { Recordings } from '../recordings.ts'
import { isCounterName } from '../value-range.ts'
import type { Lint, LintContext } from './finding.ts'

const forCounters = new Set(['rate', 'irate', 'increase'])

/** Any fall of a gauge looks like a restart of a counter, and is counted as growth. */
export const rateOnGauge: Lint = ({ expr }, context) =>
  [...walk(expr)].flatMap((call) => {
    if (call.kind !== 'call' || !forCounters.has(call.name)) return []
    return call.args.flatMap(selectorsOf).flatMap(({ metric, from }) => {
      if (metric === undefined) return []
      const doubt = doubtOf(metric, context)
      if (!doubt) return []
      const message = `${call.name} of ${metric}, ${doubt.why}: ${doubt.remedy ?? 'take delta or deriv for a gauge'}`
      return [{ level: doubt.level, part: 'expr' as const, offset: from, message }]
    })
  })

interface Doubt {
  readonly level: 'error' | 'note'
  readonly why: string
  readonly remedy?: string
}

/** Names that no counter has: Prometheus' own gauges, and units of what goes up and down. */
const gaugeName =
  /^(up|ALERTS|scrape_(duration_seconds|samples_\w+|series_added))$|_(ratio|percent|celsius|depth|in_flight|inflight|in_progress|info|timestamp_seconds|usage|utilization|free|available|limit|size)(_bytes)?$/

function doubtOf(metric: string, { metricTypes, recordings }: LintContext): Doubt | undefined {
  const [maker] = recordings.of(metric)
  if (maker) return doubtOfRecorded(maker.expr, recordings)
  const type = typeOf(metric, metricTypes)
  if (type === 'gauge' || type === 'info' || type === 'stateset') {
    return { level: 'error', why: `which Prometheus knows as a ${type}` }
  }
  if (type !== undefined && type !== 'unknown' && type !== 'untyped') return undefined
  if (gaugeName.test(metric)) return { level: 'error', why: 'whose name is that of a gauge' }
  if (isCounterName(metric)) return undefined
  const why = 'whose name does not tell that it is a counter'
  return { level: 'note', why, remedy: 'counters end with _total; give --prometheus to know its type' }
}

/** Metadata is kept by family: without the ends that histograms, summaries and OpenMetrics counters add. */
function typeOf(metric: string, types: ReadonlyMap<string, string> | undefined): string | undefined {
  const own = types?.get(metric)
  if (own !== undefined) return own
  const family = types?.get(metric.replace(/_(total|bucket|count|sum)$/, ''))
  // A gauge called x says nothing of another metric called x_total.
  return family === 'gauge' ? undefined : family
}

function doubtOfRecorded(expr: Expr, recordings: Recordings): Doubt | undefined {
  const source = recordings.inlined(expr)
  if (source.kind === 'selector') return undefined
  const grown = [...walk(source)].some(
    (one) =>
      (one.kind === 'call' && /rate|increase|delta|deriv|quantile/.test(one.name)) ||
      (one.kind === 'binary' && one.op === '/'),
  )
  return grown
    ? { level: 'error', why: 'which is recorded from a rate or a ratio', remedy: 'use it as it is' }
    : {
        level: 'note',
        why: 'which is recorded from several series',
        remedy: 'a restart of one of them looks like a fall: take the rate first, then the sum',
      }
}
