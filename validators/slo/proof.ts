import type { BurnAlert } from '../../lib/burn-evaluator.ts'
import { generateIncidents, type Incident } from '../../lib/burn-incident.ts'
import { type BurnWindow, burnFactor, burnThreshold, percent } from '../../lib/burn-rate.ts'
import { UsageError } from '../../lib/errors.ts'
import { formatPrometheusDuration } from '../../lib/prometheus-duration.ts'
import type { CheckResult } from '../../lib/verdict.ts'
import { type Finding, judged } from '../check.ts'
import { type Accuracy, accuracyOf, evaluate, precision, recall } from './accuracy.ts'
import { eventsPerStep, type Simulation, simulate } from './simulation.ts'
import { type Slo, sloId } from './slo.ts'
import { defaultInterval, stepFor } from './step.ts'
import { compareFiring, type Firing, observed, predicted, type Trial, trialsOf } from './theory.ts'
import { type Witnesses, witnessesOf } from './witness.ts'

export interface ProofOptions {
  /** Path of the program. */
  readonly promtool: string
  /** The text of the rule file to prove. */
  readonly rules: string
  /** The scrape and evaluation interval to assume; by default a minute or what the windows ask for. */
  readonly intervalMs?: number | undefined
  /** Generated incidents for precision and recall. */
  readonly incidents: number
  readonly seed: number
  /** What precision and recall must reach. */
  readonly accuracy: number
  readonly signal: AbortSignal
}

type Alert = BurnAlert & BurnWindow & { readonly window: string }
type Firings = ReadonlyMap<string, Firing>

/** How an answer of promtool is judged. */
interface Question {
  readonly id: string
  readonly title: string
  readonly expected: string
  readonly simulation: Simulation
  readonly judge: (firings: Firings) => Finding
}

/**
 * Proves an SLO's rules in simulated time: against the formulas, against our own evaluator, and for what they must not count;
 * then how right the alerts are over generated incidents.
 * @throws UsageError for selectors that contradict each other, or windows too short for the interval
 */
export async function proveSlo(slo: Slo, options: ProofOptions): Promise<CheckResult[]> {
  const startedAt = Date.now()
  const witnesses = witnessesOf(slo.sli)
  if (typeof witnesses === 'string') throw new UsageError(`The SLI of ${sloId(slo)} cannot be: ${witnesses}.`)
  const intervalMs = intervalOf(slo, options.intervalMs)
  const alerts = alertsOf(slo)
  const questions = [
    ...alerts.flatMap((alert) => {
      const stepMs = stepFor(alert, intervalMs)
      return trialsOf(alert, stepMs).map((trial) => trialQuestion(slo, witnesses, alert, trial, stepMs))
    }),
    ...bystanderQuestions(slo, witnesses, alerts, intervalMs),
  ]
  const simulations = [
    ...questions.map(({ simulation }) => simulation),
    ...agreementIncidents(alerts, options.seed, intervalMs).map((one) => ({ slo, witnesses, ...one })),
  ]
  const answers = await simulate(simulations, options)
  const elapsedMs = Date.now() - startedAt
  return [
    ...questions.map(({ id, title, expected, judge }, index) =>
      result(id, title, expected, judge(answers[index] ?? new Map()), elapsedMs),
    ),
    agreement(slo, alerts, witnesses, simulations, answers, elapsedMs),
    ...accuracyResults(slo, alerts, intervalMs, options),
  ]
}

function intervalOf(slo: Slo, given: number | undefined): number {
  const intervalMs = given ?? defaultInterval(slo)
  const short = slo.windows.find(({ shortMs }) => shortMs < 2 * intervalMs)
  if (short) {
    throw new UsageError(
      `The SLO ${sloId(slo)} has a window of ${formatPrometheusDuration(short.shortMs)}, which at an interval of ${formatPrometheusDuration(intervalMs)} holds fewer than two scrapes: shorten --interval or lengthen the window.`,
    )
  }
  return intervalMs
}

function alertsOf(slo: Slo): Alert[] {
  return slo.windows.map((window) => ({
    ...window,
    threshold: burnThreshold(burnFactor(window, slo.periodMs), slo.objective),
    window: formatPrometheusDuration(window.longMs),
  }))
}

function trialQuestion(slo: Slo, witnesses: Witnesses, alert: Alert, trial: Trial, stepMs: number): Question {
  const { window } = alert
  return {
    id: `slo.proof.${trial.name}.${sloId(slo)}.${window}`,
    title: `${sloId(slo)}, the alert over ${window}: ${trial.title}`,
    expected: predicted(trial, stepMs),
    simulation: { slo, witnesses, incident: trial.incident, stepMs },
    judge: (firings) => {
      const firing = firings.get(window)
      return { actual: observed(trial, firing, stepMs), problems: compareFiring(trial, firing, stepMs) }
    },
  }
}

/** How many times the SLI's own events those are that it must leave out. */
const flood = 20

/** Events that are good, or none of the SLI's: however many there are, they must change nothing. */
function bystanderQuestions(slo: Slo, witnesses: Witnesses, alerts: readonly Alert[], intervalMs: number): Question[] {
  const [first] = alerts
  if (!first) return []
  const stepMs = stepFor(first, intervalMs)
  const trials = trialsOf(first, stepMs)
  const slow = trials.find(({ name }) => name === 'slow')
  const about = (name: string) => `slo.proof.${name}.${sloId(slo)}`
  // Windows that are not full yet show the same ratio, so every alert is judged at once.
  const clean: Incident = [{ steps: Math.ceil(first.longMs / stepMs), badRatio: 0 }]
  const silent = (firings: Firings): Finding => ({
    actual: firings.size === 0 ? 'never fired' : `fired over ${[...firings.keys()].join(', ')}`,
    problems: [...firings].map(
      ([window, { count }]) => `the alert over ${window} fired at ${count} evaluations without a bad event`,
    ),
  })
  const healthy: Question = {
    id: about('healthy'),
    title: `${sloId(slo)}: good events of any kind never fire an alert`,
    expected: `never fires: only good events, ${witnesses.otherGood.length} kinds of them besides the usual`,
    simulation: {
      slo,
      witnesses,
      incident: clean,
      stepMs,
      ...(witnesses.otherGood.length > 0 ? { besides: { counters: witnesses.otherGood, times: flood } } : {}),
    },
    judge: silent,
  }
  const { excluded } = witnesses
  if (!slow) return [healthy]
  const diluted = trialQuestion(slo, witnesses, first, slow, stepMs)
  const questions = excluded.flatMap(({ label, good, bad }): Question[] => {
    const end = excluded.length === 1 ? '' : `.${label}`
    return [
      {
        ...diluted,
        id: about(`excluded${end}`),
        title: `${sloId(slo)}: what the SLI leaves out by ${label} does not dilute the bad ratio`,
        expected: `${diluted.expected}, beside ${flood} excluded events (${good.join(', ')}) for each of the SLI`,
        simulation: { ...diluted.simulation, besides: { counters: [good], times: flood } },
      },
      {
        id: about(`excluded-failing${end}`),
        title: `${sloId(slo)}: what the SLI leaves out by ${label} may fail without an alert`,
        expected: `never fires: ${bad.join(', ')} grows, all events of the SLI are good`,
        simulation: { slo, witnesses, incident: clean, stepMs, besides: { counters: [bad], times: 1 } },
        judge: silent,
      },
    ]
  })
  return [healthy, ...questions]
}

/** Two of each alert's windows, and one as long as all windows need, scraped at the real interval. */
function agreementIncidents(
  alerts: readonly Alert[],
  seed: number,
  intervalMs: number,
): { incident: Incident; stepMs: number }[] {
  const short = alerts.flatMap((alert, index) => {
    const stepMs = stepFor(alert, intervalMs)
    const options = { windows: [alert], thresholds: [alert.threshold], stepMs }
    return generateIncidents(2, seed + index, options).map((incident) => ({ incident, stepMs }))
  })
  const thresholds = alerts.map(({ threshold }) => threshold)
  const full = generateIncidents(1, seed, { windows: alerts, thresholds, stepMs: intervalMs })
  return [...short, ...full.map((incident) => ({ incident, stepMs: intervalMs }))]
}

/** Do promtool and our evaluator say the same of every alert in every incident without bystanders? */
function agreement(
  slo: Slo,
  alerts: readonly Alert[],
  { startsAt }: Witnesses,
  simulations: readonly Simulation[],
  answers: readonly Firings[],
  elapsedMs: number,
): CheckResult {
  const compared = simulations.flatMap(({ incident, stepMs, besides }, index) =>
    besides ? [] : [{ incident, stepMs, answer: answers[index] ?? new Map<string, Firing>(), number: index + 1 }],
  )
  const problems = compared.flatMap(({ incident, stepMs, answer, number }) =>
    evaluate(alerts, incident, stepMs, startsAt / eventsPerStep).flatMap((own, index) => {
      const { window = '' } = alerts[index] ?? {}
      const theirs = answer.get(window)
      if (same(own, theirs)) return []
      return [`incident ${number}, the alert over ${window}: promtool ${shown(theirs)}, muster ${shown(own)}`]
    }),
  )
  const finding = {
    actual: `the same in ${compared.length - new Set(problems.map((text) => text.split(',')[0])).size} of ${compared.length} incidents`,
    problems,
  }
  return result(
    `slo.agreement.${sloId(slo)}`,
    `${sloId(slo)}: promtool and muster's own evaluator fire at the same evaluations`,
    `the same first and last evaluation, and as many, of ${alerts.length} alerts in ${compared.length} incidents`,
    finding,
    elapsedMs,
  )
}

function same(one: Firing | undefined, other: Firing | undefined): boolean {
  return one?.first === other?.first && one?.last === other?.last && one?.count === other?.count
}

function shown(firing: Firing | undefined): string {
  return firing ? `fires at ${firing.count} evaluations from ${firing.first} to ${firing.last}` : 'never fires'
}

function accuracyResults(
  slo: Slo,
  alerts: readonly Alert[],
  intervalMs: number,
  { incidents: count, seed, accuracy: least }: ProofOptions,
): CheckResult[] {
  const startedAt = Date.now()
  const { each, together } = accuracyOf(alerts, { count, seed, stepMs: intervalMs })
  const elapsedMs = Date.now() - startedAt
  const question = (
    name: 'precision' | 'recall',
    means: string,
    of: (accuracy: Accuracy) => number | undefined,
  ): CheckResult => {
    const value = of(together)
    const rows = alerts.map(({ window }, index) => {
      const own = each[index]
      return `${window}: ${share(own && of(own))} (${own?.caught} caught, ${own?.missed} missed, ${own?.false} false)`
    })
    const outcome = result(
      `slo.${name}.${sloId(slo)}`,
      `${sloId(slo)}: ${means}`,
      `at least ${percent(least)} over ${count} generated incidents (seed ${seed})`,
      {
        actual: `${share(value)}: ${together.caught} caught, ${together.missed} missed, ${together.false} false alarms`,
        problems: value !== undefined && value < least ? [`the ${name} is ${share(value)}`] : [],
        empty: value === undefined,
      },
      elapsedMs,
    )
    return { ...outcome, evidence: { ...outcome.evidence, details: rows } }
  }
  return [
    question('precision', 'what fires an alert has spent its share of the budget', precision),
    question('recall', 'what spends an alert’s share of the budget fires one', recall),
  ]
}

function share(value: number | undefined): string {
  return value === undefined ? 'nothing to judge' : percent(value)
}

function result(id: string, title: string, expected: string, finding: Finding, elapsedMs: number): CheckResult {
  const outcome = judged(finding, { expected, window: { from: 0, to: 0 } })
  const { window: _, ...evidence } = outcome.evidence
  return { id, title, signal: 'slo', ...outcome, evidence: { ...evidence, elapsedMs } }
}
