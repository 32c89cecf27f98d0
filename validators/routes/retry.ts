import type { CheckResult } from '../../lib/verdict.ts'
import { isDelivered } from '../sinks/notification.ts'
import type { Probe } from './examine.ts'
import { Experiment, type Surroundings } from './experiment.ts'
import type { SentAlert } from './experiment-alert.ts'
import type { PlacedIntegration } from './rewrite.ts'
import { all, withoutInhibition, withRoutes } from './route-changes.ts'
import { routeCheck } from './route-check.ts'
import { notificationFloorMs, probeAlert, slackMs } from './routing.ts'
import type { WaitingTimes } from './waiting-times.ts'

/** What a service answers that is down: HTTP 503, SMTP 451. */
const refusal = { http: 503, mail: 451 }

interface Trial {
  readonly receiver: string
  readonly failing: PlacedIntegration
  readonly siblings: readonly PlacedIntegration[]
  readonly first: SentAlert
  /** Joins the group of `first`, unless group_by keeps every alert apart. */
  readonly later: SentAlert
  readonly groupWaitMs: number
  readonly groupIntervalMs: number
}

/**
 * Has one integration of each receiver fail, each in its turn: it is tried again and told in the end, and its siblings
 * are told of the first alert in time and of a later one no later than max(group_interval, 10 s) after it.
 */
export async function tryFailures(
  around: Surroundings,
  probes: readonly Probe[],
  times: WaitingTimes,
): Promise<CheckResult[]> {
  const most = Math.max(0, ...[...around.file.receivers.values()].map(({ integrations }) => integrations.length))
  const rounds = await Promise.all(Array.from({ length: most }, (_, n) => tryRound(around, probes, times, n)))
  return rounds.flat()
}

async function tryRound(
  around: Surroundings,
  probes: readonly Probe[],
  times: WaitingTimes,
  round: number,
): Promise<CheckResult[]> {
  const change = all(withRoutes(around.file, times), withoutInhibition)
  const experiment = await Experiment.open(`failures-${round}`, around, change)
  try {
    const trials = trialsOf(experiment.rewritten.integrations, probes, around, times, round)
    if (trials.length === 0) return []
    const restore = trials.map(({ failing: { id, type } }) =>
      experiment.sinks.behave(
        { receiver: id },
        { kind: 'fail', status: type === 'email' ? refusal.mail : refusal.http },
      ),
    )
    const toldAt = ({ receiver }: Trial, { id }: SentAlert) =>
      experiment.deliveries().find((one) => one.receiver === receiver && one.id === id && one.status === 'firing')?.at
    const delivered = (integration: PlacedIntegration, since: number) =>
      experiment.arrived(integration, since).find(isDelivered)?.at

    const firstAt = await experiment.fire(trials.map(({ first }) => first))
    const firstTold = (trial: Trial) => [
      toldAt(trial, trial.first),
      ...trial.siblings.map((sibling) => delivered(sibling, firstAt)),
    ]
    await experiment.until(
      () => trials.every((trial) => firstTold(trial).every((at) => at !== undefined)),
      (every) => every,
      times.longestGroupWait + slackMs,
    )
    const laterAt = await experiment.fire(trials.map(({ later }) => later))
    const laterTold = (trial: Trial) => toldAt(trial, trial.later)
    await experiment.until(
      () => trials.every((trial) => laterTold(trial) !== undefined),
      (every) => every,
      Math.max(times.longestGroupInterval, notificationFloorMs) + slackMs,
    )
    const attempts = new Map(trials.map(({ failing }) => [failing, experiment.arrived(failing, firstAt).length]))
    for (const one of restore) one()
    const restoredAt = Date.now()
    await experiment.until(
      () => trials.every(({ failing }) => delivered(failing, restoredAt) !== undefined),
      (every) => every,
      notificationFloorMs + slackMs,
    )
    experiment.alive()
    const window = { from: firstAt, to: Date.now() }
    return trials.map((trial) => {
      const { failing, siblings, groupWaitMs, groupIntervalMs } = trial
      const tried = attempts.get(failing) ?? 0
      const firsts = firstTold(trial)
      const names = ['the mirror', ...siblings.map(({ path }) => path)]
      const later = laterTold(trial)
      const laterBound = Math.max(groupIntervalMs, notificationFloorMs)
      const error = experiment.lastError(failing)
      const problems = [
        ...(tried < 2
          ? [
              `${failing.path} was tried ${tried} times: a failed notification is not tried again${error ? ` (${error})` : ''}`,
            ]
          : []),
        ...firsts.flatMap((at, n) =>
          at === undefined || at > firstAt + groupWaitMs + slackMs
            ? [`${names[n]} was not told of the first alert in time while ${failing.path} failed`]
            : [],
        ),
        ...(later === undefined || later > laterAt + laterBound + slackMs
          ? [`a later alert was not told within ${laterBound / 1000} s while ${failing.path} failed`]
          : []),
        ...(delivered(failing, restoredAt) === undefined
          ? [`${failing.path} was not told after it had recovered`]
          : []),
      ]
      const after = (at: number | undefined, from: number) =>
        at === undefined ? 'never' : `after ${((at - from) / 1000).toFixed(1)} s`
      return routeCheck(
        {
          id: `failure.${failing.path}`,
          title: `${failing.path} is tried again when it fails, and holds up none of its siblings`,
          expected: `2 attempts or more; ${names.join(', ')} told after group_wait (here ${groupWaitMs} ms), a later alert within max(group_interval, 10 s) = ${laterBound / 1000} s; told itself when it has recovered`,
          window,
        },
        {
          actual: `${tried} attempts; siblings told ${firsts.map((at) => after(at, firstAt)).join(', ')}; a later alert ${after(later, laterAt)}; itself ${after(delivered(failing, restoredAt), restoredAt)} of its recovery`,
          problems,
        },
      )
    })
  } finally {
    await experiment.close()
  }
}

function trialsOf(
  integrations: readonly PlacedIntegration[],
  probes: readonly Probe[],
  { file }: Surroundings,
  { scaled }: WaitingTimes,
  round: number,
): Trial[] {
  return [...file.receivers.keys()].flatMap((receiver, n) => {
    const own = integrations.filter((one) => one.receiver === receiver)
    const failing = own[round]
    const probe = probes.find(({ route }) => route.receiver === receiver)
    if (!failing || !probe) return []
    const first = probeAlert(`f${n}-first`, probe.labels, file.root)
    if (!first.routes.includes(probe.route)) return []
    return [
      {
        receiver,
        failing,
        siblings: own.filter((one) => one !== failing),
        first,
        later: { id: `f${n}-later`, labels: first.labels },
        groupWaitMs: scaled(probe.route.groupWaitMs),
        groupIntervalMs: scaled(probe.route.groupIntervalMs),
      },
    ]
  })
}
