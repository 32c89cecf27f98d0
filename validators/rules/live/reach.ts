import { literal } from '../../backends/prometheus.ts'
import { selectorsOf } from '../expression.ts'
import { mayHave, outputLabels } from '../output-labels.ts'
import type { Expr, Matcher, Selector } from '../promql.ts'
import type { Recordings } from '../recordings.ts'
import type { LiveContext, LiveSource } from './source.ts'

/** Why a selector matches nothing that lives. */
export interface Unreached {
  readonly selector: Selector
  readonly text: string
  /**
   * `impossible`: no series that it could match exists. `unseen`: the label exists, and may take the value yet.
   * `gone`: the metric has existed, but not within the last hour. `past`: the metric lives, and the selector has matched.
   */
  readonly kind: 'impossible' | 'unseen' | 'gone' | 'past'
  /** The matcher that keeps series out, if one alone does. */
  readonly why: string
}

const shownValues = 5

/** Asks why selectors of one expression match nothing. @param text the expression as it is written */
export class Reach {
  readonly #text: string
  readonly #source: LiveSource
  readonly #recordings: Recordings
  readonly #names: ReadonlySet<string>
  constructor(text: string, { source, recordings, rules }: Pick<LiveContext, 'source' | 'recordings' | 'rules'>) {
    this.#text = text
    this.#names = new Set(rules.map(({ rule }) => rule.name))
    this.#source = source
    this.#recordings = recordings
  }

  /**
   * The selectors for want of which the expression can have no result: either branch of `or` is enough, what stands
   * right of `unless` need not be.
   */
  async missing(expr: Expr): Promise<Unreached[]> {
    if (expr.kind === 'selector') {
      const found = await this.#unreached(expr)
      return found ? [found] : []
    }
    if (expr.kind === 'binary' && expr.op === 'unless') return this.missing(expr.left)
    const parts = expr.kind === 'binary' ? [expr.left, expr.right] : partsOf(expr)
    const all = await Promise.all(parts.map((part) => this.missing(part)))
    if (expr.kind === 'binary' && expr.op === 'or' && all.some((one) => one.length === 0)) return []
    return all.flat()
  }

  async #unreached(selector: Selector): Promise<Unreached | undefined> {
    const { source, text } = { source: this.#source, text: this.#bare(selector) }
    if ((await source.count(text)) > 0) return undefined
    const { metric } = selector
    if (
      metric === 'ALERTS' &&
      this.#names.has(selector.matchers.find(({ label }) => label === 'alertname')?.value ?? '')
    ) {
      return undefined
    }
    const makers = metric === undefined ? [] : this.#recordings.of(metric)
    if (makers.length > 0 && (await source.count(named(metric ?? ''))) === 0) return this.#recorded(selector, text)
    const made = { selector, text }
    const hasMatched = await source.hasEverMatched(text)
    if (metric !== undefined && (await source.count(named(metric))) === 0) {
      if (hasMatched) return { ...made, kind: 'gone', why: `${metric} has had no series within the last hour` }
      const known = await source.hasEverMatched(named(metric))
      const why = known
        ? `${metric} has had no series within the last hour, and never such`
        : `no series is called ${metric}`
      return { ...made, kind: 'impossible', why }
    }
    if (hasMatched) return { ...made, kind: 'past', why: 'it has had no series within the last hour' }
    for (const matcher of selector.matchers) {
      const rest = this.#without(selector, matcher)
      if (rest === undefined || (await source.count(rest)) === 0) continue
      return { ...made, ...(await this.#verdict(matcher, rest)) }
    }
    return { ...made, kind: 'unseen', why: 'each of its matchers has series, but none has all at once' }
  }

  /** Rules that are not loaded yet have recorded nothing; what they will record is known. */
  #recorded(selector: Selector, text: string): Unreached | undefined {
    const { metric = '', matchers } = selector
    const branches = this.#recordings.labels(metric) ?? []
    const wrong = matchers.find(
      ({ label, op, value }) =>
        op === '=' && value !== '' && label !== '__name__' && !branches.some((one) => mayHave(one, label)),
    )
    if (!wrong) return undefined
    return { selector, text, kind: 'impossible', why: `${metric} is recorded without the label ${wrong.label}` }
  }

  async #verdict(matcher: Matcher, rest: string): Promise<Pick<Unreached, 'kind' | 'why'>> {
    const { label } = matcher
    const written = this.#text.slice(matcher.from, matcher.to)
    const values = await this.#source.labelValues(label, rest, shownValues + 1)
    if (values.length === 0)
      return { kind: 'impossible', why: `no series of ${rest} has a label ${label} (${written})` }
    const list = values.slice(0, shownValues).join(', ') + (values.length > shownValues ? ', …' : '')
    const seen = `${written} keeps all ${await this.#source.count(rest)} series out: ${label} is ${list}`
    // Labels of targets are set by scraping; a value that no target has cannot come by itself.
    const ofTarget = /^\w+$/.test(label) && (await this.#source.count(`up{${label}!=""}`)) > 0
    if (ofTarget && (await this.#source.count(`up{${written}}`)) === 0)
      return { kind: 'impossible', why: `${seen}; no target has that` }
    return { kind: 'unseen', why: seen }
  }

  #bare({ bare }: Selector): string {
    return this.#text.slice(bare.from, bare.to)
  }

  /** The selector with one matcher fewer; undefined if that would match everything. */
  #without({ metric, matchers }: Selector, left: Matcher): string | undefined {
    const rest = matchers.filter((one) => one !== left && one.label !== '__name__')
    const name = metric === undefined ? matchers.find((one) => one !== left && one.label === '__name__') : undefined
    const texts = [
      ...(metric === undefined ? [] : [`__name__=${literal(metric)}`]),
      ...[...(name ? [name] : []), ...rest].map(({ from, to }) => this.#text.slice(from, to)),
    ]
    const selects = [...(name ? [name] : []), ...rest].some(({ op, value }) => op === '=' && value !== '')
    return metric === undefined && !selects ? undefined : `{${texts.join(',')}}`
  }
}

/** The labels of the live series beneath an expression; undefined if one of its selectors has none. */
export async function liveLabels(
  expr: Expr,
  text: string,
  { source, recordings }: { readonly source: LiveSource; readonly recordings: Recordings },
  within: readonly string[] = [],
): Promise<ReadonlySet<string> | undefined> {
  const found = new Set<string>()
  for (const selector of selectorsOf(expr)) {
    const bare = text.slice(selector.bare.from, selector.bare.to)
    const names = await source.labelNames(bare)
    const { metric } = selector
    if (names.length > 0) for (const name of names) found.add(name)
    else if (metric === undefined || within.includes(metric) || recordings.of(metric).length === 0) return undefined
    for (const { rule, expr: made } of names.length > 0 || metric === undefined ? [] : recordings.of(metric)) {
      const below = await liveLabels(made, rule.expr, { source, recordings }, [...within, metric ?? ''])
      if (!below) return undefined
      const branches = outputLabels(made, recordings.labels)
      for (const name of below) if (branches.some((one) => mayHave(one, name))) found.add(name)
      for (const name of Object.keys(rule.labels)) found.add(name)
    }
  }
  return found
}

function named(metric: string): string {
  return `{__name__=${literal(metric)}}`
}

function partsOf(expr: Expr): readonly Expr[] {
  if (expr.kind === 'call') return expr.args
  return 'of' in expr ? [expr.of] : []
}
