import { type Bound, boundWords } from '../../lib/alert-timing.ts'
import { formatDuration, parseDuration } from '../../lib/duration.ts'
import { type Check, type Finding, judged } from '../check.ts'
import { type Asked, fromSources, type Sources, told, windowOf } from './evidence.ts'
import { hearsResolution } from './expectation.ts'
import { type PlannedAlert, stateBounds, type TrialPlan } from './plan.ts'
import { arrivedOf, latestDelivery, seenBounds, spellsOf } from './receivers.ts'
import { alertWords, endOf, firstOf, type Moment, type Timeline, type Watched } from './timeline.ts'

/** One station of an alert's way: when it was reached, counted from what, within what. */
export interface Station {
  /** The question in the check's id. */
  readonly id: string
  /** The receiver, if it is one's. */
  readonly entry?: string
  /** As a predicate: "becomes pending". */
  readonly does: string
  readonly at: number | undefined
  readonly since: Moment
  readonly bound: Bound
  readonly asked: Asked
  readonly needs: readonly Watched[]
  /** Why it was not reached, if that is known. */
  readonly instead?: readonly string[]
}

/** The stations of an expected alert: pending, firing, in Alertmanager, at each receiver, and back. */
export function stationsOf(alert: PlannedAlert, plan: TrialPlan, timeline: Timeline, sources: Sources): Station[] {
  return [...stateStations(alert, plan, timeline, sources), ...deliveryStations(alert, plan, timeline, sources)]
}

/** A check for each station, and for what is demanded of all. */
export function stationChecks(alert: PlannedAlert, plan: TrialPlan, timeline: Timeline, sources: Sources): Check[] {
  const { expected, name } = alert
  return [
    ...stationsOf(alert, plan, timeline, sources).map((station) => reached(name, station, timeline)),
    ...(expected.resolves !== false ? [] : [stays(alert, timeline, sources)]),
    ...demandCheck(alert, plan, timeline),
  ]
}

function stateStations(alert: PlannedAlert, plan: TrialPlan, timeline: Timeline, sources: Sources): Station[] {
  const { expected } = alert
  const spells = spellsOf(alert, timeline)
  const states = stateBounds(alert, plan)
  const since = timeline.effect
  const inAlertmanager = firstOf(spells.alertmanager, 'active')
  if (!states) {
    const posted = { earliestMs: 0, latestMs: plan.toleranceMs, derivation: 'posted + tolerance' }
    const does = 'is active in Alertmanager'
    const needs = ['alertmanager'] as const
    return [{ id: 'alertmanager', does, at: inAlertmanager, since, bound: posted, asked: sources.alertmanager, needs }]
  }
  const firing = firstOf(spells.prometheus, 'firing')
  const pending = Math.min(
    firstOf(spells.prometheus, 'pending') ?? Number.POSITIVE_INFINITY,
    firing ?? Number.POSITIVE_INFINITY,
  )
  const instead = otherLabels(alert, timeline)
  const inPrometheus = { since, asked: sources.prometheus, needs: ['prometheus'] as const, instead }
  return [
    {
      ...inPrometheus,
      id: 'pending',
      does: 'becomes pending',
      at: Number.isFinite(pending) ? pending : undefined,
      bound: states.pending,
    },
    { ...inPrometheus, id: 'firing', does: 'fires in Prometheus', at: firing, bound: states.firing },
    {
      id: 'alertmanager',
      does: 'is active in Alertmanager',
      at: inAlertmanager,
      since,
      bound: states.firing,
      asked: sources.alertmanager,
      needs: ['prometheus', 'alertmanager'],
      instead,
    },
    ...(expected.resolves !== false
      ? [
          {
            ...inPrometheus,
            id: 'resolved',
            does: 'is inactive in Prometheus after the fault',
            at: firing === undefined ? undefined : endOf(spells.prometheus),
            since: timeline.lifted,
            bound: states.inactive,
          },
        ]
      : []),
  ]
}

function deliveryStations(alert: PlannedAlert, plan: TrialPlan, timeline: Timeline, sources: Sources): Station[] {
  const { expected } = alert
  const needs: Watched[] = alert.synthetic ? ['alertmanager'] : ['prometheus', 'alertmanager']
  return expected.reaches.flatMap((entry): Station[] => {
    const { firing, resolved, refused } = arrivedOf(alert, entry, timeline.notifications)
    const bounds = seenBounds(alert, entry, plan, timeline)
    const answers = [...new Set(refused.map(({ answered }) => answered))].join(', ')
    const instead =
      refused.length > 0 ? [`${refused.length} notifications arrived there, which were answered ${answers}`] : []
    const nowhere = { earliestMs: 0, latestMs: 0, derivation: 'no route of Alertmanager takes it there' }
    const shared = { asked: sources.sinks, needs, instead }
    const delivered = bounds && {
      ...bounds.delivered,
      earliestMs: Math.max(bounds.delivered.earliestMs, parseDuration(expected.notBefore ?? '') ?? 0),
      latestMs: latestDelivery(alert, bounds, plan),
    }
    const stations: Station[] = [
      {
        ...shared,
        id: 'delivered',
        entry,
        does: `reaches ${entry}`,
        at: firing[0]?.at,
        since: timeline.effect,
        bound: delivered ?? nowhere,
      },
    ]
    if (hearsResolution(expected, entry)) {
      stations.push({
        ...shared,
        id: 'resolved-delivered',
        entry,
        does: `is reported resolved to ${entry} after the fault`,
        at: resolved[0]?.at,
        since: timeline.lifted,
        bound: bounds?.resolved ?? nowhere,
        instead:
          bounds?.sendResolved === false
            ? ['send_resolved is off there, in the configuration of Alertmanager']
            : instead,
      })
    }
    return stations
  })
}

/** Alerts of the same name that lack an expected label. */
function otherLabels({ expected: { alert, labels } }: PlannedAlert, { prometheus }: Timeline): string[] {
  const others = prometheus.filter(
    (spell) =>
      spell.labels.alertname === alert && Object.entries(labels).some(([key, value]) => spell.labels[key] !== value),
  )
  return [...new Set(others.map((spell) => `${alertWords(spell.labels)} was ${spell.state} instead`))]
}

function reached(name: string, station: Station, timeline: Timeline): Check {
  const { id, entry, does, at, since, bound, asked, needs, instead = [] } = station
  const question = [id, name, ...(entry === undefined ? [] : [entry])].join('.')
  return told(question, `${name} ${does} within its bound`, () => {
    const asking = {
      expected: `after ${boundWords(bound)}`,
      window: windowOf(timeline),
      deadline: bound.derivation,
      ...asked,
    }
    if (at === undefined)
      return fromSources({ actual: 'never', problems: [`${name} never ${does}`, ...instead] }, asking, timeline, needs)
    const begin = since === timeline.effect ? 'the fault' : "the fault's end"
    const [earliest, latest] = [at - since.from, at - since.to]
    const problems = [
      ...(latest > bound.latestMs ? [`${formatDuration(latest)} is later than ${formatDuration(bound.latestMs)}`] : []),
      ...(earliest < 0 ? [`it was so already, ${formatDuration(-earliest)} before ${begin}`] : []),
      ...(earliest >= 0 && earliest < bound.earliestMs
        ? [`${formatDuration(earliest)} is earlier than ${formatDuration(bound.earliestMs)}`]
        : []),
    ]
    return judged({ actual: earliest < 0 ? `before ${begin}` : `after ${formatDuration(earliest)}`, problems }, asking)
  })
}

function stays(alert: PlannedAlert, timeline: Timeline, sources: Sources): Check {
  const { name, expected } = alert
  return told(`stays.${name}`, `${name} still fires when the trial ends`, () => {
    const spells = spellsOf(alert, timeline).prometheus.filter(({ state }) => state === 'firing')
    const resolved = expected.reaches.filter(
      (entry) => arrivedOf(alert, entry, timeline.notifications).resolved.length > 0,
    )
    const ended = endOf(spells)
    const finding: Finding = {
      actual: spells.length === 0 ? 'it never fired' : ended === undefined ? 'it fires' : 'it resolved',
      problems: [
        ...(ended === undefined
          ? []
          : [`${name} resolved ${formatDuration(ended - timeline.lifted.from)} after the fault`]),
        ...resolved.map((entry) => `${name} was reported resolved to ${entry}`),
      ],
      empty: spells.length === 0,
    }
    const asking = { expected: 'firing at the end of the trial', window: windowOf(timeline), ...sources.prometheus }
    return fromSources(finding, asking, timeline, ['prometheus'])
  })
}

/** The user's own demand against what the rule and the route allow: wrong even if this delivery happened to be in time. */
function demandCheck(alert: PlannedAlert, plan: TrialPlan, timeline: Timeline): Check[] {
  const { expected, name } = alert
  const [within, notBefore] = [parseDuration(expected.within ?? ''), parseDuration(expected.notBefore ?? '')]
  if (within === undefined && notBefore === undefined) return []
  return [
    told(`demand.${name}`, `the times of ${name}'s rule and routes allow the delivery that is demanded`, () => {
      const all = expected.reaches.flatMap((entry) => {
        const bounds = seenBounds(alert, entry, plan, timeline)
        return bounds ? [{ entry, bound: bounds.delivered }] : []
      })
      const problems = all.flatMap(({ entry, bound }) => [
        ...(within !== undefined && bound.latestMs - plan.toleranceMs > within
          ? [
              `${entry} may hear of it only after ${formatDuration(bound.latestMs - plan.toleranceMs)}, not within ${formatDuration(within)}: ${bound.derivation}`,
            ]
          : []),
        // A group that exists already is no fault of the rule's.
        ...(notBefore !== undefined && !timeline.groupsLinger && bound.earliestMs < notBefore
          ? [
              `${entry} may hear of it after ${formatDuration(bound.earliestMs)} already, before ${formatDuration(notBefore)}`,
            ]
          : []),
      ])
      const limits = [
        ...(notBefore === undefined ? [] : [`not before ${formatDuration(notBefore)}`]),
        ...(within === undefined ? [] : [`within ${formatDuration(within)}`]),
      ]
      const actual =
        all.map(({ entry, bound }) => `${entry} after ${boundWords(bound)}`).join('; ') || 'no route takes it anywhere'
      return judged(
        { actual, problems, empty: all.length === 0 },
        { expected: limits.join(' and '), window: windowOf(timeline) },
      )
    }),
  ]
}
