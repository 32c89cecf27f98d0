import type { Matcher as CompiledMatcher } from '../../lib/matcher.ts'
import { demandOf } from '../../lib/matcher.ts'
import { type Demand, literally, shortest } from '../../lib/regular-language.ts'
import { compiledMatcher, selects } from './evaluator/selects.ts'
import { type Labels, labelKey } from './evaluator/series.ts'
import { thresholdsOf, walk } from './expression.ts'
import type { Expr, Matcher, Selector } from './promql.ts'
import type { RuleInContext } from './reading.ts'

/** How a quantity moves: a counter's level is its growth per second, a gauge's its value, a slope's its change per second. */
export type QuantityKind = 'counter' | 'gauge' | 'slope'

/** One number of an incident: how much of something there is. */
export interface Quantity {
  readonly kind: QuantityKind
  readonly metric: string
  /** For people: `http_requests_total{status="500"}`. */
  readonly name: string
  /** What it is when nothing is wrong, as far as names tell. */
  readonly usual: number
  /** True if names say which level means that nothing is wrong: a counter of failures (none), a target (up). */
  readonly telling: boolean
}

/** A series that the rule can see, and which quantities (by place in the model) it adds up. */
export interface ModelSeries {
  readonly labels: Labels
  readonly kind: 'counter' | 'gauge'
  readonly terms: readonly number[]
  /** The place of the quantity that tilts it. */
  readonly slope?: number
}

/** The smallest set of series on which a rule's selectors can all be told apart. */
export interface Model {
  readonly quantities: readonly Quantity[]
  readonly series: readonly ModelSeries[]
  /** Label names that every series has, for joins and groupings. */
  readonly common: Labels
}

const counterFunctions = new Set(['rate', 'irate', 'increase', 'resets'])
const slopeFunctions = new Set(['deriv', 'predict_linear', 'delta', 'idelta'])
const usualRate = 10
const usualGauge = 100
/** Values that people use, tried before a pattern's shortest match. */
const wellKnown = [
  '200',
  '500',
  '503',
  '404',
  '429',
  '2xx',
  '5xx',
  'ok',
  'success',
  'error',
  'failed',
  'GET',
  'POST',
  '/',
  'x',
]
const failureLabel =
  /^([45]..|error|err|fail|failed|failure|dead|dropped|timeout|rejected|unhealthy|exception|critical|fatal)$/i
const failureMetric =
  /(error|fail|drop|reject|refus|timeout|timed_out|panic|restart|oom|evict|discard|corrupt|lost|exception|throttl|abort)/i
const targetMetric = /(^up$|_up$|_success$|_healthy$|_ready$|_available$)/
const mostSelectors = 5

/**
 * Finds label sets for the selectors that a rule reads: one per combination of selectors that a series can meet.
 * Undefined if there is none, or a selector names no metric: the reason is a text.
 */
export function modelOf({ leaves, expr, parsed, recordings }: RuleInContext): Model | string {
  if (leaves.length === 0) return 'it reads no series'
  const exprs = [expr, ...parsed.map((one) => one.expr)]
  const common = commonLabels(
    exprs,
    recordings.map(({ name }) => name),
  )
  const kinds = kindsOf(exprs)
  const bounds = bucketBounds(exprs)
  const quantities: Quantity[] = []
  const series: ModelSeries[] = []
  for (const [metric, selectors] of byMetric(leaves)) {
    if (metric === undefined) return 'a selector names no metric'
    const bucketed = exprs.some((one) => readsBuckets(one, metric))
    if (selectors.length > mostSelectors) return `${metric} is selected in more than ${mostSelectors} ways`
    const atoms = atomsOf(metric, selectors, bucketed, common)
    if (atoms.length === 0) return `no label set meets the matchers of ${metric}`
    for (const labels of atoms) addAtom(metric, labels, bucketed)
  }
  return { quantities, series, common }

  function addAtom(metric: string, labels: Labels, bucketed: boolean): void {
    const name = shown(labels, common)
    if (bucketed) {
      const fast =
        quantities.push({ metric, kind: 'counter', name: `${name} fast`, usual: usualRate, telling: false }) - 1
      const slow = quantities.push({ metric, kind: 'counter', name: `${name} slow`, usual: 0, telling: true }) - 1
      for (const [index, le] of bounds.entries()) {
        const terms = index < slowBucket ? [fast] : [fast, slow]
        series.push({ labels: { ...labels, le }, kind: kinds.counters.has(metric) ? 'counter' : 'gauge', terms })
      }
      return
    }
    const kind = kinds.counters.has(metric) ? 'counter' : 'gauge'
    const failing =
      failureMetric.test(metric) ||
      Object.entries(labels).some(([key, value]) => key !== '__name__' && failureLabel.test(value))
    const target = kind === 'gauge' && targetMetric.test(metric)
    const usual = kind === 'counter' ? (failing ? 0 : usualRate) : target ? 1 : usualGauge
    const place = quantities.push({ metric, kind, name, usual, telling: target || (kind === 'counter' && failing) }) - 1
    if (!kinds.slopes.has(metric)) {
      series.push({ labels, kind, terms: [place] })
      return
    }
    const slope = quantities.push({ metric, kind: 'slope', name: `${name} per second`, usual: 0, telling: false }) - 1
    series.push({ labels, kind, terms: [place], slope })
  }
}

/** Buckets from here on take slow observations, too; those before only fast ones. */
const slowBucket = 2

/** Five bounds around what the quantile is compared with, which lies inside of a bucket, so that the quantile can pass it slowly; and +Inf. */
function bucketBounds(exprs: readonly Expr[]): string[] {
  const limit =
    exprs
      .flatMap(thresholdsOf)
      .filter(
        ({ of, value }) =>
          value > 0 && [...walk(of)].some((part) => part.kind === 'call' && part.name === 'histogram_quantile'),
      )
      .map(({ value }) => value)[0] ?? 0.5
  return [
    ...[limit / 10, limit / 2, limit * 1.5, limit * 4, limit * 10].map((bound) => String(Number(bound.toPrecision(6)))),
    '+Inf',
  ]
}

function readsBuckets(expr: Expr, metric: string): boolean {
  return (
    [...walk(expr)].some(
      (part) =>
        part.kind === 'call' &&
        part.name === 'histogram_quantile' &&
        [...walk(part)].some((inner) => inner.kind === 'selector' && inner.metric === metric),
    ) ||
    (metric.endsWith('_bucket') &&
      [...walk(expr)].some((part) => part.kind === 'aggregation' && (part.grouping?.labels.includes('le') ?? false)))
  )
}

function kindsOf(exprs: readonly Expr[]): { counters: Set<string>; slopes: Set<string> } {
  const [counters, slopes] = [new Set<string>(), new Set<string>()]
  for (const part of exprs.flatMap((expr) => [...walk(expr)])) {
    if (part.kind !== 'call') continue
    const into = counterFunctions.has(part.name) ? counters : slopeFunctions.has(part.name) ? slopes : undefined
    for (const inner of walk(part)) if (inner.kind === 'selector' && inner.metric !== undefined) into?.add(inner.metric)
  }
  return { counters, slopes }
}

function byMetric(leaves: readonly Selector[]): Map<string | undefined, Selector[]> {
  const found = new Map<string | undefined, Selector[]>()
  for (const leaf of leaves) found.set(leaf.metric, [...(found.get(leaf.metric) ?? []), leaf])
  return found
}

/** Labels that groupings and joins name, and what is asked of recorded series: every series gets them. */
function commonLabels(exprs: readonly Expr[], recorded: readonly string[]): Labels {
  const labels: Record<string, string> = { job: 'app', instance: 'a' }
  const wanted = new Map<string, Matcher[]>()
  for (const part of exprs.flatMap((expr) => [...walk(expr)])) {
    const named =
      part.kind === 'aggregation' && !part.grouping?.without
        ? (part.grouping?.labels ?? [])
        : part.kind === 'binary' && part.matching?.on
          ? [...part.matching.labels, ...part.matching.include]
          : []
    for (const name of named) if (name !== 'le' && name !== '__name__') labels[name] ??= 'x'
    if (part.kind !== 'selector' || part.metric === undefined || !recorded.includes(part.metric)) continue
    for (const one of part.matchers) wanted.set(one.label, [...(wanted.get(one.label) ?? []), one])
  }
  for (const [label, matchers] of wanted) {
    const value = solve(
      matchers.map((one) => demandOf(compiledMatcher(one))),
      label,
      labels[label],
    )
    if (value !== undefined && label !== '__name__') labels[label] = value
  }
  return labels
}

/** Label sets of one metric, one for each combination of selectors that some series can meet. */
function atomsOf(metric: string, selectors: readonly Selector[], bucketed: boolean, common: Labels): Labels[] {
  const own = selectors.map(({ matchers }) =>
    matchers.filter(({ label }) => label !== '__name__' && !(bucketed && label === 'le')),
  )
  const found = new Map<string, Labels>()
  for (let set = 1; set < 2 ** own.length; set++) {
    const included = own.filter((_, index) => set & (1 << index)).flat()
    const excluded = own.filter((_, index) => !(set & (1 << index)))
    for (const broken of choices(excluded)) {
      const labels = labelsFor(metric, included, broken, common)
      if (labels === undefined) continue
      found.set(labelKey(labels), labels)
      break
    }
  }
  return [...found.values()]
}

/** Every way to break one matcher of each of the excluded selectors, a few at most. */
function choices(excluded: readonly (readonly Matcher[])[]): Matcher[][] {
  let ways: Matcher[][] = [[]]
  for (const matchers of excluded) ways = ways.flatMap((way) => matchers.map((one) => [...way, one])).slice(0, 32)
  return ways
}

/** A label set that meets matchers and breaks others; undefined if there is none. */
function labelsFor(
  metric: string,
  met: readonly Matcher[],
  broken: readonly Matcher[],
  common: Labels,
): Labels | undefined {
  const demands = new Map<string, Demand[]>()
  const add = (label: string, one: CompiledMatcher, negate: boolean) => {
    const { language, negated } = demandOf(one)
    demands.set(label, [...(demands.get(label) ?? []), { language, negated: negated !== negate }])
  }
  for (const one of met) add(one.label, compiledMatcher(one), false)
  for (const one of broken) add(one.label, compiledMatcher(one), true)
  const labels: Record<string, string> = { __name__: metric, ...common }
  for (const [label, asked] of demands) {
    const value = solve(asked, label, common[label])
    if (value === undefined) return undefined
    if (value === '') delete labels[label]
    else labels[label] = value
  }
  return labels
}

const solved = new Map<string, string | undefined>()

/** A value that meets all demands: the preferred one, a well-known one, the shortest; empty only if nothing else does. */
function solve(demands: readonly Demand[], label: string, preferred: string | undefined): string | undefined {
  const key = `${label} ${preferred} ${demands.map(({ language, negated }) => `${language.id}${negated}`).join()}`
  if (solved.has(key)) return solved.get(key)
  const candidates = [...(preferred === undefined ? [] : [preferred]), ...(label === 'instance' ? [] : wellKnown)]
  const value = candidates.find((one) => one !== '' && meets(demands, one)) ?? witness(demands)
  solved.set(key, value)
  return value
}

function meets(demands: readonly Demand[], value: string): boolean {
  const found = shortest([...demands, { language: literally(value), negated: false }])
  return typeof found === 'object'
}

function witness(demands: readonly Demand[]): string | undefined {
  const filled = shortest([...demands, { language: literally(''), negated: true }])
  if (typeof filled === 'object') return filled.text
  const any = shortest(demands)
  return typeof any === 'object' ? any.text : undefined
}

/**
 * The same series as others have that the rule is not about: one matcher is broken, nothing is selected. One list a matcher.
 */
export function bystandersOf({ series }: Model, { leaves, parsed, expr }: RuleInContext): (readonly ModelSeries[])[] {
  const recorded = new Set(parsed.map(({ name }) => name))
  const read = [...walk(expr)].flatMap((part) =>
    part.kind === 'selector' && recorded.has(part.metric ?? '') ? part.matchers : [],
  )
  const distinct = new Map(
    [...leaves.flatMap(({ matchers }) => matchers), ...read].map((one) => [`${one.label}${one.op}${one.value}`, one]),
  )
  const lists: (readonly ModelSeries[])[] = []
  for (const one of distinct.values()) {
    if (one.label === '__name__' || one.label === 'le') continue
    const { language, negated } = demandOf(compiledMatcher(one))
    const value = solve([{ language, negated: !negated }], one.label, undefined)
    if (value === undefined || value === '') continue
    const fromRecorded = read.includes(one)
    const others = series
      .map((each) => ({ ...each, labels: { ...each.labels, [one.label]: value } }))
      .filter(({ labels }) => fromRecorded || !leaves.some((leaf) => selects(leaf, labels)))
    const known = new Set(series.map(({ labels }) => labelKey(labels)))
    const fresh = others.filter(({ labels }) => !known.has(labelKey(labels)))
    if (fresh.length > 0) lists.push(fresh)
  }
  return lists
}

function shown(labels: Labels, common: Labels): string {
  const own = Object.entries(labels).filter(([name, value]) => name !== '__name__' && common[name] !== value)
  const braces = own.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(',')
  return `${labels.__name__ ?? ''}${braces ? `{${braces}}` : ''}`
}
