import { formatDuration } from '../../lib/duration.ts'
import type { Check } from '../check.ts'
import { tells } from '../sinks/notification.ts'
import { fromSources, type Sources, told, windowOf } from './evidence.ts'
import type { TrialPlan } from './plan.ts'
import { inhibitionsOf, spellsOf } from './receivers.ts'
import { addressOf, isAlert, type Spell, statusOf, type Timeline } from './timeline.ts'

/** An alert that fires in Prometheus too is suppressed in Alertmanager, and delivered nowhere, while an expected one fires. */
export function inhibitedCheck(target: string, plan: TrialPlan, timeline: Timeline, sources: Sources): Check {
  return told(`inhibited.${target}`, `${target} fires, yet is told to nobody while it is inhibited`, () => {
    const isTarget = ({ labels }: Spell) => isAlert(labels, target)
    const fired = timeline.prometheus.filter((spell) => isTarget(spell) && spell.state === 'firing')
    const held = timeline.alertmanager.filter(isTarget)
    const suppressed = held.filter(({ state, inhibitedBy = [] }) => state === 'suppressed' && inhibitedBy.length > 0)
    const open = held.filter((spell) => spell.state === 'active' && overlaps(spell, plan, timeline) > plan.toleranceMs)
    const firing = sourcesOf(plan, timeline)
    // One that outlasts its source is rightly told then; whether anybody expects it is another check's question.
    const delivered = timeline.notifications.filter(
      (one) => tells(one, target) && firing.some(({ from, to = timeline.endedAt }) => one.at >= from && one.at <= to),
    )
    const problems = [
      ...(fired.length === 0 ? [`${target} never fired, so nothing proves that it is inhibited`] : []),
      ...(fired.length > 0 && suppressed.length === 0 ? [`${target} was never inhibited in Alertmanager`] : []),
      ...open.map(
        (spell) => `${target} was active for ${formatDuration(overlaps(spell, plan, timeline))} while its source was`,
      ),
      ...delivered.map((one) => `${target} (${statusOf(one, target)}) arrived at ${addressOf(one)}`),
    ]
    const rules = suppressed.flatMap(({ labels }) =>
      firing.flatMap((source) => inhibitionsOf(source.labels, labels, plan)),
    )
    return fromSources(
      {
        actual:
          suppressed.length === 0
            ? 'not suppressed'
            : `suppressed${rules.length === 0 ? '' : ` by ${[...new Set(rules)].join(', ')}`}`,
        problems,
        empty: fired.length === 0,
      },
      {
        expected: `${target} fires, is suppressed, and arrives nowhere`,
        window: windowOf(timeline),
        ...sources.alertmanager,
      },
      timeline,
      ['prometheus', 'alertmanager'],
    )
  })
}

/** The expected alerts as Alertmanager held them. */
function sourcesOf(plan: TrialPlan, timeline: Timeline): readonly Spell[] {
  return plan.alerts
    .flatMap((alert) => spellsOf(alert, timeline).alertmanager)
    .filter(({ state }) => state === 'active')
}

/** For how long a spell lay beside one of an expected alert; milliseconds. */
function overlaps(spell: Spell, plan: TrialPlan, timeline: Timeline): number {
  const end = ({ to = timeline.endedAt }: Spell) => to
  return Math.max(
    0,
    ...sourcesOf(plan, timeline).map((source) => Math.min(end(spell), end(source)) - Math.max(spell.from, source.from)),
  )
}
