import type { SummaryMetric } from './summary.ts'

type MetricType = 'counter' | 'gauge' | 'rate' | 'trend'

/** The metrics of k6's own that a script without extensions has, and muster's. */
const metricTypes: Readonly<Record<string, MetricType>> = {
  checks: 'rate',
  data_received: 'counter',
  data_sent: 'counter',
  dropped_iterations: 'counter',
  group_duration: 'trend',
  http_req_blocked: 'trend',
  http_req_connecting: 'trend',
  http_req_duration: 'trend',
  http_req_failed: 'rate',
  http_req_receiving: 'trend',
  http_req_sending: 'trend',
  http_req_tls_handshaking: 'trend',
  http_req_waiting: 'trend',
  http_reqs: 'counter',
  iteration_duration: 'trend',
  iterations: 'counter',
  muster_begun: 'counter',
  muster_odd: 'counter',
  vus: 'gauge',
  vus_max: 'gauge',
}

/** Counters of what should not happen: for them no sample is an answer, namely zero. */
const mayBeSilent: ReadonlySet<string> = new Set(['dropped_iterations', 'muster_odd'])

const aggregations: Readonly<Record<MetricType, readonly string[]>> = {
  counter: ['count', 'rate'],
  gauge: ['value'],
  rate: ['rate'],
  trend: ['avg', 'min', 'max', 'med', 'p(N)'],
}

export type Operator = '<' | '<=' | '>' | '>=' | '==' | '!='

/** One condition on one metric, in k6's grammar: durations are milliseconds, rates 0 to 1. */
export interface Threshold {
  /** As k6 names the (sub-)metric, e.g. `http_req_duration{part:load,scenario:browse}`. */
  readonly key: string
  /** The metric alone. */
  readonly metric: string
  readonly tags: Readonly<Record<string, string>>
  /** As written, e.g. `p(95)<500`. */
  readonly expression: string
  /** As k6 names it in its summary, e.g. `p(95)`. */
  readonly aggregation: string
  readonly operator: Operator
  readonly limit: number
}

/** Thresholds as a config has them: k6's metric key to one or more expressions. */
export type ThresholdRecord = Readonly<Record<string, readonly string[]>>

/**
 * Reads thresholds and says all that is wrong with them.
 * @returns those that are right, and one sentence per mistake
 */
export function parseThresholds(record: ThresholdRecord): { thresholds: Threshold[]; problems: string[] } {
  const thresholds: Threshold[] = []
  const problems: string[] = []
  for (const [written, expressions] of Object.entries(record)) {
    const target = parseKey(written)
    if (typeof target === 'string') {
      problems.push(target)
      continue
    }
    if (expressions.length === 0) problems.push(`${written}: no condition is given`)
    for (const expression of expressions) {
      const condition = parseExpression(target.type, expression)
      if (typeof condition === 'string') problems.push(`${written}: ${condition}`)
      else thresholds.push({ key: target.key, metric: target.metric, tags: target.tags, expression, ...condition })
    }
  }
  return { thresholds, problems }
}

interface Target {
  readonly key: string
  readonly metric: string
  readonly tags: Record<string, string>
  readonly type: MetricType
}

function parseKey(written: string): Target | string {
  const [, metric, , selector] = /^([a-zA-Z_]\w*)(\{(.*)\})?$/.exec(written.trim()) ?? []
  if (metric === undefined) return `"${written}" is no metric; write name or name{tag:value}`
  const type = Object.hasOwn(metricTypes, metric) ? metricTypes[metric] : undefined
  if (type === undefined) {
    const near = nearest(metric, Object.keys(metricTypes))
    return `metric "${metric}" does not exist${near === undefined ? '' : `; do you mean "${near}"?`}`
  }
  const tags: Record<string, string> = {}
  for (const pair of selector === undefined ? [] : selector.split(',')) {
    const colon = pair.indexOf(':')
    if (colon < 1 || pair.slice(colon + 1).trim() === '') return `${written}: "${pair}" is no tag:value`
    // k6 takes a `vu` tag for no threshold; it is not an indexed one.
    const tag = pair.slice(0, colon).trim()
    if (tag === 'vu' || tag === 'iter') return `${written}: k6 keeps no "${tag}" for thresholds`
    tags[tag] = pair.slice(colon + 1).trim()
  }
  // Requests of set-up are in k6's totals; a limit is meant for the load.
  const own = metric.startsWith('http_') && tags.part === undefined ? { part: 'load', ...tags } : tags
  return { key: subMetric(metric, own), metric, tags: own, type }
}

/** The name that k6 gives a sub-metric. */
export function subMetric(metric: string, tags: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(tags).map(([tag, value]) => `${tag}:${value}`)
  return pairs.length === 0 ? metric : `${metric}{${pairs.join(',')}}`
}

function parseExpression(
  type: MetricType,
  text: string,
): Pick<Threshold, 'aggregation' | 'operator' | 'limit'> | string {
  const pattern = /^\s*(p\(\s*(\d+(?:\.\d+)?)\s*\)|[a-z]+)\s*(<=|>=|==|===|!=|<|>)\s*(-?\d+(?:\.\d+)?)\s*$/
  const [, left, percentile, operator, limit] = pattern.exec(text) ?? []
  if (left === undefined) return `"${text}" is no condition like p(95)<500, avg<200, rate<0.01 or count>=1`
  const aggregation = percentile === undefined ? left : `p(${Number(percentile)})`
  if (!aggregations[type].includes(percentile === undefined ? left : 'p(N)')) {
    return `"${text}": a ${type} has ${aggregations[type].join(', ')}, not ${left}`
  }
  if (percentile !== undefined && Number(percentile) > 100) return `"${text}": a percentile is at most 100`
  return { aggregation, operator: operatorOf(operator), limit: Number(limit) }
}

function operatorOf(text: string | undefined): Operator {
  switch (text) {
    case '<':
    case '<=':
    case '>':
    case '>=':
    case '!=':
      return text
    default:
      return '=='
  }
}

/** The candidate most like the word, if at most a third of its letters differ. */
function nearest(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined
  let least = Math.max(2, Math.floor(word.length / 3)) + 1
  for (const candidate of candidates) {
    const distance = editDistance(word, candidate)
    if (distance < least) [best, least] = [candidate, distance]
  }
  return best
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, n) => n)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}

/** How a threshold came out; `actual` is in the metric's own unit. */
export interface ThresholdResult {
  readonly verdict: 'passed' | 'failed' | 'no-data'
  readonly actual: number | undefined
}

/** Judges by the summary's values. Without samples there is no data, although k6 itself would call that a pass. */
export function judgeThreshold(
  threshold: Threshold,
  metrics: Readonly<Record<string, SummaryMetric>>,
): ThresholdResult {
  const metric = metrics[threshold.key]
  const silent = metric === undefined || !hasSamples(metric)
  if (silent && !mayBeSilent.has(threshold.metric)) return { verdict: 'no-data', actual: undefined }
  const actual = silent ? 0 : metric.values[threshold.aggregation]
  if (actual === undefined || Number.isNaN(actual)) return { verdict: 'no-data', actual: undefined }
  return { verdict: holds(actual, threshold.operator, threshold.limit) ? 'passed' : 'failed', actual }
}

function hasSamples({ type, values }: SummaryMetric): boolean {
  if (type === 'trend' || type === 'counter') return (values.count ?? 0) > 0
  if (type === 'rate') return (values.passes ?? 0) + (values.fails ?? 0) > 0
  return values.value !== undefined
}

function holds(actual: number, operator: Operator, limit: number): boolean {
  switch (operator) {
    case '<':
      return actual < limit
    case '<=':
      return actual <= limit
    case '>':
      return actual > limit
    case '>=':
      return actual >= limit
    case '!=':
      return actual !== limit
    case '==':
      return actual === limit
  }
}
