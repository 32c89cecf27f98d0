import {
  type Bound,
  boundWords,
  deliveredBound,
  endedBound,
  firingBound,
  inactiveBound,
  pendingBound,
  postedBound,
  type RouteTiming,
  type RuleTiming,
  resolvedBound,
} from '../../lib/alert-timing.ts'
import { parseDuration } from '../../lib/duration.ts'
import { UsageError } from '../../lib/errors.ts'
import type { Rule } from '../backends/prometheus.ts'
import { crossingOf } from './crossing.ts'
import { type Expected, hearsResolution, type Trial } from './expectation.ts'
import { destinationsOf, meantBy, type Routing, routeTimings, undrilled } from './routes.ts'
import { alertWords, type Labels } from './timeline.ts'

/** An alert that a trial expects, with what Prometheus says of its rule. */
export interface PlannedAlert {
  readonly expected: Expected
  /** How the alert is called in the ids of its checks. */
  readonly name: string
  /** Of every rule that can make it; none if Prometheus has no such rule, and for a synthetic alert. */
  readonly rules: readonly RuleTiming[]
  /** What is known of its labels before it fires. */
  readonly labels: Labels
  readonly synthetic: boolean
}

export interface TrialPlan {
  readonly trial: Trial
  readonly toleranceMs: number
  readonly alerts: readonly PlannedAlert[]
  readonly routing: Routing
  /** Alerts of Prometheus' rules, by which a text is read. */
  readonly known: readonly string[]
}

/**
 * Finds what a trial's bounds rest on.
 * @param rules all that Prometheus has
 * @param facts `repeated`: alerts that several trials expect
 * @throws UsageError if a crossing can't be derived and is not stated, if the fault can never cause the alert, or if a
 * synthetic alert would reach anybody but test receivers
 */
export function planTrial(
  trial: Trial,
  rules: readonly Rule[],
  routing: Routing,
  { scrapeMs, repeated = new Set() }: { readonly scrapeMs: number; readonly repeated?: ReadonlySet<string> },
): TrialPlan {
  const recorded = new Map(rules.filter(({ alerting }) => !alerting).map(({ name, query }) => [name, query]))
  const alerts = trial.expect.map((expected): PlannedAlert => {
    const name = repeated.has(expected.alert) ? `${expected.alert}@${trial.name}` : expected.alert
    if (trial.fault.kind === 'synthetic')
      return { expected, name, labels: trial.fault.labels, synthetic: true, rules: [] }
    const own = rules.filter((rule) => rule.alerting && rule.name === expected.alert && mayHave(rule, expected))
    const labels = { ...staticLabels(own[0]?.labels ?? {}), ...expected.labels, alertname: expected.alert }
    return { expected, name, labels, synthetic: false, rules: timingsOf(own, expected) }
  })

  function timingsOf(own: readonly Rule[], expected: Expected): RuleTiming[] {
    const who = `${expected.alert} in the trial "${trial.name}"`
    const never: string[] = []
    const timings = own.flatMap((rule) => {
      const crossing = crossingOf(rule.query, trial.fault, expected.crosses, recorded)
      if (!crossing)
        throw new UsageError(
          `How soon the fault crosses the expression of ${who} cannot be derived from "${oneLine(rule.query)}": state crosses in its expectation.`,
        )
      if ('never' in crossing) {
        never.push(crossing.never)
        return []
      }
      const { evaluationMs: evaluation, forMs, keepFiringForMs: keepFiringFor } = rule
      return [{ scrape: scrapeMs, evaluation, for: forMs, keepFiringFor, crossing }]
    })
    if (timings.length === 0 && never.length > 0) throw new UsageError(`${who} can never fire: ${never.join('; ')}.`)
    return timings
  }
  refuseAstray(trial, routing)
  refuseUnset(trial)
  return {
    trial,
    toleranceMs: parseDuration(trial.tolerance) ?? 0,
    alerts,
    routing,
    known: [...new Set(rules.filter(({ alerting }) => alerting).map(({ name }) => name))],
  }
}

/** Rules of one name tell themselves apart by their labels; what a template makes of one is not known yet. */
function mayHave({ labels }: Rule, expected: Expected): boolean {
  const known = staticLabels(labels)
  return Object.entries(expected.labels).every(([key, value]) => known[key] === undefined || known[key] === value)
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

/** Templates are filled in only when the rule fires. */
function staticLabels(labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([, value]) => !value.includes('{{')))
}

/** A synthetic alert must not wake anybody: every route that it takes must ask for the label of drills. */
function refuseAstray({ name, fault }: Trial, routing: Routing): void {
  if (fault.kind !== 'synthetic') return
  const who = `The synthetic alert ${alertWords(fault.labels)} of the trial "${name}"`
  if (fault.labels[fault.drill] === undefined)
    throw new UsageError(`${who} has no label ${fault.drill}, by which only test routes take it: add it to its labels.`)
  const [route] = undrilled(fault.labels, fault.drill, routing)
  if (route)
    throw new UsageError(
      `${who} would go to ${route.receiver} by ${route.path}, which does not ask for the label ${fault.drill}: give Alertmanager a route above it that does.`,
    )
}

/** What lifts a fault must be there before the fault is. */
function refuseUnset({ name, fault }: Trial): void {
  if (fault.kind !== 'call') return
  for (const key of ['call', 'lift'] as const) {
    for (const [header, variable] of Object.entries(fault[key].headersEnv)) {
      if (process.env[variable] !== undefined) continue
      throw new UsageError(
        `The trial "${name}" wants the environment variable ${variable} for the header ${header} of its ${key}: set it.`,
      )
    }
  }
}

export interface AlertBounds {
  readonly pending: Bound
  readonly firing: Bound
  readonly inactive: Bound
}

/** The bounds of an alert's states in Prometheus; undefined for one that no rule makes. */
export function stateBounds({ rules }: PlannedAlert, { toleranceMs }: TrialPlan): AlertBounds | undefined {
  if (rules.length === 0) return undefined
  return {
    pending: soonest(rules.map((rule) => pendingBound(rule, toleranceMs))),
    firing: soonest(rules.map((rule) => firingBound(rule, toleranceMs))),
    inactive: widest(rules.map((rule) => inactiveBound(rule, toleranceMs))),
  }
}

export interface DeliveryBounds {
  readonly delivered: Bound
  readonly resolved: Bound
  /** Whether the integrations report resolutions. */
  readonly sendResolved: boolean
  /** The shortest repeat_interval; milliseconds. */
  readonly repeatMs: number
}

/**
 * The bounds of an alert's notifications at a receiver; undefined if none of its routes leads to any integration, or if it
 * has no rule.
 * @param labels as it has them in Alertmanager, or as far as they are known
 * @param mayJoin whether the group of a route may exist already
 */
export function deliveryBounds(
  alert: PlannedAlert,
  entry: string,
  { routing, toleranceMs }: TrialPlan,
  { labels = alert.labels, mayJoin = false, seenType }: { labels?: Labels; mayJoin?: boolean; seenType?: string } = {},
): DeliveryBounds | undefined {
  const { rules, synthetic } = alert
  const meant = meantBy(entry, destinationsOf(labels, routing), seenType)
  if (meant.length === 0 || (rules.length === 0 && !synthetic)) return undefined
  const fired = (route: RouteTiming) =>
    synthetic ? postedBound(route, toleranceMs) : soonest(rules.map((rule) => deliveredBound(rule, route, toleranceMs)))
  const ended = (route: RouteTiming) =>
    synthetic ? endedBound(route, toleranceMs) : widest(rules.map((rule) => resolvedBound(rule, route, toleranceMs)))
  const timings = routeTimings(meant, mayJoin)
  return {
    delivered: widest(timings.map(fired)),
    resolved: widest(timings.map(ended)),
    sendResolved: meant.some(({ sendResolved }) => sendResolved),
    repeatMs: Math.min(...meant.map(({ route }) => route.repeatIntervalMs)),
  }
}

/** Of several rules the first to fire makes the alert. */
function soonest(bounds: readonly Bound[]): Bound {
  const first = bounds.reduce((one, other) => (other.latestMs < one.latestMs ? other : one))
  return { ...first, earliestMs: Math.min(...bounds.map(({ earliestMs }) => earliestMs)) }
}

function widest(bounds: readonly Bound[]): Bound {
  const latest = bounds.reduce((one, other) => (other.latestMs > one.latestMs ? other : one))
  return { ...latest, earliestMs: Math.min(...bounds.map(({ earliestMs }) => earliestMs)) }
}

/** How long the fault may take to be told to everybody, and its end; milliseconds. An alert's own demand cuts it short. */
export function longest(plan: TrialPlan): { fireMs: number; resolveMs: number } {
  const fires: number[] = []
  const resolves: number[] = []
  for (const alert of plan.alerts) {
    const demanded = parseDuration(alert.expected.within ?? '')
    const limit = demanded === undefined ? Number.POSITIVE_INFINITY : demanded + plan.toleranceMs
    const states = stateBounds(alert, plan)
    if (states) {
      fires.push(Math.min(limit, states.firing.latestMs))
      resolves.push(states.inactive.latestMs)
    }
    for (const entry of alert.expected.reaches) {
      const bounds = deliveryBounds(alert, entry, plan, { mayJoin: true })
      if (!bounds) continue
      fires.push(Math.min(limit, bounds.delivered.latestMs))
      resolves.push(bounds.resolved.latestMs)
    }
  }
  return { fireMs: Math.max(plan.toleranceMs, ...fires), resolveMs: Math.max(plan.toleranceMs, ...resolves) }
}

/** The plan in sentences, for the reader before the run. */
export function planWords(plan: TrialPlan): string[] {
  return plan.alerts.flatMap((alert) => {
    const { expected, name } = alert
    const states = stateBounds(alert, plan)
    const sentence = (what: string, bound: Bound) => `${name} ${what} after ${boundWords(bound)}: ${bound.derivation}`
    const hearing = (entries: readonly string[]) => {
      const hearers = entries.filter((entry) => hearsResolution(expected, entry))
      return hearers.length > 0 ? [hearers.join(', ')] : []
    }
    // Receivers with equal times share a sentence.
    const told = new Map<string, { entries: string[]; bounds: DeliveryBounds }>()
    for (const entry of expected.reaches) {
      const bounds = deliveryBounds(alert, entry, plan)
      if (!bounds) continue
      const key = `${bounds.delivered.derivation} ${bounds.resolved.derivation}`
      const same = told.get(key)
      if (same) same.entries.push(entry)
      else told.set(key, { entries: [entry], bounds })
    }
    const deliveries = [...told.values()].flatMap(({ entries, bounds }) => [
      sentence(`reaches ${entries.join(', ')}`, bounds.delivered),
      ...hearing(entries).map((hearers) => sentence(`is reported resolved to ${hearers}`, bounds.resolved)),
    ])
    return deliveries.length > 0 || !states
      ? deliveries
      : [sentence('fires', states.firing), sentence('is inactive', states.inactive)]
  })
}

/** The trial in one line: what is done, and what must follow. */
export function trialWords({ name, fault, at, expect, inhibits }: Trial): string {
  const what =
    fault.kind === 'service'
      ? `${fault.fault} on ${fault.service} at ${+(fault.ratio * 100).toPrecision(3)} %`
      : fault.kind === 'call'
        ? `${fault.call.method} ${fault.call.url}`
        : fault.kind === 'command'
          ? fault.command.join(' ')
          : `the synthetic alert ${alertWords(fault.labels)}`
  const follows = expect.map(({ alert, reaches }) =>
    reaches.length > 0 ? `${alert} reaches ${reaches.join(', ')}` : `${alert} fires`,
  )
  const inhibited = inhibits.length > 0 ? [`inhibits ${inhibits.join(', ')}`] : []
  return `${name}: ${what} after ${at}; ${[...follows, ...inhibited].join('; ')}`
}
