import { type BurnWindow, burnFactor, errorBudget, percent } from '../../lib/burn-rate.ts'
import { formatPrometheusDuration } from '../../lib/prometheus-duration.ts'
import { selectorText } from './selector.ts'
import { groupNames, identity, recorded, recordedPeriod, windowsOf } from './series.ts'
import { alertName, type Slo } from './slo.ts'

/**
 * Prometheus' recording and alerting rules for SLOs, as the text of a rule file that a person can read.
 * Multi-window, multi-burn-rate alerts of the Site Reliability Workbook, chapter 5.
 */
export function sloRules(slos: readonly Slo[]): string {
  return ruleFile(slos.flatMap((slo) => [...burnGroup(slo), ...periodGroup(slo)]))
}

/** Those of the rules that the alerts of one SLO need: without the series over the whole period, which are dear. */
export function burnRules(slo: Slo): string {
  return ruleFile(burnGroup(slo))
}

function ruleFile(groups: readonly string[]): string {
  const head = [
    '# Made by `muster slo rules` from the SLOs in the config: change them there, not here.',
    '# An alert fires while the share of bad events is above its threshold over a long window, so that enough of the error',
    '# budget is spent to matter, and over a short one, so that it ends soon after the errors do.',
    'groups:',
  ]
  return `${[...head, ...groups].join('\n')}\n`
}

function burnGroup(slo: Slo): string[] {
  const budget = errorBudget(slo.objective)
  return [
    `  # ${slo.service}, ${slo.name}: ${percent(slo.objective)} of the events of ${formatPrometheusDuration(slo.periodMs)} are good; ${percent(budget)} is the error budget.`,
    `  - name: ${quoted(groupNames(slo).burn)}`,
    '    rules:',
    ...windowsOf(slo).flatMap((windowMs) => windowRules(slo, windowMs)),
    ...slo.windows.flatMap((window) => alertRule(slo, window)),
  ]
}

function windowRules(slo: Slo, windowMs: number): string[] {
  const rate = (selector: string) => `sum(rate(${selector}[${formatPrometheusDuration(windowMs)}]))`
  const of = identity(slo)
  return [
    ...record(slo, recorded.events(windowMs), [rate(selectorText(slo.sli.total))]),
    ...record(slo, recorded.errors(windowMs), errors(slo, rate, recorded.events(windowMs))),
    ...record(slo, recorded.errorRatio(windowMs), [
      `${recorded.errors(windowMs)}${of} / (${recorded.events(windowMs)}${of} > 0)`,
    ]),
  ]
}

/** The lines of an expression for the bad events; zero, not absent, while there are events and none is bad. */
function errors(slo: Slo, aggregated: (selector: string) => string, eventsName: string): string[] {
  const events = `sum(${eventsName}${identity(slo)})`
  const { sli } = slo
  if (sli.kind === 'bad') return [aggregated(selectorText(sli.bad)), `  or 0 * ${events}`]
  return [events, `  - (${aggregated(selectorText(sli.good))} or 0 * ${events})`]
}

function alertRule(slo: Slo, window: BurnWindow): string[] {
  const [factor, budget] = [burnFactor(window, slo.periodMs), errorBudget(slo.objective)]
  const long = formatPrometheusDuration(window.longMs)
  const short = formatPrometheusDuration(window.shortMs)
  const period = formatPrometheusDuration(slo.periodMs)
  const above = (windowMs: number) => `${recorded.errorRatio(windowMs)}${identity(slo)} > ${factor} * ${budget}`
  const labels = {
    severity: slo.severities[window.urgency],
    service: slo.service,
    slo: slo.name,
    ...(slo.team === undefined ? {} : { team: slo.team }),
    long_window: long,
    short_window: short,
    ...slo.labels,
  }
  const annotations = {
    summary: `${slo.service} burns the error budget of ${slo.name} ${factor} times too fast.`,
    description:
      `{{ $value | humanizePercentage }} of the events of the last ${long} were bad, and too many of the last ${short}:` +
      ` at this rate ${percent(window.budgetShare)} of the budget of ${period} is gone in ${long}, all of it in ${formatPrometheusDuration(Math.round(slo.periodMs / factor / 60_000) * 60_000)}.`,
    runbook_url: slo.runbook,
    ...(slo.dashboard === undefined ? {} : { dashboard_url: slo.dashboard }),
  }
  return [
    `      # ${window.urgency}: ${factor} times too fast, ${percent(window.budgetShare)} of the budget in ${long}; a share of bad events above ${Number((factor * budget).toPrecision(6))}.`,
    `      - alert: ${quoted(alertName(slo))}`,
    '        expr: |',
    `          ${above(window.longMs)}`,
    `            and ${above(window.shortMs)}`,
    ...entries('labels', labels),
    ...entries('annotations', annotations),
  ]
}

function periodGroup(slo: Slo): string[] {
  const { periodMs } = slo
  const period = formatPrometheusDuration(periodMs)
  const increase = (selector: string) => `sum(increase(${selector}[${period}]))`
  const { events, errors: bad } = recordedPeriod(periodMs)
  return [
    '  # Every sample of the period is read each time, so it is not done often.',
    `  - name: ${quoted(groupNames(slo).period)}`,
    `    interval: ${formatPrometheusDuration(slo.periodIntervalMs)}`,
    '    rules:',
    ...record(slo, events, [increase(selectorText(slo.sli.total))]),
    ...record(slo, bad, errors(slo, increase, events)),
    ...record(slo, recorded.sli(periodMs), [`1 - ${bad}${identity(slo)} / (${events}${identity(slo)} > 0)`]),
    ...record(slo, recorded.budgetSpent(periodMs), [
      `(1 - ${recorded.sli(periodMs)}${identity(slo)}) / ${errorBudget(slo.objective)}`,
    ]),
  ]
}

function record(slo: Slo, name: string, expr: readonly string[]): string[] {
  const [only] = expr
  return [
    `      - record: ${name}`,
    ...(expr.length === 1 && only !== undefined
      ? [`        expr: ${only}`]
      : ['        expr: |', ...expr.map((line) => `          ${line}`)]),
    `        labels: { service: ${quoted(slo.service)}, slo: ${quoted(slo.name)} }`,
  ]
}

function entries(key: string, values: Readonly<Record<string, string>>): string[] {
  return [`        ${key}:`, ...Object.entries(values).map(([name, value]) => `          ${name}: ${quoted(value)}`)]
}

/** A YAML string: plain if that is unmistakable. JSON's strings are YAML's. */
function quoted(text: string): string {
  return /^[A-Za-z][\w./-]*$/.test(text) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(text)
    ? text
    : JSON.stringify(text)
}
