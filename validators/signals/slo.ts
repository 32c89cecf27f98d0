import { errorBudget } from '../../lib/burn-rate.ts'
import { formatDuration } from '../../lib/duration.ts'
import { eventually } from '../../lib/poll.ts'
import { formatPrometheusDuration } from '../../lib/prometheus-duration.ts'
import type { Window } from '../../lib/verdict.ts'
import { isFinal } from '../backends/http.ts'
import type { Rule } from '../backends/prometheus.ts'
import { type Check, concluded, type Finding, type Outcome } from '../check.ts'
import { type RunContext, scrapeDeadline } from '../context.ts'
import { selectorsOf } from '../rules/expression.ts'
import { PromqlError, parsePromql } from '../rules/promql.ts'
import { type Counted, countEvents, type Estimate, mostSamples } from '../slo/counted.ts'
import { selectorText } from '../slo/selector.ts'
import { identity, recorded, recordedPeriod, windowsOf } from '../slo/series.ts'
import { type Slo, sloId } from '../slo/slo.ts'

/**
 * Of the whole run: do the series that the rules recorded say what muster counts by itself? Put when the load is over.
 * @param window of all scenarios
 */
export function sloRunChecks(context: RunContext, window: Window): Check[] {
  const { slos } = context.config
  const rules = once(() => context.backends.prometheus.rules(context.signal))
  return slos.flatMap((slo): Check[] => [
    {
      id: `slo.burn.${sloId(slo)}`,
      title: `the recorded error ratios of ${sloId(slo)} are those that muster counts, over every window`,
      signal: 'slo',
      run: async () => burn(context, slo, window, await rules()),
    },
    {
      id: `slo.budget.${sloId(slo)}`,
      title: `the recorded SLI and error budget of ${sloId(slo)} are those that muster counts`,
      signal: 'slo',
      run: async () => budget(context, slo, window, await rules()),
    },
  ])
}

/** One recorded figure: its name and value. */
type Figures = Readonly<Record<string, number | undefined>>

/** What was recorded at one evaluation. */
interface Evaluation {
  /** Epoch milliseconds of Prometheus' clock. */
  readonly at: number
  readonly values: Figures
}

function burn(context: RunContext, slo: Slo, window: Window, rules: readonly Rule[]): Promise<Outcome> {
  const names = windowsOf(slo).flatMap((ms) => [recorded.events(ms), recorded.errors(ms), recorded.errorRatio(ms)])
  return judge(context, slo, { names, rules, window }, async (evaluation, signal) => {
    const windows = windowsOf(slo).map((windowMs) => ({
      windowMs,
      range: rangeOf(context, slo, rules, recorded.events(windowMs), windowMs),
    }))
    const counts = await ownCounts(
      context,
      slo,
      evaluation.at,
      windows.map(({ range }) => range.ms),
      signal,
    )
    const findings: Finding[] = []
    for (const [place, { windowMs, range }] of windows.entries()) {
      const own = counts[place]
      if (!own) throw new Error(`no count of ${formatPrometheusDuration(windowMs)}`)
      const ratioName = recorded.errorRatio(windowMs)
      const seconds = range.ms / 1000
      const [events, errors] = [recorded.events(windowMs), recorded.errors(windowMs)].map((name) => {
        const value = evaluation.values[name]
        return value === undefined ? undefined : value * seconds
      })
      findings.push({
        actual: `${formatPrometheusDuration(windowMs)}${range.note}: ${ratioWords(evaluation.values[ratioName])} recorded, ${own.errors.counted} bad of ${own.events.counted} events counted${held(own, evaluation.at, range.ms)}`,
        problems: [
          ...range.problems,
          ...differs(recorded.events(windowMs), 'events', events, own.events),
          ...differs(recorded.errors(windowMs), 'bad events', errors, own.errors),
          ...ratioProblems(ratioName, evaluation.values[ratioName], own),
        ],
      })
    }
    return merged(findings)
  })
}

function budget(context: RunContext, slo: Slo, window: Window, rules: readonly Rule[]): Promise<Outcome> {
  const { periodMs, objective } = slo
  const { events, errors } = recordedPeriod(periodMs)
  const [sli, spent] = [recorded.sli(periodMs), recorded.budgetSpent(periodMs)]
  const names = [events, errors, sli, spent]
  return judge(context, slo, { names, rules, window }, async ({ at, values }, signal) => {
    const range = rangeOf(context, slo, rules, events, periodMs)
    const [own] = await ownCounts(context, slo, at, [range.ms], signal)
    if (!own) throw new Error('no count of the period')
    const ratio = ratioBand(own)
    const [value, budgetSpent] = [values[sli], values[spent]]
    const share = (of: number) => of / errorBudget(objective)
    return {
      actual:
        `SLI ${value === undefined ? 'not recorded' : percentage(value)}, budget spent ${budgetSpent === undefined ? 'not recorded' : percentage(budgetSpent)}` +
        `; counted: ${own.errors.counted} bad of ${own.events.counted} events${range.note}${held(own, at, range.ms)}`,
      problems: [
        ...range.problems,
        ...differs(events, 'events', values[events], own.events),
        ...differs(errors, 'bad events', values[errors], own.errors),
        ...(own.events.most > 0 ? outside(sli, value, [1 - ratio[1], 1 - ratio[0]]) : []),
        ...(own.events.most > 0 ? outside(spent, budgetSpent, [share(ratio[0]), share(ratio[1])]) : []),
      ],
    }
  })
}

/** The longest evaluation interval of which the next evaluation is waited for. */
const longestWaitMs = 15_000

interface Asked {
  readonly names: readonly string[]
  readonly rules: readonly Rule[]
  readonly window: Window
}

/** Takes the figures of an evaluation after the load, or of the latest in it if they are recorded too seldom, and judges them. */
async function judge(
  context: RunContext,
  slo: Slo,
  { names, rules, window }: Asked,
  examine: (evaluation: Evaluation, signal: AbortSignal) => Promise<Finding>,
): Promise<Outcome> {
  const { backends, facts, signal } = context
  const selector = `{__name__=~"${names.join('|')}",${identity(slo).slice(1)}`
  const own = rules.filter(({ alerting, name, labels }) => !alerting && names.includes(name) && labels.slo === slo.name)
  const intervalMs = Math.max(facts.scrapeMs, ...own.map(({ evaluationMs }) => evaluationMs))
  // What an evaluation has found is there only when it has ended; one that takes longer than the interval delays the next.
  const tookMs = Math.max(0, ...own.map((rule) => rule.tookMs))
  const settled = window.to + facts.clockOffsetMs + 2 * facts.scrapeMs
  // What is recorded every few minutes is not waited for: its latest evaluation in the run is judged.
  const since = intervalMs <= longestWaitMs ? settled : window.from + facts.clockOffsetMs
  const deadlineMs = scrapeDeadline(facts).ms + 2 * (intervalMs + tookMs)
  const polled = await eventually(
    async (attempt): Promise<Finding> => {
      const now = Date.now() + facts.clockOffsetMs
      const series = await backends.prometheus.raw(selector, since, Math.max(now, since + 1), attempt)
      const at = Math.min(...series.map(({ samples }) => samples.at(-1)?.at ?? 0))
      if (series.length === 0 || at === 0) return missing(names, own)
      const values = Object.fromEntries(
        series.map(({ labels, samples }) => [labels.__name__ ?? '', samples.find((sample) => sample.at === at)?.value]),
      )
      return examine({ at, values }, attempt)
    },
    ({ problems, empty }) => problems.length === 0 && !empty,
    { withinMs: deadlineMs, signal, isFinal, firstPauseMs: 300, attemptMs: 20_000, lastAnswerMs: 20_000 },
  )
  const { client } = backends.prometheus
  return concluded(polled, {
    expected: `the recorded series of ${sloId(slo)} equal what the raw samples of ${selectorText(slo.sli.total)} give over the same window, by rate()'s own arithmetic; only the scrape under way at the evaluation is unsure`,
    window,
    query: selector,
    deadline: `${scrapeDeadline(facts).words} + 2 evaluations of ${intervalMs / 1000} s, which take ${formatDuration(tookMs)}`,
    reproduce: client.curl('/api/v1/query', { query: selector }),
  })
}

function missing(names: readonly string[], own: readonly Rule[]): Finding {
  const [name = ''] = names
  const problem =
    own.length === 0
      ? `no rule records ${name}: load what muster slo rules prints`
      : `${name} has no sample yet, though a rule records it`
  return { actual: 'nothing recorded', problems: [problem], empty: true }
}

/**
 * Over how long a window a rule really records. The quick profile of muster's own stack shortens ranges and leaves names;
 * anywhere else the name tells the window.
 */
function rangeOf(
  { config }: RunContext,
  slo: Slo,
  rules: readonly Rule[],
  name: string,
  windowMs: number,
): { ms: number; note: string; problems: string[] } {
  const rule = rules.find(
    (one) => !one.alerting && one.name === name && one.labels.slo === slo.name && one.labels.service === slo.service,
  )
  const ms = rule ? rangeIn(rule.query) : undefined
  if (ms === undefined || ms === windowMs) return { ms: windowMs, note: '', problems: [] }
  const note = ` (over ${formatPrometheusDuration(ms)})`
  if (config.backends === undefined && config.stack.profile === 'quick') return { ms, note, problems: [] }
  return {
    ms,
    note,
    problems: [`${name} is recorded over ${formatPrometheusDuration(ms)}, not over what its name says`],
  }
}

function rangeIn(query: string): number | undefined {
  try {
    return selectorsOf(parsePromql(query)).find(({ rangeMs }) => rangeMs !== undefined)?.rangeMs
  } catch (error) {
    if (error instanceof PromqlError) return undefined
    throw error
  }
}

/** One count a window: by raw samples; beyond so many as muster would fetch, by Prometheus' own increase() of the same selectors. */
async function ownCounts(
  { backends, facts }: RunContext,
  slo: Slo,
  at: number,
  windowsMs: readonly number[],
  signal: AbortSignal,
): Promise<readonly Counted[]> {
  const { prometheus } = backends
  const scrape = { intervalMs: facts.scrapeMs, timeoutMs: facts.scrapeTimeoutMs }
  const counted = await countEvents(prometheus, slo, { at, windowsMs, scrape }, signal)
  return Promise.all(windowsMs.map(async (windowMs) => counted.get(windowMs) ?? increased(windowMs)))

  async function increased(windowMs: number): Promise<Counted> {
    const part = slo.sli.kind === 'bad' ? slo.sli.bad : slo.sli.good
    const [total, parted] = await Promise.all(
      [slo.sli.total, part].map(async (of) => {
        const query = `sum(increase(${selectorText(of)}[${Math.ceil(windowMs)}ms]))`
        return (await prometheus.instantAt(query, at, signal))[0]?.value ?? 0
      }),
    )
    const estimate = (value = 0): Estimate => ({ counted: Math.round(value), least: value, most: value })
    const errors = slo.sli.kind === 'bad' ? parted : (total ?? 0) - (parted ?? 0)
    return { events: estimate(total), errors: estimate(errors), series: 0, samples: mostSamples, since: undefined }
  }
}

/** Floats are added in another order. */
const rounding = 1e-9

function differs(name: string, what: string, value: number | undefined, { least, most, counted }: Estimate): string[] {
  if (value === undefined) return counted === 0 ? [] : [`${name} is not recorded, and ${counted} ${what} were counted`]
  const slack = rounding * Math.max(1, Math.abs(most), Math.abs(value))
  if (value >= least - slack && value <= most + slack) return []
  return [
    `${name} says ${round(value)} ${what} in its window, and muster's count makes ${round(least)}${least === most ? '' : ` to ${round(most)}`} of them`,
  ]
}

function ratioProblems(name: string, value: number | undefined, own: Counted): string[] {
  if (own.events.most <= 0) return value === undefined ? [] : [`${name} says ${value}, though there were no events`]
  return outside(name, value, ratioBand(own))
}

function ratioBand({ events, errors }: Counted): [number, number] {
  const least = events.most > 0 ? Math.max(0, errors.least) / events.most : 0
  return [least, events.least > 0 ? Math.max(0, errors.most) / events.least : 1]
}

function outside(name: string, value: number | undefined, [least, most]: readonly [number, number]): string[] {
  if (value === undefined) return [`${name} is not recorded`]
  if (value >= least - rounding && value <= most + rounding) return []
  return [
    `${name} is ${round(value)}, and muster's count makes it ${round(least)}${most - least < rounding ? '' : ` to ${round(most)}`}`,
  ]
}

function merged(findings: readonly Finding[]): Finding {
  return {
    actual: findings.map(({ actual }) => actual).join('; '),
    problems: findings.flatMap(({ problems }) => problems),
  }
}

/** Says so where a window holds less than its length. */
function held({ since }: Counted, at: number, windowMs: number): string {
  if (since === undefined || at - since > windowMs * 0.98) return ''
  return `, of which there are ${formatPrometheusDuration(Math.max(1000, Math.round((at - since) / 1000) * 1000))} of samples`
}

function ratioWords(value: number | undefined): string {
  return value === undefined ? 'nothing' : percentage(value)
}

function percentage(value: number): string {
  return `${Number((value * 100).toPrecision(6))} %`
}

function round(value: number): number {
  return Number(value.toPrecision(8))
}

function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | undefined
  return () => {
    asked ??= ask()
    return asked
  }
}
