import { z } from 'zod'
import { type BurnWindow, burnProblems, scaledWindows, standardWindows } from '../../lib/burn-rate.ts'
import { MatcherSyntaxError } from '../../lib/matcher.ts'
import { parsePrometheusDuration } from '../../lib/prometheus-duration.ts'
import { type CounterSelector, type LabelMatcher, labelMatcher, narrowed, parseCounter } from './selector.ts'

/** What counts as an event, and what as a bad one. What is excluded is no event at all. */
export type Sli = { readonly total: CounterSelector; readonly excluded: readonly LabelMatcher[] } & (
  | { readonly kind: 'bad'; readonly bad: CounterSelector }
  | { readonly kind: 'good'; readonly good: CounterSelector }
)

/** A service level objective; durations in milliseconds. */
export interface Slo {
  readonly name: string
  readonly service: string
  readonly team?: string
  readonly sli: Sli
  /** The promised share of good events. */
  readonly objective: number
  /** Rolling. */
  readonly periodMs: number
  readonly windows: readonly BurnWindow[]
  /** How often the series over the whole period are recorded. */
  readonly periodIntervalMs: number
  readonly severities: Readonly<Record<BurnWindow['urgency'], string>>
  /** Further labels of the alerts. */
  readonly labels: Readonly<Record<string, string>>
  readonly runbook: string
  readonly dashboard?: string
}

const duration = z.string().refine((text) => (parsePrometheusDuration(text) ?? 0) > 0, {
  error: (issue) => `"${String(issue.input)}" is no duration of Prometheus like 5m, 1h30m or 30d`,
})
const inMs = (text: string) => parsePrometheusDuration(text) ?? 0
const identifier = z
  .string()
  .regex(
    /^[A-Za-z][\w-]*$/,
    'must begin with a letter and hold only letters, digits, - and _: alerts are named after it',
  )
const ownLabels = ['alertname', 'severity', 'service', 'slo', 'team', 'long_window', 'short_window']

function labelProblem(name: string): string | undefined {
  if (!/^[A-Za-z_]\w*$/.test(name)) return 'is no label name'
  if (name.startsWith('__')) return 'is a label name that Prometheus keeps for itself'
  return ownLabels.includes(name) ? `must be none of ${ownLabels.join(', ')}` : undefined
}

const counter = z.string().transform((text, context) => {
  const parsed = parseCounter(text)
  if (typeof parsed !== 'string') return parsed
  context.addIssue({ code: 'custom', message: parsed })
  return z.NEVER
})
const exclude = z
  .record(z.string(), z.string().min(1))
  .default({})
  .transform((record, context) =>
    Object.entries(record).flatMap(([label, value]) => {
      if (!/^[A-Za-z_]\w*$/.test(label)) {
        context.addIssue({ code: 'custom', path: [label], message: 'is no label name' })
        return []
      }
      try {
        return [labelMatcher(label, '!~', value)]
      } catch (error) {
        if (!(error instanceof MatcherSyntaxError)) throw error
        context.addIssue({ code: 'custom', path: [label], message: `${JSON.stringify(value)} is ${error.message}` })
        return []
      }
    }),
  )

const sli = z
  .strictObject({
    total: counter.optional().describe('The counter of all events, with matchers if need be.'),
    good: counter.optional().describe('The counter of good events.'),
    bad: counter.optional().describe('Instead: the counter of bad events.'),
    histogram: counter
      .optional()
      .describe('Instead of the counters: a histogram without `_bucket`, with matchers if need be.'),
    threshold: duration
      .optional()
      .describe("A good event lasts this long at most; must be one of the histogram's buckets."),
    exclude: exclude.describe(
      'Regular expressions by label; events that match one are no events of the SLI: health checks, for one.',
    ),
  })
  .transform(({ total, good, bad, histogram, threshold, exclude: excluded }, context): Sli => {
    if (histogram && threshold !== undefined && !total && !good && !bad)
      return histogramSli(histogram, threshold, excluded)
    if (total && !histogram && threshold === undefined) {
      const own = { total: narrowed(total, excluded), excluded }
      if (bad && !good) return { kind: 'bad', ...own, bad: narrowed(bad, excluded) }
      if (good && !bad) return { kind: 'good', ...own, good: narrowed(good, excluded) }
    }
    context.addIssue({
      code: 'custom',
      message: 'must have total and either good or bad, or else histogram and threshold',
    })
    return z.NEVER
  })

const burnWindow = z
  .strictObject({
    urgency: z.enum(['page', 'ticket']).describe('Which of the severities its alert has.'),
    budget: z
      .number()
      .gt(0)
      .lt(1)
      .describe("The share of the period's budget that an even burn spends in the long window."),
    long: duration.describe('The window that must burn.'),
    short: duration.describe('The window that must still burn, so that the alert resets soon.'),
  })
  .transform(
    ({ urgency, budget, long, short }): BurnWindow => ({
      urgency,
      budgetShare: budget,
      longMs: inMs(long),
      shortMs: inMs(short),
    }),
  )

/** One SLO as the config has it. */
const sloSchema = z
  .strictObject({
    name: identifier.describe('Its name among those of the service.'),
    service: identifier.describe('The service that promises it; a label of rules and alerts.'),
    team: z.string().min(1).optional().describe('A label of the alerts.'),
    sli: sli.describe('What counts as an event, and what as a good or bad one.'),
    objective: z
      .number()
      .gt(0, 'must be a share above 0, such as 0.999')
      .lt(1, 'must be a share below 1, such as 0.999')
      .describe('The promised share of good events, such as 0.999.'),
    period: duration.default('30d').describe('The rolling period of the budget.'),
    windows: z
      .union([z.enum(['standard', 'scaled']), z.array(burnWindow).min(1)])
      .default('standard')
      .describe("The workbook's windows, the same scaled with the period, or windows of your own."),
    periodInterval: duration
      .optional()
      .describe(
        'How often the series over the whole period are recorded: they are dear. A 17280th of the period by default, 2m30s of 30d.',
      ),
    severities: z
      .strictObject({
        page: z.string().min(1).default('critical').describe('Of pages.'),
        ticket: z.string().min(1).default('warning').describe('Of tickets.'),
      })
      .prefault({})
      .describe('The label `severity` of pages and of tickets.'),
    labels: z
      .record(z.string(), z.string())
      .superRefine((labels, context) => {
        for (const name of Object.keys(labels)) {
          const problem = labelProblem(name)
          if (problem) context.addIssue({ code: 'custom', path: [name], message: problem })
        }
      })
      .default({})
      .describe('Further labels of the alerts.'),
    runbook: z.string().min(1).optional().describe('The address of its runbook; else runbooks/<alert>.md.'),
    dashboard: z.string().min(1).optional().describe('The address of its dashboard, an annotation of the alerts.'),
  })
  .transform((input, context): Slo => {
    const { period, periodInterval, windows, team, dashboard, runbook, ...rest } = input
    const periodMs = inMs(period)
    const slo: Slo = {
      ...rest,
      ...(team === undefined ? {} : { team }),
      ...(dashboard === undefined ? {} : { dashboard }),
      periodMs,
      windows: windows === 'standard' ? standardWindows : windows === 'scaled' ? scaledWindows(periodMs) : windows,
      periodIntervalMs:
        periodInterval === undefined ? Math.max(1000, Math.round(periodMs / 17_280)) : inMs(periodInterval),
      runbook: runbook ?? `runbooks/${alertName(rest)}.md`,
    }
    for (const problem of burnProblems(slo.windows, slo.objective, periodMs)) {
      context.addIssue({ code: 'custom', path: ['objective'], message: `the SLO ${sloId(slo)}: ${problem}` })
    }
    return slo
  })

/** All SLOs of a config; each has its own name. */
export const slosSchema = z.array(sloSchema).superRefine((slos, context) => {
  slos.forEach((slo, index) => {
    if (slos.findIndex((other) => sloId(other) === sloId(slo)) === index) return
    context.addIssue({ code: 'custom', path: [index, 'name'], message: `the SLO ${sloId(slo)} is there twice` })
  })
})

function histogramSli(histogram: CounterSelector, threshold: string, excluded: readonly LabelMatcher[]): Sli {
  const named = (suffix: string) => narrowed({ ...histogram, metric: histogram.metric + suffix }, excluded)
  return { kind: 'good', total: named('_count'), good: narrowed(named('_bucket'), [bucket(threshold)]), excluded }
}

/** Prometheus 3 writes the bucket of 1 s as le="1.0", earlier ones and some libraries as le="1". */
function bucket(threshold: string): LabelMatcher {
  const seconds = String(inMs(threshold) / 1000)
  return seconds.includes('.') ? labelMatcher('le', '=', seconds) : labelMatcher('le', '=~', `${seconds}(\\.0)?`)
}

/** The name of an SLO among all: `gateway-availability`. */
export function sloId({ service, name }: Pick<Slo, 'service' | 'name'>): string {
  return `${service}-${name}`
}

/** The name of an SLO's alerts, which differ in their labels: `GatewayAvailabilityBudgetBurn`. */
export function alertName(slo: Pick<Slo, 'service' | 'name'>): string {
  const words = sloId(slo).split(/[-_]+/)
  return `${words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')}BudgetBurn`
}
