import { parseDuration } from '../../lib/duration.ts'
import { type Labels, matches } from '../../lib/matcher.ts'
import { routesOf } from '../../lib/route-tree.ts'
import { isDelivered, type Notification, tells } from '../sinks/notification.ts'
import { type DeliveryBounds, deliveryBounds, type PlannedAlert, type TrialPlan } from './plan.ts'
import { arrivedAt, firstOf, isAlert, type Spell, statusOf, type Timeline } from './timeline.ts'
import { lookMs } from './watch.ts'

/** What arrived of one alert at one receiver, oldest first. */
export interface Arrived {
  /** Taken by the service. */
  readonly firing: readonly Notification[]
  readonly resolved: readonly Notification[]
  /** Refused or left without an answer. */
  readonly refused: readonly Notification[]
}

export function arrivedOf({ expected }: PlannedAlert, entry: string, notifications: readonly Notification[]): Arrived {
  const own = notifications.filter((one) => arrivedAt(one, entry) && tells(one, expected.alert))
  const taken = own.filter(isDelivered)
  const having = (status: 'firing' | 'resolved') => taken.filter((one) => statusOf(one, expected.alert) === status)
  return {
    firing: having('firing'),
    resolved: having('resolved'),
    refused: own.filter((one) => !isDelivered(one)),
  }
}

/** An alert's spells in Prometheus and in Alertmanager: those with the labels that are expected. */
export function spellsOf(
  { expected: { alert, labels } }: PlannedAlert,
  { prometheus, alertmanager }: Pick<Timeline, 'prometheus' | 'alertmanager'>,
): { readonly prometheus: readonly Spell[]; readonly alertmanager: readonly Spell[] } {
  const own = (spells: readonly Spell[]) => spells.filter((spell) => isAlert(spell.labels, alert, labels))
  return { prometheus: own(prometheus), alertmanager: own(alertmanager) }
}

/** The bounds at a receiver in the light of what was seen: the labels it had, the groups that there were. */
export function seenBounds(
  alert: PlannedAlert,
  entry: string,
  plan: TrialPlan,
  timeline: Pick<Timeline, 'prometheus' | 'alertmanager' | 'notifications' | 'groupsLinger'>,
): DeliveryBounds | undefined {
  const spells = spellsOf(alert, timeline).alertmanager
  const labels = spells[0]?.labels ?? alert.labels
  const began = firstOf(spells, 'active') ?? Number.POSITIVE_INFINITY
  const [first] = arrivedOf(alert, entry, timeline.notifications).firing
  const mayJoin =
    timeline.groupsLinger ||
    timeline.alertmanager.some(
      (other) => other.from <= began && !isSame(other.labels, labels) && shareGroup(other.labels, labels, plan),
    )
  return deliveryBounds(alert, entry, plan, { labels, mayJoin, ...(first ? { seenType: first.type } : {}) })
}

/** True if another alert came into a group of this one's between two moments: then its receivers are told again. */
export function groupGrew(
  alert: PlannedAlert,
  plan: TrialPlan,
  timeline: Pick<Timeline, 'prometheus' | 'alertmanager'>,
  from: number,
  to: number,
): boolean {
  const [own] = spellsOf(alert, timeline).alertmanager
  if (!own) return false
  return timeline.alertmanager.some(
    (other) =>
      // A look comes up to its interval after what it sees.
      other.from > from - lookMs &&
      other.from <= to + lookMs &&
      !isSame(other.labels, own.labels) &&
      shareGroup(other.labels, own.labels, plan),
  )
}

/** True if some route puts both into one group. */
function shareGroup(one: Labels, other: Labels, { routing }: TrialPlan): boolean {
  const routes = routesOf(other, routing.file.root)
  return routesOf(one, routing.file.root).some(
    (route) =>
      routes.includes(route) &&
      (route.groupBy.includes('...') ? isSame(one, other) : route.groupBy.every((name) => one[name] === other[name])),
  )
}

function isSame(one: Labels, other: Labels): boolean {
  const names = new Set([...Object.keys(one), ...Object.keys(other)])
  return [...names].every((name) => one[name] === other[name])
}

/** From the fault until when a notification of its firing is waited for: its bound, or the user's demand if that is sooner. */
export function latestDelivery(alert: PlannedAlert, bounds: DeliveryBounds, { toleranceMs }: TrialPlan): number {
  const demanded = parseDuration(alert.expected.within ?? '')
  return Math.min(bounds.delivered.latestMs, demanded === undefined ? Number.POSITIVE_INFINITY : demanded + toleranceMs)
}

/** Inhibition rules under which the source mutes the target, as Alertmanager decides it. */
export function inhibitionsOf(source: Labels, target: Labels, { routing }: TrialPlan): readonly string[] {
  return routing.file.inhibitRules
    .filter(
      (rule) =>
        matches(rule.source, source) &&
        matches(rule.target, target) &&
        rule.equal.every((name) => (source[name] ?? '') === (target[name] ?? '')),
    )
    .map(({ path, name }) => name ?? path)
}
