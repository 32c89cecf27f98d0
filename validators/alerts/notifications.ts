import { formatDuration } from '../../lib/duration.ts'
import { type Check, judged } from '../check.ts'
import { isDelivered, type Notification, tells } from '../sinks/notification.ts'
import { type Sources, told, windowOf } from './evidence.ts'
import { patternOf } from './expectation.ts'
import type { PlannedAlert, TrialPlan } from './plan.ts'
import { arrivedOf, groupGrew, seenBounds } from './receivers.ts'
import { addressOf, alertWords, arrivedAt, isAlert, statusOf, type Timeline } from './timeline.ts'

/** What a receiver reads of an alert is sound by the service's contract, and says what a human must know. */
export function textChecks(alert: PlannedAlert, timeline: Timeline, sources: Sources): Check[] {
  const { expected, name } = alert
  return expected.reaches.map((entry) =>
    told(`text.${name}.${entry}`, `what ${entry} reads of ${name} is sound, and says what it must`, () => {
      const { firing, resolved } = arrivedOf(alert, entry, timeline.notifications)
      const problems = [...firing, ...resolved].flatMap((one) => faultsOf(one))
      const missing = firing.flatMap(({ text }) =>
        expected.text
          .filter((wanted) => !patternOf(wanted)?.test(text))
          .map((wanted) => `it does not say ${JSON.stringify(wanted)}: ${excerpt(text)}`),
      )
      const wanted = expected.text.map((text) => JSON.stringify(text)).join(' and ')
      return judged(
        {
          actual: `${firing.length} of its firing, ${resolved.length} of its resolution`,
          problems: [...problems, ...missing],
          empty: firing.length === 0,
        },
        {
          expected: `sound by the service's contract, with the alert's name${wanted === '' ? '' : ` and ${wanted}`}`,
          window: windowOf(timeline),
          ...sources.sinks,
        },
      )
    }),
  )
}

function faultsOf(notification: Notification): string[] {
  return [
    ...notification.problems,
    ...(notification.text.includes('<no value>') ? [`it says "<no value>": ${excerpt(notification.text)}`] : []),
  ]
}

/** A receiver hears of an alert's firing once, and again only when something changed or repeat_interval has passed. */
export function repeatCheck(alert: PlannedAlert, plan: TrialPlan, timeline: Timeline, sources: Sources): Check {
  const { expected, name } = alert
  return told(`repeats.${name}`, `${name} is not repeated before its time`, () => {
    const problems = expected.reaches.flatMap((entry) => {
      const repeatMs = seenBounds(alert, entry, plan, timeline)?.repeatMs ?? Number.POSITIVE_INFINITY
      const { firing } = arrivedOf(alert, entry, timeline.notifications)
      return firing.flatMap((one, index) => {
        const before = firing
          .slice(0, index)
          .findLast((other) => other.receiver === one.receiver && other.type === one.type)
        const passed = one.at - (before?.at ?? 0)
        const changed =
          before &&
          (namesIn(before, plan, timeline).join() !== namesIn(one, plan, timeline).join() ||
            groupGrew(alert, plan, timeline, before.at, one.at))
        return !before || changed || passed >= repeatMs
          ? []
          : [
              `${entry} heard of it again after ${formatDuration(passed)}, and repeat_interval is ${formatDuration(repeatMs)}`,
            ]
      })
    })
    const heard = expected.reaches.map((entry) => arrivedOf(alert, entry, timeline.notifications).firing.length)
    return judged(
      {
        actual: `${heard.reduce((sum, one) => sum + one, 0)} notifications at ${heard.length} receivers`,
        problems,
        empty: heard.length > 0 && heard.every((count) => count === 0),
      },
      { expected: 'one notification of its firing at each receiver', window: windowOf(timeline), ...sources.sinks },
    )
  })
}

/** The alerts that a notification tells of, out of all that are known. */
function namesIn(notification: Notification, { known, trial }: TrialPlan, timeline: Timeline): string[] {
  if (notification.alerts.length > 0) return notification.alerts.map(({ labels }) => alertWords(labels)).sort()
  const held = timeline.alertmanager.map(({ labels }) => labels.alertname ?? '')
  const names = new Set([...known, ...held, ...trial.expect.map(({ alert }) => alert), ...trial.inhibits])
  return [...names].filter((name) => tells(notification, name)).sort()
}

/** Whatever arrives is expected; each other notification is named. */
export function nothingElseCheck(plan: TrialPlan, timeline: Timeline, sources: Sources): Check {
  const { trial } = plan
  return told(`nothing-else.${slug(trial.name)}`, `nothing but what is expected arrives: ${trial.name}`, () => {
    const problems = timeline.notifications.flatMap((one) => unexpectedIn(one, plan, timeline))
    const strangers = timeline.strangers.map((request) => `a request came that no service would take: ${request}`)
    return judged(
      { actual: `${timeline.notifications.length} notifications`, problems: [...problems, ...strangers] },
      {
        expected: plan.trial.expect
          .map(({ alert, reaches }) => `${alert} at ${reaches.join(', ') || 'nobody'}`)
          .join('; '),
        window: windowOf(timeline),
        ...sources.sinks,
      },
    )
  })
}

/** What a notification tells that nobody expects where it arrived. */
function unexpectedIn(notification: Notification, plan: TrialPlan, timeline: Timeline): string[] {
  const place = addressOf(notification)
  const answer = isDelivered(notification) ? '' : `, answered ${notification.answered}`
  const said = (who: string, name: string) => `${who} (${statusOf(notification, name)}) arrived at ${place}${answer}`
  const isExpected = (labels: Readonly<Record<string, string>>) =>
    plan.trial.expect.some(
      ({ alert, labels: wanted, reaches }) =>
        isAlert(labels, alert, wanted) && reaches.some((entry) => arrivedAt(notification, entry)),
    )
  if (notification.alerts.length > 0) {
    return notification.alerts
      .filter(({ labels }) => !isExpected(labels))
      .map(({ labels, status }) => `${alertWords(labels)} (${status}) arrived at ${place}${answer}`)
  }
  const names = namesIn(notification, plan, timeline)
  if (names.length === 0) return [`what names no alert arrived at ${place}${answer}: ${excerpt(notification.text)}`]
  const reachesHere = (name: string) =>
    plan.trial.expect.some(
      ({ alert, reaches }) => alert === name && reaches.some((entry) => arrivedAt(notification, entry)),
    )
  return names.filter((name) => !reachesHere(name)).map((name) => said(name, name))
}

function excerpt(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return JSON.stringify(line.length > 160 ? `${line.slice(0, 159)}…` : line)
}

/** A name as a part of an id. */
export function slug(name: string): string {
  return name.trim().replaceAll(/[^\p{L}\p{N}_]+/gu, '-')
}
