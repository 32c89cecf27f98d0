import type { CheckResult } from '../../lib/verdict.ts'
import { isDelivered, type Notification } from '../sinks/notification.ts'
import type { AlertmanagerFile, Receiver } from './alertmanager-file.ts'
import type { Experiment } from './experiment.ts'
import type { SentAlert } from './experiment-alert.ts'
import type { PlacedIntegration } from './rewrite.ts'
import { routeCheck, skippedCheck } from './route-check.ts'
import { notificationFloorMs, slackMs } from './routing.ts'
import type { WaitingTimes } from './waiting-times.ts'

interface Fired {
  readonly file: AlertmanagerFile
  readonly sent: readonly SentAlert[]
  readonly firedAt: number
  readonly times: WaitingTimes
}

/** Services that Alertmanager calls as often as there is something to change, not once a notification. */
const callsVary = ['jira', 'opsgenie']

/**
 * What each integration's sink got, against what its receiver's mirror got of the same flushes. Has the alerts end, so
 * that it can be judged who is told of it.
 */
export async function deliveryChecks(experiment: Experiment, fired: Fired): Promise<CheckResult[]> {
  const { file, sent, firedAt, times } = fired
  const { integrations } = experiment.rewritten
  const reached = new Set(experiment.deliveries().map(({ receiver }) => receiver))
  const tallies = () => integrations.map((integration) => tally(experiment, integration))
  const settled = (list: readonly Tally[]) => list.every((one) => reasonsAgainst(one).length === 0)
  await experiment.until(tallies, settled, slackMs)
  const firing = { to: Date.now(), tallies: excused(experiment, tallies()) }
  const toldOf = toldFiring(experiment)
  const resolvedAt = await experiment.resolve(sent)
  await experiment.until(
    () => ({ list: tallies(), open: [...toldOf].filter((key) => !toldResolved(experiment).has(key)).length }),
    ({ list, open }) => open === 0 && settled(list),
    Math.max(times.longestGroupInterval, notificationFloorMs) + slackMs,
  )
  const ended = { to: Date.now(), tallies: excused(experiment, tallies()) }
  const stillOpen = [...toldOf].filter((key) => !toldResolved(experiment).has(key))
  const byStandIn = integrations.flatMap(({ path, standIn }) =>
    standIn ? [skippedCheck(`not-provable.${path}`, `${path} is told by its own type of integration`, standIn)] : [],
  )
  const byReceiver = [...file.receivers.values()].flatMap((receiver): CheckResult[] => {
    const titles = {
      delivery: `Every integration of receiver "${receiver.name}" is notified of what the receiver is told`,
      resolved: `Receiver "${receiver.name}" is told of the end by those integrations that send resolved, and by no other`,
    }
    const why = nothingToJudge(receiver, reached)
    if (why !== undefined) {
      return [
        skippedCheck(`delivery.${receiver.name}`, titles.delivery, why),
        skippedCheck(`resolved.${receiver.name}`, titles.resolved, why),
      ]
    }
    const own = ({ integration }: Tally) => integration.receiver === receiver.name
    const [during, after] = [firing.tallies.filter(own), ended.tallies.filter(own)]
    const standIns = during.flatMap(({ integration: { path, standIn } }) => (standIn ? [`${path}: ${standIn}`] : []))
    const unresolved = stillOpen.filter((key) => key.startsWith(`${receiver.name} `)).length
    return [
      routeCheck(
        {
          id: `delivery.${receiver.name}`,
          title: titles.delivery,
          expected: `${during.length} integrations, each notified by every flush that its siblings are`,
          window: { from: firedAt, to: firing.to },
        },
        {
          actual: [...during.map(inWords), ...standIns].join('; '),
          problems: during.flatMap((one) => [...reasonsAgainst(one), ...errorOf(experiment, one), ...unsound(one)]),
          empty: during.every(({ arrived }) => arrived.length === 0),
        },
      ),
      routeCheck(
        {
          id: `resolved.${receiver.name}`,
          title: titles.resolved,
          expected: after
            .map(({ integration: { path, sendResolved } }) => `${path} ${sendResolved ? 'is told' : 'is not told'}`)
            .join('; '),
          window: { from: resolvedAt, to: ended.to },
        },
        {
          actual: after.map(inWords).join('; '),
          problems: [
            ...(unresolved > 0 ? [`${unresolved} alerts were told as firing and never as resolved`] : []),
            ...after.flatMap((one) => [...reasonsAgainst(one), ...wronglyTold(one, resolvedAt)]),
          ],
        },
      ),
    ]
  })
  return [...byReceiver, ...byStandIn]
}

interface Tally {
  readonly integration: PlacedIntegration
  readonly arrived: readonly Notification[]
  readonly refused: readonly Notification[]
  /** How many notifications it must have got, by the mirror. */
  readonly least: number
  readonly most: number
}

function tally(experiment: Experiment, integration: PlacedIntegration): Tally {
  const all = experiment.arrived(integration)
  const mirrored = experiment.sinks
    .notifications()
    .filter((told) => experiment.rewritten.mirrors.get(told.receiver) === integration.receiver && isDelivered(told))
  const known = new Set<string>()
  let [news, anyFiring] = [0, 0]
  for (const { alerts, groupKey = '' } of mirrored) {
    const firing = alerts
      .filter(({ status }) => status === 'firing')
      .map(({ labels }) => `${groupKey} ${JSON.stringify(labels)}`)
    if (firing.length > 0) anyFiring += 1
    if (firing.some((key) => !known.has(key))) news += 1
    for (const key of firing) known.add(key)
  }
  // Without send_resolved a flush that only tells the end of some alerts is none of its business.
  const exact = {
    least: integration.sendResolved ? mirrored.length : news,
    most: integration.sendResolved ? mirrored.length : anyFiring,
  }
  const groups = new Set(mirrored.map(({ groupKey }) => groupKey)).size
  const bounds = callsVary.includes(integration.type) ? { least: groups, most: Number.POSITIVE_INFINITY } : exact
  return {
    integration,
    arrived: all.filter(isDelivered),
    refused: all.filter((one) => !isDelivered(one)),
    ...bounds,
  }
}

/** On a busy machine an answer may come too late: then Alertmanager tells again what had arrived. */
function excused(experiment: Experiment, tallies: readonly Tally[]): Tally[] {
  return tallies.map((one) => {
    const { receiver, runsAs } = one.integration
    const again = experiment.triedAnew(receiver, runsAs)
    const mirrored = experiment.triedAnew(receiver, experiment.rewritten.mirrorsRunAs.get(receiver) ?? '')
    return { ...one, least: one.least - mirrored, most: one.most + again }
  })
}

function reasonsAgainst({ integration: { path }, arrived: { length }, least, most }: Tally): string[] {
  if (length < least) return [`${path} was notified ${length} times, its receiver ${least} times`]
  return length > most ? [`${path} was notified ${length} times, its receiver at most ${most} times`] : []
}

function errorOf(experiment: Experiment, { integration, arrived, least }: Tally): string[] {
  const error = arrived.length < least ? experiment.lastError(integration) : undefined
  return error === undefined ? [] : [`${integration.path}: Alertmanager says: ${error}`]
}

function unsound({ integration: { path, type }, arrived, refused }: Tally): string[] {
  const problems = new Set([...arrived, ...refused].flatMap((one) => one.problems))
  return [
    ...[...problems].map((problem) => `${path}: ${type} would object: ${problem}`),
    ...(refused.length > 0 ? [`${path}: ${refused.length} notifications were refused (${refused[0]?.answered})`] : []),
  ]
}

function wronglyTold({ integration: { path, sendResolved }, arrived }: Tally, resolvedAt: number): string[] {
  const ends = arrived.filter(({ status, at }) => status === 'resolved' && at >= resolvedAt)
  return !sendResolved && ends.length > 0
    ? [`${path} was told of ${ends.length} ends though it does not send resolved`]
    : []
}

function nothingToJudge({ name, integrations }: Receiver, reached: ReadonlySet<string>): string | undefined {
  if (integrations.length === 0) return 'It has no integration: whatever is routed to it is dropped on purpose.'
  return reached.has(name) ? undefined : 'No probe was routed to it.'
}

function inWords({ integration: { path, type }, arrived }: Tally): string {
  return `${path}: ${arrived.length} ${type} notifications`
}

function toldFiring(experiment: Experiment): Set<string> {
  return told(experiment, 'firing')
}

function toldResolved(experiment: Experiment): Set<string> {
  return told(experiment, 'resolved')
}

function told(experiment: Experiment, wanted: 'firing' | 'resolved'): Set<string> {
  return new Set(
    experiment
      .deliveries()
      .filter(({ status }) => status === wanted)
      .map(({ receiver, groupKey, id }) => `${receiver} ${groupKey} ${id}`),
  )
}
