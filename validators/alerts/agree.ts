import { formatDuration } from '../../lib/duration.ts'
import type { Check } from '../check.ts'
import { fromSources, type Sources, told, windowOf } from './evidence.ts'
import type { PlannedAlert, TrialPlan } from './plan.ts'
import { arrivedOf, spellsOf } from './receivers.ts'
import { alertWords, endOf, firstOf, isAlert, type Labels, type Spell, type Timeline } from './timeline.ts'
import { lookMs } from './watch.ts'

/** A look takes time itself, and one may be missed. */
const lookSlackMs = 5 * lookMs

/**
 * All who speak of an alert say the same: the rules API, the series ALERTS, Alertmanager's alerts API and the sinks agree
 * on its labels, on when it fired, and on the order of it all.
 */
export function agreeCheck(alert: PlannedAlert, plan: TrialPlan, timeline: Timeline, sources: Sources): Check {
  const { name, expected, synthetic } = alert
  return told(`agree.${name}`, `Prometheus, Alertmanager and receivers say the same of ${name}`, () => {
    const spells = spellsOf(alert, timeline)
    const own = timeline.prometheus.filter(({ labels }) => isAlert(labels, expected.alert))
    const problems = synthetic
      ? labelsSent([alert.labels], spells.alertmanager)
      : [
          ...expectedLabels(alert, own),
          ...labelsSent(
            own.filter(({ state }) => state === 'firing').map(({ labels }) => labels),
            timeline.alertmanager.filter(({ labels }) => isAlert(labels, expected.alert)),
            timeline.outgoing,
          ),
          ...ofSeries(alert, plan, timeline),
        ]
    const fired = firstOf(spells.prometheus, 'firing')
    const held = firstOf(spells.alertmanager, 'active')
    return fromSources(
      {
        actual:
          [...new Set([...spells.prometheus, ...spells.alertmanager].map(({ labels }) => alertWords(labels)))].join(
            '; ',
          ) || 'it never fired',
        problems: [
          ...problems,
          ...(synthetic || fired === undefined || held === undefined || held >= fired - lookSlackMs
            ? []
            : [`Alertmanager held it ${formatDuration(fired - held)} before it fired in Prometheus`]),
          ...ofSinks(alert, timeline, held, spells.alertmanager),
        ],
        empty: spells.prometheus.length + spells.alertmanager.length === 0,
      },
      {
        expected: `one story in ${synthetic ? '' : '/api/v1/rules, ALERTS, '}/api/v2/alerts and at the receivers`,
        window: windowOf(timeline),
        ...sources.prometheus,
      },
      timeline,
      synthetic ? ['alertmanager'] : ['prometheus', 'alertmanager'],
    )
  })
}

function expectedLabels({ expected: { labels } }: PlannedAlert, own: readonly Spell[]): string[] {
  const wrong = own.flatMap((spell) =>
    Object.entries(labels)
      .filter(([key, value]) => spell.labels[key] !== value)
      .map(([key, value]) => `${key} is ${JSON.stringify(spell.labels[key] ?? '')}, not ${JSON.stringify(value)}`),
  )
  return [...new Set(wrong)]
}

/** Alertmanager holds what Prometheus fires, with the labels that Prometheus adds to all alerts. */
function labelsSent(fired: readonly Labels[], held: readonly Spell[], outgoing?: Timeline['outgoing']): string[] {
  if (outgoing?.relabels || fired.length === 0) return []
  const sent = new Set(fired.map((labels) => alertWords({ ...outgoing?.externalLabels, ...labels })))
  const got = new Set(held.map(({ labels }) => alertWords(labels)))
  return [
    ...[...sent].filter((one) => !got.has(one)).map((one) => `Alertmanager never held ${one}`),
    ...[...got].filter((one) => !sent.has(one)).map((one) => `Alertmanager held ${one}, which Prometheus never fired`),
  ]
}

/** The series that Prometheus wrote against what its rules API told. */
function ofSeries({ expected, rules }: PlannedAlert, plan: TrialPlan, timeline: Timeline): string[] {
  if (!timeline.series) return []
  const slackMs = Math.max(0, ...rules.map(({ evaluation }) => evaluation)) + lookSlackMs + plan.toleranceMs
  const all = timeline.prometheus.filter(({ labels }) => isAlert(labels, expected.alert))
  return (['pending', 'firing'] as const).flatMap((state) => {
    const written = timeline.series?.filter((one) => isAlert(one.labels, expected.alert) && one.state === state) ?? []
    const seen = all.filter((spell) => spell.state === state)
    const named = (labels: readonly { readonly labels: Labels }[]) =>
      new Set(labels.map((one) => alertWords(one.labels)))
    const [inSeries, inApi] = [named(written), named(seen)]
    const begins = Math.min(...written.map(({ from }) => from))
    const apart = Math.abs(begins - Math.min(...seen.map(({ from }) => from)))
    const ended = endOf(seen)
    const endsApart = ended === undefined ? 0 : Math.abs(ended - Math.max(...written.map(({ to }) => to)))
    return [
      ...[...inApi]
        .filter((one) => !inSeries.has(one))
        .map((one) => `ALERTS has no ${state} ${one}, of which the rules API told`),
      // A state shorter than a look can be missed.
      ...[...inSeries]
        .filter(
          (one) =>
            !inApi.has(one) && written.some((series) => alertWords(series.labels) === one && series.to > series.from),
        )
        .map((one) => `the rules API never told of ${state} ${one}, which ALERTS has`),
      ...(inSeries.size > 0 && inApi.size > 0 && apart > slackMs
        ? [`ALERTS and the rules API are ${formatDuration(apart)} apart on when it was ${state}`]
        : []),
      ...(inSeries.size > 0 && endsApart > slackMs
        ? [`ALERTS and the rules API are ${formatDuration(endsApart)} apart on until when it was ${state}`]
        : []),
    ]
  })
}

/** Nothing is delivered before Alertmanager holds it, or with other labels. */
function ofSinks(
  alert: PlannedAlert,
  timeline: Timeline,
  held: number | undefined,
  spells: readonly Spell[],
): string[] {
  const known = new Set(spells.map(({ labels }) => alertWords(labels)))
  return alert.expected.reaches.flatMap((entry) => {
    const { firing, resolved } = arrivedOf(alert, entry, timeline.notifications)
    const first = firing[0]?.at
    const told = [...firing, ...resolved].flatMap(({ alerts }) =>
      alerts.map(({ labels }) => labels).filter(({ alertname }) => alertname === alert.expected.alert),
    )
    return [
      ...(first !== undefined && (held === undefined || first < held - lookSlackMs)
        ? [
            `${entry} heard of it ${held === undefined ? 'but Alertmanager never held it' : 'before Alertmanager held it'}`,
          ]
        : []),
      ...[...new Set(told.map(alertWords))]
        .filter((one) => !known.has(one))
        .map((one) => `${entry} was told of ${one}, which Alertmanager never held`),
    ]
  })
}
