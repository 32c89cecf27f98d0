import { demandOf } from '../../lib/matcher.ts'
import { contains, type Demand, shortest } from '../../lib/regular-language.ts'
import { type CounterSelector, type LabelMatcher, languageOf, selectorText, selects } from './selector.ts'
import type { Sli } from './slo.ts'

type SeriesLabels = Readonly<Record<string, string>>

/** For one kind of event, the counters that it counts up, as series for promtool. */
export type Counters = readonly string[]

/** Series that a service could have, so that rules can be tried without the service. */
export interface Witnesses {
  readonly good: Counters
  readonly bad: Counters
  /** Other good events, such as those that answered 404; the rules must tell none of them from good ones. */
  readonly otherGood: readonly Counters[]
  /**
   * What the counters stand at before the incident. Where good and bad events have counters of their own they begin at
   * zero, as those of a service do that was just started. Where one counts all and another a part, `rate` extrapolates the two
   * differently next to zero, so they are old.
   */
  readonly startsAt: number
  /** What the SLI leaves out, such as health checks, good and failing ones, for each label that leaves something out. */
  readonly excluded: readonly { readonly label: string; readonly good: Counters; readonly bad: Counters }[]
}

/** Values that the labels of real services have: a rule may well know no others. */
const usual = ['200', '201', '301', '304', '400', '401', '404', '409', '429', '499', '500', '502', '503', '504'].concat(
  ['2xx', '3xx', '4xx', '5xx', 'OK', 'ok', 'success', 'true', 'error', 'failed', 'failure', 'false'],
)

/**
 * @returns the series, or in words why the selectors contradict each other
 */
export function witnessesOf(sli: Sli): Witnesses | string {
  const { total } = sli
  const part = sli.kind === 'bad' ? sli.bad : sli.good
  const own = labelsFor(total.matchers, [])
  if (!own) return `no series can match ${selectorText(total)}`
  if (part.metric !== total.metric) return ofTwoMetrics(sli, total, part, own)
  const telling = namesOf(part.matchers).filter((label) => !total.matchers.some(({ name }) => name === label))
  const inside = labelsFor([...total.matchers, ...part.matchers], telling)
  if (!inside) return `no series can match ${selectorText(total)} and ${selectorText(part)} both`
  const outside = labelsBeside(total.matchers, part.matchers)
  if (!outside)
    return `${selectorText(part)} matches every series of ${selectorText(total)}: no event could be otherwise`
  const [good, bad] = sli.kind === 'bad' ? [outside, inside] : [inside, outside]
  const text = (labels: SeriesLabels): Counters => [seriesText(total.metric, labels)]
  const others = telling
    .flatMap((label) => usual.map((value) => ({ ...good, [label]: value })))
    .filter((labels) => {
      const named = { ...labels, __name__: total.metric }
      return selects(total, named) && selects(part, named) === (sli.kind === 'good')
    })
  const excluded = sli.excluded.flatMap((one) => {
    const [goodLeft, badLeft] = [good, bad].map((labels) => leftOut(total.matchers, sli.excluded, one, labels))
    return goodLeft && badLeft ? [{ label: one.name, good: text(goodLeft), bad: text(badLeft) }] : []
  })
  return {
    good: text(good),
    bad: text(bad),
    startsAt: 0,
    otherGood: others.map(text).filter(([series]) => series !== text(good)[0]),
    excluded,
  }
}

function ofTwoMetrics(
  { kind, excluded }: Sli,
  total: CounterSelector,
  part: CounterSelector,
  own: SeriesLabels,
): Witnesses | string {
  const partly = labelsFor(part.matchers, [])
  if (!partly) return `no series can match ${selectorText(part)}`
  const events = (all: SeriesLabels, some: SeriesLabels) => {
    const [every, both] = [
      [seriesText(total.metric, all)],
      [seriesText(total.metric, all), seriesText(part.metric, some)],
    ]
    return kind === 'bad' ? { good: every, bad: both } : { good: both, bad: every }
  }
  return {
    ...events(own, partly),
    startsAt: 1e14,
    otherGood: [],
    excluded: excluded.flatMap((one) => {
      const left = leftOut(total.matchers, excluded, one, own)
      const leftPart = leftOut(part.matchers, excluded, one, partly)
      return left && leftPart ? [{ label: one.name, ...events(left, leftPart) }] : []
    }),
  }
}

/** Labels that meet all matchers, those that are `telling` with a usual value if there is one; undefined if none can. */
function labelsFor(matchers: readonly LabelMatcher[], telling: readonly string[]): SeriesLabels | undefined {
  const labels: Record<string, string> = {}
  for (const name of namesOf(matchers)) {
    const demands = matchers.filter((one) => one.name === name).map(demanded)
    const found = telling.includes(name) ? usualFor(demands) : valueFor(demands)
    if (found === undefined) return undefined
    labels[name] = found
  }
  return labels
}

/** Labels that meet `all` and not every one of `part`. */
function labelsBeside(all: readonly LabelMatcher[], part: readonly LabelMatcher[]): SeriesLabels | undefined {
  const own = labelsFor(all, [])
  if (!own) return undefined
  for (const broken of part) {
    const demands = all.filter(({ name }) => name === broken.name).map(demanded)
    const { language, negated } = demanded(broken)
    const against = { language, negated: !negated }
    const value = usualFor([...demands, against])
    if (value !== undefined) return { ...own, [broken.name]: value }
  }
  return undefined
}

/** The labels of an event that is left out for the label `left` alone; `all` holds the exclusions, too. */
function leftOut(
  all: readonly LabelMatcher[],
  excluded: readonly LabelMatcher[],
  left: LabelMatcher,
  event: SeriesLabels,
): SeriesLabels | undefined {
  const others = all.filter(({ name }) => name === left.name && !excluded.some((one) => one.name === name))
  const value = valueFor([...others.map(demanded), { language: demanded(left).language, negated: false }])
  return value === undefined ? undefined : { ...event, [left.name]: value }
}

function valueFor(demands: readonly Demand[]): string | undefined {
  const found = shortest(demands)
  return typeof found === 'string' ? undefined : found.text
}

function usualFor(demands: readonly Demand[]): string | undefined {
  const meets = (text: string) => demands.every(({ language, negated }) => contains(language, text) !== negated)
  return usual.find(meets) ?? valueFor(demands)
}

function demanded(one: LabelMatcher): Demand {
  return demandOf(languageOf(one))
}

function namesOf(matchers: readonly LabelMatcher[]): string[] {
  return [...new Set(matchers.map(({ name }) => name))]
}

function seriesText(metric: string, labels: SeriesLabels): string {
  const inside = Object.entries(labels)
    .filter(([, value]) => value !== '')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
  return `${metric}{${inside.join(',')}}`
}
