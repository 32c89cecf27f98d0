import type { AlertLane } from '../../lib/course.ts'
import { parseDuration } from '../../lib/duration.ts'
import { EnvironmentError } from '../../lib/errors.ts'
import { eventually, pause } from '../../lib/poll.ts'
import { isFinal } from '../backends/http.ts'
import { literal, verbatim } from '../backends/prometheus.ts'
import { type Check, judged, type Outcome } from '../check.ts'
import { lookback, type RunContext } from '../context.ts'
import { counterOf, jobOf } from '../coverage.ts'
import { agreeCheck } from './agree.ts'
import { sourcesOf, told } from './evidence.ts'
import { hearsResolution } from './expectation.ts'
import { type FaultTools, switchOn } from './fault.ts'
import { inhibitedCheck } from './inhibited.ts'
import { lanesOf } from './lane.ts'
import { nothingElseCheck, repeatCheck, textChecks } from './notifications.ts'
import { deliveryBounds, longest, type PlannedAlert, type TrialPlan } from './plan.ts'
import { arrivedOf, spellsOf } from './receivers.ts'
import { stationChecks } from './stations.ts'
import { type AlertsSeries, alertWords, endOf, isAlert, type Timeline } from './timeline.ts'
import { type Ears, Watch } from './watch.ts'

export interface TrialTools extends FaultTools {
  readonly ears: Ears
  /** Told how the alerts went, before they are judged. */
  readonly tellLanes?: (lanes: readonly AlertLane[]) => void
  /** Drives traffic until aborted, and says when its set-up is over; resolves when the load has ended. */
  readonly drive: (load: { scenario: string; rate: number }, signal: AbortSignal, underWay: () => void) => Promise<void>
}

/** A lease ends by itself this long after the last moment at which muster would lift it. */
const leaseSlackMs = 15_000

/** Traffic must be seen before a fault can have an effect. */
const trafficWithinMs = 20_000

/** Holds a trial; its checks judge what was seen. */
export async function holdTrial(context: RunContext, plan: TrialPlan, tools: TrialTools): Promise<Check[]> {
  const missing = plan.alerts.filter(({ rules, synthetic }) => rules.length === 0 && !synthetic)
  const without = missing.map(missingRule)
  if (missing.length === plan.alerts.length) return without
  const held = { ...plan, alerts: plan.alerts.filter((alert) => !missing.includes(alert)) }
  const timeline = await underLoad(context, held, tools, (signal) => follow(context, held, tools, signal))
  tools.tellLanes?.(lanesOf(held, timeline, sourcesOf(context.backends)))
  return [...judge(held, timeline, context), ...without]
}

function missingRule({ name, expected: { alert } }: PlannedAlert): Check {
  return told(`firing.${name}`, `${name} fires in Prometheus within its bound`, () => {
    const now = Date.now()
    const problems = [`Prometheus has no alerting rule ${alert}`]
    return judged(
      { actual: 'no such rule', problems, empty: true },
      { expected: `an alerting rule ${alert}`, window: { from: now, to: now } },
    )
  })
}

/** Every check of a trial. */
export function judge(plan: TrialPlan, timeline: Timeline, { backends }: Pick<RunContext, 'backends'>): Check[] {
  const sources = sourcesOf(backends)
  const checks = [
    ...plan.alerts.flatMap((alert) => [
      ...stationChecks(alert, plan, timeline, sources),
      ...textChecks(alert, timeline, sources),
      ...(alert.expected.reaches.length > 0 ? [repeatCheck(alert, plan, timeline, sources)] : []),
      agreeCheck(alert, plan, timeline, sources),
    ]),
    ...plan.trial.inhibits.map((target) => inhibitedCheck(target, plan, timeline, sources)),
    nothingElseCheck(plan, timeline, sources),
  ]
  return checks.map((check) => ({ ...check, run: async () => overall(await check.run(), timeline) }))
}

/** The trial was watched once for all of its checks: that watch is what each of them rests on. */
function overall(outcome: Outcome, { looks, startedAt, endedAt }: Timeline): Outcome {
  return { ...outcome, evidence: { ...outcome.evidence, attempts: looks, elapsedMs: endedAt - startedAt } }
}

async function underLoad<T>(
  context: RunContext,
  { trial }: TrialPlan,
  { drive }: TrialTools,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const enough = new AbortController()
  const signal = AbortSignal.any([context.signal, enough.signal])
  let underWay = false
  const load = trial.load
    ? drive(trial.load, signal, () => {
        underWay = true
      }).then(() => enough.abort(new EnvironmentError(`The load of the trial "${trial.name}" ended too soon.`)))
    : undefined
  // Its own failure is the trial's; unhandled it would end the process.
  load?.catch((error: unknown) => enough.abort(error))
  try {
    if (load) await trafficArrives(context, trial, signal, () => underWay)
    return await task(signal)
  } finally {
    enough.abort(new Error('the trial is over'))
    await load?.catch(() => {})
  }
}

/** A fault during k6's set-up would end the load; before any traffic it would have no effect. */
async function trafficArrives(
  context: RunContext,
  { name, fault }: TrialPlan['trial'],
  signal: AbortSignal,
  underWay: () => boolean,
): Promise<void> {
  const service = fault.kind === 'service' ? context.config.services[fault.service] : undefined
  const query = service
    ? `sum(rate(${counterOf(service)}{job=${literal(jobOf(service))}}[${lookback(context.facts)}ms]))`
    : 'vector(1)'
  const polled = await eventually(
    (attempt) => context.backends.prometheus.instant(query, attempt),
    (rows) => underWay() && (rows[0]?.value ?? 0) > 0,
    { withinMs: trafficWithinMs, signal, isFinal },
  )
  if (polled.outcome === 'held') return
  const why =
    polled.error instanceof Error ? polled.error.message : `${query} stayed at ${polled.value?.[0]?.value ?? 'no data'}`
  throw new EnvironmentError(`No traffic was seen before the fault of "${name}": ${why}.`)
}

async function follow(
  context: RunContext,
  plan: TrialPlan,
  { ears, ...tools }: TrialTools,
  signal: AbortSignal,
): Promise<Timeline> {
  const { trial } = plan
  const { prometheus, alertmanager } = context.backends
  const limits = longest(plan)
  const startedAt = Date.now()
  const strangersBefore = ears.strangers.length
  const watch = new Watch(context.backends, signal)
  try {
    await pause(parseDuration(trial.at) ?? 0, signal)
    await calm(plan, watch, signal)
    const groupsLinger = (await alertmanager.lingeringGroups(signal)) !== 0
    const before = new Set(watch.current.map(({ labels }) => alertWords(labels)))
    const lastsMs = parseDuration(trial.for ?? '')
    const fault = await switchOn(trial, Math.ceil(lastsMs ?? limits.fireMs) + leaseSlackMs, tools, alertmanager)
    const seen = () => ({
      prometheus: watch.prometheus,
      alertmanager: watch.alertmanager,
      notifications: ears.notifications(startedAt),
    })
    let lifted: Timeline['lifted']
    try {
      const told = () => lastsMs === undefined && plan.alerts.every((alert) => isTold(alert, seen())) && inhibitedSeen()
      await watch.until(told, lastsMs ?? limits.fireMs, signal)
    } finally {
      lifted = await fault.lift()
    }
    await watch.until(() => isOver(), limits.resolveMs, signal)
    const endedAt = Date.now()
    const [series, outgoing] = await Promise.all([
      seriesOf(context, plan, startedAt, endedAt).catch(ignoredUnlessAborted),
      prometheus.outgoing(signal).catch(ignoredUnlessAborted),
    ])
    return {
      startedAt,
      effect: fault.effect,
      lifted,
      endedAt,
      looks: watch.looks,
      ...seen(),
      groupsLinger,
      strangers: ears.strangers.slice(strangersBefore),
      unasked: watch.unasked,
      ...(series ? { series } : {}),
      ...(outgoing ? { outgoing } : {}),
    }

    function inhibitedSeen(): boolean {
      return trial.inhibits.every((target) =>
        watch.alertmanager.some(({ labels, state }) => isAlert(labels, target) && state === 'suppressed'),
      )
    }

    /** All that came is gone, and was told to be gone. */
    function isOver(): boolean {
      const stays = plan.alerts.filter(({ expected }) => expected.resolves === false)
      const left = watch.current.filter(
        ({ labels }) =>
          !before.has(alertWords(labels)) && !stays.some(({ expected }) => isAlert(labels, expected.alert)),
      )
      return left.length === 0 && stays.length === 0 && plan.alerts.every((alert) => isResolved(alert, plan, seen()))
    }

    function ignoredUnlessAborted(): undefined {
      signal.throwIfAborted()
      return undefined
    }
  } finally {
    await watch.stop()
  }
}

type Seen = Pick<Timeline, 'prometheus' | 'alertmanager' | 'notifications'>

function isTold(alert: PlannedAlert, seen: Seen): boolean {
  const { reaches } = alert.expected
  if (reaches.some((entry) => arrivedOf(alert, entry, seen.notifications).firing.length === 0)) return false
  return alert.synthetic || spellsOf(alert, seen).prometheus.some(({ state }) => state === 'firing')
}

function isResolved(alert: PlannedAlert, plan: TrialPlan, seen: Seen): boolean {
  const spells = spellsOf(alert, seen)
  if (!alert.synthetic && spells.prometheus.length > 0 && endOf(spells.prometheus) === undefined) return false
  const hearers = alert.expected.reaches.filter((entry) => hearsResolution(alert.expected, entry))
  return hearers.every((entry) => {
    const { firing, resolved } = arrivedOf(alert, entry, seen.notifications)
    // Without a delivery there will be no resolved one either.
    return firing.length === 0 || resolved.length > 0 || !reports(alert, entry, plan, firing[0]?.type)
  })
}

function reports(alert: PlannedAlert, entry: string, plan: TrialPlan, seenType: string | undefined): boolean {
  return deliveryBounds(alert, entry, plan, seenType === undefined ? {} : { seenType })?.sendResolved ?? true
}

/** An alert that an earlier trial left behind says nothing of this one; one that never ends is judged as too early. */
async function calm(plan: TrialPlan, watch: Watch, signal: AbortSignal): Promise<void> {
  const names = new Set([...plan.trial.expect.map(({ alert }) => alert), ...plan.trial.inhibits])
  const isCalm = () => !watch.current.some(({ labels }) => names.has(labels.alertname ?? ''))
  await watch.until(isCalm, longest(plan).resolveMs, signal)
}

/** What Prometheus wrote of the expected alerts' states in a window, epoch milliseconds of our clock. */
async function seriesOf(
  { backends, facts, signal }: RunContext,
  { alerts }: TrialPlan,
  from: number,
  to: number,
): Promise<AlertsSeries[]> {
  const { clockOffsetMs } = facts
  const names = alerts.map(({ expected: { alert } }) => verbatim(alert))
  const selector = `ALERTS{alertname=~${literal(names.join('|'))}}`
  const series = await backends.prometheus.raw(selector, from + clockOffsetMs, to + clockOffsetMs, signal)
  return series.flatMap(({ labels: { __name__, alertstate = '', ...labels }, samples }) => {
    const [first, last] = [samples[0], samples.at(-1)]
    if (!first || !last) return []
    return [{ labels, state: alertstate, from: first.at - clockOffsetMs, to: last.at - clockOffsetMs }]
  })
}
