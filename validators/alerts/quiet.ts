import { eventually } from '../../lib/poll.ts'
import type { Window } from '../../lib/verdict.ts'
import { isFinal } from '../backends/http.ts'
import { type Check, concluded, type Finding } from '../check.ts'
import type { RunContext } from '../context.ts'
import { Absent, unlessAbsent } from '../coverage.ts'
import type { Notification } from '../sinks/notification.ts'
import { addressOf, alertWords } from './timeline.ts'
import type { Ears } from './watch.ts'

/** An evaluation and an answer take time themselves. */
const slackMs = 2000

const silence = 'no firing alert, no notification'
const ruleless = 'Prometheus has no alerting rule'

/** Nothing fires while all is well, and the rules were evaluated all the while. */
export function quietChecks(context: RunContext, ears: Ears | undefined, window: Window): readonly Check[] {
  const check = quietCheck(context, ears, window)
  return context.backends.lacks('prometheus') ? unlessAbsent(Absent.backend('prometheus').message, [check]) : [check]
}

function quietCheck(context: RunContext, ears: Ears | undefined, window: Window): Check {
  return {
    id: 'alerts.quiet',
    title: 'no alert fires while the services are healthy',
    signal: 'alerts',
    run: async () => {
      const { backends, config } = context
      const { prometheus } = backends
      const selector = 'ALERTS{alertstate="firing"}'
      const [from, to] = [window.from + context.facts.clockOffsetMs, window.to + context.facts.clockOffsetMs]
      const earlierMs = 2 * context.facts.evaluationMs + slackMs
      const withinMs = 2 * context.facts.evaluationMs + slackMs
      let waiting: readonly string[] = []
      const polled = await eventually(
        async (attempt): Promise<Finding> => {
          // A dead Alertmanager delivers nothing either: silence counts only while it answers. The series come last, so
          // that they hold what the rules had evaluated.
          const [rules] = await Promise.all([
            prometheus.rules(attempt),
            ...(backends.lacks('alertmanager') ? [] : [backends.alertmanager.alerts(attempt)]),
          ])
          // In somebody's own Prometheus an alert may have fired all along, as a watchdog does.
          const before =
            config.backends === undefined ? [] : await prometheus.raw(selector, from - earlierMs, from, attempt)
          const old = new Set(before.map(({ labels }) => alertWords(labels)))
          const all = await prometheus.raw(selector, from, to, attempt)
          const fired = all.filter(({ labels }) => !old.has(alertWords(labels)))
          const alerting = rules.filter(({ alerting }) => alerting)
          // Once evaluated after the window, a rule has said all that it will say of it.
          waiting = alerting.filter(({ lastEvaluation }) => lastEvaluation < to).map(({ name }) => name)
          const delivered = (ears?.notifications(window.from) ?? []).filter(
            (one) => one.at <= window.to && !isOfThePast(one, from),
          )
          return {
            actual: `${fired.length} firing series${old.size === 0 ? '' : ` besides ${old.size} that fired before`}, ${delivered.length} notifications, ${alerting.length} alerting rules evaluated`,
            problems: [
              ...fired.map(({ labels: { __name__, alertstate, ...labels } }) => `${alertWords(labels)} fired`),
              ...delivered.map(
                (one) => `${addressOf(one)} was notified: ${one.text.replace(/\s+/g, ' ').slice(0, 160)}`,
              ),
              ...(alerting.length === 0 ? [`${ruleless}, so silence proves nothing`] : []),
            ],
            empty: alerting.length === 0,
          }
        },
        ({ problems }) => problems.length === 0 && waiting.length === 0,
        {
          withinMs,
          signal: context.signal,
          isFinal,
          firstPauseMs: 300,
          hopeless: ({ problems }) => problems.length > 0,
        },
      )
      // Its one problem is the lack of rules.
      if (polled.value?.empty && polled.value.problems.length === 1 && context.config.alerts.length === 0) {
        const { attempts, elapsedMs } = polled
        const evidence = { expected: silence, actual: polled.value.actual, attempts, elapsedMs: Math.round(elapsedMs) }
        return { verdict: 'skipped', reason: `${ruleless}, and the config expects no alert`, evidence }
      }
      const unevaluated = waiting.map((name) => `${name} was not evaluated`)
      const silent = polled.outcome === 'broken' && polled.value?.problems.length === 0
      const { query, time } = prometheus.rawQuery(selector, from, to)
      return concluded(
        silent && polled.value ? { ...polled, value: { ...polled.value, problems: unevaluated } } : polled,
        {
          expected: silence,
          window,
          query,
          deadline: `every rule was evaluated once more: 2 evaluations of ${context.facts.evaluationMs / 1000} s + ${slackMs / 1000} s at the latest`,
          reproduce: prometheus.client.curl('/api/v1/query', { query, time }),
          ...prometheus.client.link(`/alerts`),
        },
      )
    },
  }
}

/** That an alert of an earlier load is over may be told late, and says nothing of this one. */
function isOfThePast({ status, alerts }: Notification, from: number): boolean {
  if (alerts.length === 0) return status === 'resolved'
  return alerts.every(({ status, endsAt }) => status === 'resolved' && endsAt !== undefined && endsAt < from)
}
