import { type AlertTiming, type Bound, firingBound, pendingBound, resolvingBound } from '../../lib/alert-timing.ts'
import { formatDuration, parseDuration } from '../../lib/duration.ts'
import { EnvironmentError } from '../../lib/errors.ts'
import { consistently, eventually, pause } from '../../lib/poll.ts'
import type { Window } from '../../lib/verdict.ts'
import { isFinal } from '../backends/http.ts'
import { literal } from '../backends/prometheus.ts'
import { type Check, concluded, type Finding, judged, type Outcome } from '../check.ts'
import type { AlertExpectation } from '../config.ts'
import type { RunContext } from '../context.ts'
import { type Lease, lease } from '../leases.ts'
import type { Sink } from '../sink.ts'

/** How often a trial looks; part of the bounds' slack. */
const lookMs = 200

/** Nothing fires while all is well, and the rules were evaluated all the while. */
export function quietCheck(context: RunContext, sink: Sink | undefined, window: Window): Check {
  return {
    id: 'alerts.quiet',
    title: 'no alert fires while the services are healthy',
    signal: 'alerts',
    run: async () => {
      const { prometheus } = context.backends
      const selector = 'ALERTS{alertstate="firing"}'
      const [from, to] = [window.from + context.facts.clockOffsetMs, window.to + context.facts.clockOffsetMs]
      const withinMs = 2 * context.facts.evaluationMs
      const polled = await consistently(
        async (attempt): Promise<Finding> => {
          // A dead Alertmanager delivers nothing either: silence counts only while it answers.
          const [fired, rules] = await Promise.all([
            prometheus.raw(selector, from, to, attempt),
            prometheus.rules(attempt),
            context.backends.alertmanager.active(attempt),
          ])
          const alerting = rules.filter(({ alerting }) => alerting)
          const stale = alerting.filter(({ lastEvaluation }) => lastEvaluation < to - 3 * context.facts.evaluationMs)
          // That an alert of an earlier load is over may be delivered late; it says nothing of this one.
          const delivered = (sink?.deliveries(window.from) ?? []).filter(
            ({ at, endedAt = at }) => at <= window.to && endedAt >= from,
          )
          return {
            actual: `${fired.length} firing series, ${delivered.length} notifications, ${alerting.length} alerting rules evaluated`,
            problems: [
              ...fired.map(({ labels }) => `${labels.alertname} fired (${labels.job ?? 'no job'})`),
              ...delivered.map(({ alert, status, receiver }) => `${alert} was delivered as ${status} to ${receiver}`),
              ...stale.map(({ name }) => `${name} was not evaluated`),
              ...(alerting.length === 0 ? ['there is no alerting rule, so silence proves nothing'] : []),
            ],
            empty: alerting.length === 0,
          }
        },
        ({ problems }) => problems.length === 0,
        { withinMs, signal: context.signal, isFinal, firstPauseMs: 300 },
      )
      const { query, time } = prometheus.rawQuery(selector, from, to)
      return concluded(polled, {
        expected: 'no firing alert, no notification',
        window,
        query,
        deadline: `watched for 2 evaluations of ${context.facts.evaluationMs / 1000} s`,
        reproduce: prometheus.client.curl('/api/v1/query', { query, time }),
        ...prometheus.client.link(`/alerts`),
      })
    },
  }
}

/** When the alert was first seen at each station; epoch milliseconds. */
interface Timeline {
  effect: number
  pending?: number
  firing?: number
  inAlertmanager?: number
  delivered?: number
  lifted: number
  inactive?: number
  resolvedDelivered?: number
  /** The last look's failure to ask, by backend. */
  unasked: Map<'prometheus' | 'alertmanager', string>
}

export interface TrialTools {
  readonly sink: Sink
  /** Drives traffic until aborted, and says when its set-up is over; resolves when the load has ended. */
  readonly drive: (expectation: AlertExpectation, signal: AbortSignal, underWay: () => void) => Promise<void>
  /** Told of the lease so that it is lifted even if muster is killed. */
  readonly guard: (lease: Lease) => () => void
  readonly faultUrl: string
}

/** What Prometheus and Alertmanager say of the rule; undefined if there is no such rule. */
export async function timingOf(context: RunContext, expectation: AlertExpectation): Promise<AlertTiming | undefined> {
  const { facts, backends } = context
  const rule = (await backends.prometheus.rules(context.signal)).find(
    ({ name, alerting }) => alerting && name === expectation.name,
  )
  if (!rule) return undefined
  return {
    scrape: facts.scrapeMs,
    evaluation: rule.evaluationMs,
    for: rule.forMs,
    keepFiringFor: rule.keepFiringForMs,
    groupWait: facts.groupWaitMs,
    groupInterval: facts.groupIntervalMs,
    rateWindow: parseDuration(expectation.rateWindow) ?? 0,
    threshold: expectation.threshold,
    injected: expectation.fault.ratio,
  }
}

/** Switches a fault on, follows the alert to the sink, lifts the fault and follows it back; the checks judge what was seen. */
export async function alertTrial(
  context: RunContext,
  expectation: AlertExpectation,
  tools: TrialTools,
): Promise<Check[]> {
  const timing = await timingOf(context, expectation)
  if (!timing) return [missingRule(expectation)]
  const bounds = { pending: pendingBound(timing), firing: firingBound(timing), resolving: resolvingBound(timing) }
  const enough = new AbortController()
  const signal = AbortSignal.any([context.signal, enough.signal])
  let underWay = false
  const load = tools.drive(expectation, signal, () => {
    underWay = true
  })
  // The load's own failure is the trial's; unhandled it would end the process.
  const loadLost = load.then(() => enough.abort(new EnvironmentError('The load for the alert ended too soon.')))
  loadLost.catch((error: unknown) => enough.abort(error))
  try {
    await trafficArrives(context, expectation, signal, () => underWay)
    const seen = await follow(context, expectation, tools, bounds, signal)
    return judge(context, expectation, tools.sink, bounds, seen)
  } finally {
    enough.abort(new Error('the trial is over'))
    await load.catch(() => {})
  }
}

function missingRule({ name }: AlertExpectation): Check {
  return {
    id: `alerts.delivered.${name}`,
    title: `${name} reaches its receiver within its bound`,
    signal: 'alerts',
    run: async () => {
      const now = Date.now()
      const finding: Finding = {
        actual: 'no such rule',
        problems: [`Prometheus has no alerting rule ${name}`],
        empty: true,
      }
      return judged(finding, { expected: `an alerting rule ${name}`, window: { from: now, to: now } })
    },
  }
}

/** A fault during k6's set-up would end the load; before any traffic it would have no effect. */
async function trafficArrives(
  context: RunContext,
  { fault, rateWindow }: AlertExpectation,
  signal: AbortSignal,
  underWay: () => boolean,
): Promise<void> {
  const service = context.config.services[fault.service]
  if (!service) throw new EnvironmentError(`services has no ${fault.service}`)
  const query = `sum(rate(${service.requests.metric}{job=${literal(service.job)}}[${rateWindow}]))`
  const polled = await eventually(
    (attempt) => context.backends.prometheus.instant(query, attempt),
    (rows) => underWay() && (rows[0]?.value ?? 0) > 1,
    { withinMs: 20_000, signal, isFinal },
  )
  if (polled.outcome === 'held') return
  const why =
    polled.error instanceof Error ? polled.error.message : `${query} stayed at ${polled.value?.[0]?.value ?? 'no data'}`
  throw new EnvironmentError(`No traffic was seen before the fault: ${why}.`)
}

async function follow(
  context: RunContext,
  { name, fault }: AlertExpectation,
  { sink, guard, faultUrl }: TrialTools,
  bounds: { firing: Bound; resolving: Bound },
  signal: AbortSignal,
): Promise<Timeline> {
  const ttlMs = Math.round(bounds.firing.latestMs + 15_000)
  const granted = await lease(faultUrl, { fault: fault.fault, ratio: fault.ratio, ttlMs })
  const unguard = guard(granted)
  const seen: Timeline = { effect: Date.now(), lifted: 0, unasked: new Map() }
  try {
    await watch(bounds.firing.latestMs, () => seen.delivered !== undefined)
  } finally {
    await granted.lift()
    unguard()
    seen.lifted = Date.now()
  }
  if (seen.firing !== undefined) {
    // Without a delivery there will be no resolved one either; Prometheus' own state is still followed.
    await watch(bounds.resolving.latestMs, () =>
      seen.delivered === undefined
        ? seen.inactive !== undefined
        : seen.resolvedDelivered !== undefined && seen.inactive !== undefined,
    )
  }
  return seen

  async function watch(withinMs: number, done: () => boolean): Promise<void> {
    const end = performance.now() + withinMs
    while (!done() && performance.now() < end) {
      await Promise.all([lookAtPrometheus(), lookAtAlertmanager()])
      for (const { at, alert, status } of sink.deliveries(seen.effect)) {
        if (alert !== name) continue
        if (status === 'firing') seen.delivered ??= at
        if (status === 'resolved') seen.resolvedDelivered ??= at
      }
      await pause(lookMs, signal)
    }
  }

  async function lookAtPrometheus(): Promise<void> {
    try {
      const rule = (await context.backends.prometheus.rules(signal)).find((candidate) => candidate.name === name)
      const now = Date.now()
      if (rule?.state === 'pending') seen.pending ??= now
      if (rule?.state === 'firing') seen.firing ??= now
      if (rule?.state === 'inactive' && seen.firing !== undefined) seen.inactive ??= now
      seen.unasked.delete('prometheus')
    } catch (error) {
      signal.throwIfAborted()
      seen.unasked.set('prometheus', error instanceof Error ? error.message : String(error))
    }
  }

  async function lookAtAlertmanager(): Promise<void> {
    try {
      const active = await context.backends.alertmanager.active(signal)
      if (active.includes(name)) seen.inAlertmanager ??= Date.now()
      seen.unasked.delete('alertmanager')
    } catch (error) {
      signal.throwIfAborted()
      seen.unasked.set('alertmanager', error instanceof Error ? error.message : String(error))
    }
  }
}

function judge(
  context: RunContext,
  { name }: AlertExpectation,
  sink: Sink,
  bounds: { pending: Bound; firing: Bound; resolving: Bound },
  seen: Timeline,
): Check[] {
  const { prometheus, alertmanager } = context.backends
  const window = { from: seen.effect, to: Date.now() }
  const rules = {
    query: '/api/v1/rules',
    reproduce: prometheus.client.curl('/api/v1/rules'),
    ...prometheus.client.link(`/alerts`),
  }
  const active = {
    query: '/api/v2/alerts',
    reproduce: alertmanager.client.curl('/api/v2/alerts'),
    ...alertmanager.client.link(`/#/alerts`),
  }
  const station = (
    id: string,
    title: string,
    at: number | undefined,
    since: number,
    bound: Bound,
    asked: { query: string; reproduce?: string; link?: string },
    backends: readonly ('prometheus' | 'alertmanager')[],
  ): Check => ({
    id: `alerts.${id}.${name}`,
    title: `${name} ${title}`,
    signal: 'alerts',
    run: async (): Promise<Outcome> => {
      const expected = `after ${formatDuration(bound.earliestMs)} to ${formatDuration(bound.latestMs)}`
      const asking = { expected, window, deadline: bound.derivation, ...asked }
      const lost = at === undefined ? backends.map((backend) => seen.unasked.get(backend)).find(Boolean) : undefined
      if (lost)
        return {
          verdict: 'errored',
          reason: lost,
          evidence: { ...asking, actual: 'could not ask', attempts: 1, elapsedMs: 0 },
        }
      if (at === undefined)
        return judged({ actual: 'never', problems: [`${name} never ${title.replace(/ within.*/, '')}`] }, asking)
      const took = at - since
      const late =
        took > bound.latestMs ? [`${formatDuration(took)} is later than ${formatDuration(bound.latestMs)}`] : []
      const early =
        took < bound.earliestMs ? [`${formatDuration(took)} is earlier than ${formatDuration(bound.earliestMs)}`] : []
      return judged({ actual: `after ${formatDuration(took)}`, problems: [...late, ...early] }, asking)
    },
  })
  const upTo = (bound: Bound): Bound => ({ ...bound, earliestMs: 0 })
  return [
    station('pending', 'becomes pending within its bound', seen.pending, seen.effect, bounds.pending, rules, [
      'prometheus',
    ]),
    station('firing', 'fires in Prometheus within its bound', seen.firing, seen.effect, upTo(bounds.firing), rules, [
      'prometheus',
    ]),
    station(
      'alertmanager',
      'is active in Alertmanager within its bound',
      seen.inAlertmanager,
      seen.effect,
      upTo(bounds.firing),
      active,
      ['prometheus', 'alertmanager'],
    ),
    station(
      'delivered',
      'reaches its receiver within its bound',
      seen.delivered,
      seen.effect,
      bounds.firing,
      { query: sink.url },
      ['prometheus', 'alertmanager'],
    ),
    station(
      'resolved',
      'is inactive in Prometheus within its bound after the fault',
      seen.inactive,
      seen.lifted,
      upTo(bounds.resolving),
      rules,
      ['prometheus'],
    ),
    station(
      'resolved-delivered',
      'is reported resolved to its receiver within its bound after the fault',
      seen.resolvedDelivered,
      seen.lifted,
      bounds.resolving,
      { query: sink.url },
      ['prometheus', 'alertmanager'],
    ),
    {
      id: `alerts.nothing-else.${name}`,
      title: `nothing but ${name} is delivered`,
      signal: 'alerts',
      run: async () => {
        const deliveries = sink.deliveries(seen.effect)
        const others = deliveries.filter(({ alert }) => alert !== name)
        const problems = [
          ...others.map(({ alert, status, receiver }) => `${alert} (${status}) arrived at ${receiver}`),
          ...sink.malformed.map((body) => `what arrived was no notification: ${body}`),
        ]
        return judged(
          { actual: `${deliveries.length} alerts delivered, ${others.length} of them unexpected`, problems },
          { expected: `only ${name}`, window, query: sink.url },
        )
      },
    },
  ]
}
