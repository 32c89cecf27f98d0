import type { Rule } from '../backends/prometheus.ts'
import type { Notification } from '../sinks/notification.ts'
import { trial } from './expectation.ts'
import { planTrial, type TrialPlan } from './plan.ts'
import { readRouting } from './routes.ts'
import type { AlertsSeries, Labels, Spell, Timeline } from './timeline.ts'

/** As Alertmanager tells its configuration: `send_resolved` is written out everywhere. */
export const configuration = `
route:
  receiver: unrouted
  group_by: [alertname]
  group_wait: 1s
  group_interval: 2s
  repeat_interval: 1h
  routes:
    - receiver: drill
      matchers: [drill="yes"]
    - receiver: critical
      matchers: [severity="critical"]
inhibit_rules:
  - source_matchers: [alertname="HighErrorRate"]
    target_matchers: [alertname="HighLatency"]
    equal: [service]
receivers:
  - name: unrouted
    webhook_configs: [{ url: 'http://127.0.0.1/webhook/unrouted', send_resolved: true }]
  - name: drill
    webhook_configs: [{ url: 'http://127.0.0.1/webhook/drill', send_resolved: true }]
  - name: critical
    slack_configs: [{ api_url: 'http://127.0.0.1/slack/slack', channel: c, send_resolved: true }]
    webhook_configs: [{ url: 'http://127.0.0.1/webhook/pager', send_resolved: true }]
`

const evaluationMs = 1000

function rule(name: string, more: Partial<Rule> = {}): Rule {
  return {
    group: 'g',
    alerting: true,
    name,
    query: 'sum(rate(bad[10s])) / sum(rate(all[10s])) > 0.05',
    healthy: true,
    lastError: '',
    state: 'inactive',
    evaluationMs,
    lastEvaluation: 0,
    tookMs: 0,
    forMs: 3000,
    keepFiringForMs: 0,
    labels: { severity: 'critical', service: 'shop' },
    alerts: [],
    ...more,
  }
}

export const rules = [rule('HighErrorRate'), rule('HighLatency'), rule('DiskFull')]

type Input = Parameters<typeof trial.parse>[0]

/** A trial of HighErrorRate at slack and pager that inhibits HighLatency. */
export function planned(more: object = {}, expected: object = {}): TrialPlan {
  const input: Input = {
    name: 'errors',
    load: { scenario: 'smoke.ts' },
    fault: { kind: 'service', service: 'shop', fault: 'error', ratio: 0.3 },
    expect: [{ alert: 'HighErrorRate', labels: { severity: 'critical' }, reaches: ['slack', 'pager'], ...expected }],
    inhibits: ['HighLatency'],
    ...more,
  }
  return planTrial(trial.parse(input), rules, readRouting(configuration), { scrapeMs: 1000 })
}

/** When the fault began. */
export const t0 = 1_000_000
const lifted = t0 + 6000
export const errors: Labels = { alertname: 'HighErrorRate', severity: 'critical', service: 'shop' }
const latency: Labels = { ...errors, alertname: 'HighLatency' }

export function spell(labels: Labels, state: string, from: number, to?: number, more: Partial<Spell> = {}): Spell {
  return { labels, state, from: t0 + from, ...(to === undefined ? {} : { to: t0 + to }), ...more }
}

export function series(labels: Labels, state: string, from: number, to: number): AlertsSeries {
  return { labels, state, from: t0 + from, to: t0 + to }
}

/** What slack read. */
export function slack(at: number, status: 'firing' | 'resolved', more: Partial<Notification> = {}): Notification {
  const text = `[${status.toUpperCase()}] HighErrorRate of shop, see runbooks/HighErrorRate.md`
  return { ...pager(at, status), kind: 'slack', type: 'slack', receiver: 'slack', alerts: [], text, ...more }
}

/** What the pager, a webhook, was told. */
export function pager(
  at: number,
  status: 'firing' | 'resolved',
  labels: Labels = errors,
  more: Partial<Notification> = {},
): Notification {
  return {
    at: t0 + at,
    kind: 'webhook',
    type: 'webhook',
    receiver: 'pager',
    status,
    alerts: [{ status, labels, annotations: {} }],
    text: '',
    raw: '',
    problems: [],
    answered: '200',
    ...more,
  }
}

/** A trial in which all went well; its times are those of a real one. */
export function wellGone(more: Partial<Timeline> = {}): Timeline {
  return {
    startedAt: t0 - 2000,
    effect: { from: t0, to: t0 + 5 },
    lifted: { from: lifted, to: lifted + 5 },
    endedAt: t0 + 16_000,
    prometheus: [
      spell(errors, 'pending', 1300, 4500),
      spell(errors, 'firing', 4500, 13_900),
      spell(latency, 'pending', 1300, 4500),
      spell(latency, 'firing', 4500, 13_900),
    ],
    alertmanager: [
      spell(errors, 'active', 4500, 13_900),
      spell(latency, 'suppressed', 4500, 13_900, { inhibitedBy: ['f1'] }),
    ],
    series: [series(errors, 'pending', 1100, 3100), series(errors, 'firing', 4100, 13_100)],
    notifications: [slack(5400, 'firing'), pager(5450, 'firing'), slack(13_800, 'resolved'), pager(13_850, 'resolved')],
    groupsLinger: false,
    outgoing: { externalLabels: {}, relabels: false },
    strangers: [],
    unasked: {},
    looks: 40,
    ...more,
  }
}
