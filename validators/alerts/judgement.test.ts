import { describe, expect, it } from 'vitest'
import type { CheckResult } from '../../lib/verdict.ts'
import { put } from '../check.ts'
import { connect } from '../preflight.ts'
import { errors, pager, planned, series, slack, spell, t0, wellGone } from './judgement.test-data.ts'
import type { TrialPlan } from './plan.ts'
import type { Timeline } from './timeline.ts'
import { judge } from './trial.ts'

const nowhere = { url: 'http://127.0.0.1:9', ui: true, timeoutMs: 1 }
const backends = connect(
  { prometheus: nowhere, loki: nowhere, alertmanager: nowhere, zipkin: nowhere, jaeger: undefined },
  1,
)

async function results(timeline: Timeline, plan: TrialPlan = planned()): Promise<CheckResult[]> {
  const { signal } = new AbortController()
  return Promise.all(judge(plan, timeline, { backends }).map((check) => put(check, signal)))
}

/** What is red, with its verdict and reason. */
async function reds(timeline: Timeline, plan?: TrialPlan): Promise<Record<string, string>> {
  const red = (await results(timeline, plan)).filter(({ verdict }) => verdict !== 'passed')
  return Object.fromEntries(
    red.map(({ id, verdict, reason }) => [id.replace(/^alerts\./, ''), `${verdict}: ${reason}`]),
  )
}

const well = wellGone()
const without = <T>(list: readonly T[], ...unwanted: readonly T[]) => list.filter((one) => !unwanted.includes(one))
const [slackFiring, pagerFiring, slackResolved, pagerResolved] = well.notifications

it('a trial that went well passes in every check, each once', async () => {
  const all = await results(well)
  expect(all.filter(({ verdict }) => verdict !== 'passed')).toEqual([])
  expect(all.map(({ id }) => id)).toEqual([
    'alerts.pending.HighErrorRate',
    'alerts.firing.HighErrorRate',
    'alerts.alertmanager.HighErrorRate',
    'alerts.resolved.HighErrorRate',
    'alerts.delivered.HighErrorRate.slack',
    'alerts.resolved-delivered.HighErrorRate.slack',
    'alerts.delivered.HighErrorRate.pager',
    'alerts.resolved-delivered.HighErrorRate.pager',
    'alerts.text.HighErrorRate.slack',
    'alerts.text.HighErrorRate.pager',
    'alerts.repeats.HighErrorRate',
    'alerts.agree.HighErrorRate',
    'alerts.inhibited.HighLatency',
    'alerts.nothing-else.errors',
  ])
})

describe('stations', () => {
  it('a notification that comes too late is late at its receiver alone', async () => {
    const late = {
      ...wellGone(),
      notifications: [slack(9800, 'firing'), ...without(well.notifications, ...[slackFiring ?? pager(0, 'firing')])],
    }
    expect(await reds(late)).toEqual({ 'delivered.HighErrorRate.slack': 'failed: 9.8 s is later than 9.7 s' })
  })

  it('an alert that fires early is early in Prometheus, in Alertmanager and at the receivers', async () => {
    const early = wellGone({
      prometheus: [spell(errors, 'firing', 900, 13_900), ...well.prometheus.slice(2)],
      alertmanager: [spell(errors, 'active', 900, 13_900), ...well.alertmanager.slice(1)],
      series: [series(errors, 'firing', 800, 13_100)],
      notifications: [slack(1900, 'firing'), pager(1900, 'firing'), ...well.notifications.slice(2)],
    })
    expect(await reds(early)).toEqual({
      'firing.HighErrorRate': 'failed: 900 ms is earlier than 3 s',
      'alertmanager.HighErrorRate': 'failed: 900 ms is earlier than 3 s',
      'delivered.HighErrorRate.slack': 'failed: 1.9 s is earlier than 4 s',
      'delivered.HighErrorRate.pager': 'failed: 1.9 s is earlier than 4 s',
    })
  })

  it('an alert that was there before the fault is no answer to it', async () => {
    const before = wellGone({
      prometheus: [spell(errors, 'firing', -1500, 13_900), ...well.prometheus.slice(2)],
      alertmanager: [spell(errors, 'active', -1500, 13_900), ...well.alertmanager.slice(1)],
      series: [series(errors, 'firing', -1800, 13_100)],
    })
    expect(await reds(before)).toMatchObject({
      'pending.HighErrorRate': 'failed: it was so already, 1.5 s before the fault',
      'firing.HighErrorRate': 'failed: it was so already, 1.5 s before the fault',
    })
  })

  it('an alert that never fires is red in all that rests on it', async () => {
    const never = wellGone({ prometheus: [], alertmanager: [], series: [], notifications: [] })
    const found = await reds(never)
    expect(found['firing.HighErrorRate']).toBe('failed: HighErrorRate never fires in Prometheus')
    expect(found['delivered.HighErrorRate.slack']).toBe('failed: HighErrorRate never reaches slack')
    expect(found['text.HighErrorRate.slack']).toMatch(/^no-data/)
    expect(found['agree.HighErrorRate']).toMatch(/^no-data/)
    expect(found['nothing-else.errors']).toBeUndefined()
  })

  it('a resolution that is never told is red at its receiver alone', async () => {
    const silent = wellGone({ notifications: without(well.notifications, slackResolved) as Timeline['notifications'] })
    expect(await reds(silent)).toEqual({
      'resolved-delivered.HighErrorRate.slack':
        'failed: HighErrorRate never is reported resolved to slack after the fault',
    })
  })

  it('a service that refuses has not been reached, and its sibling is judged by itself', async () => {
    const refused = [slack(5400, 'firing', { answered: '500' }), slack(13_800, 'resolved', { answered: '500' })]
    const failing = wellGone({
      notifications: [...refused, pagerFiring, pagerResolved].filter((one) => one !== undefined),
    })
    const found = await reds(failing)
    expect(Object.keys(found).sort()).toEqual([
      'delivered.HighErrorRate.slack',
      'resolved-delivered.HighErrorRate.slack',
      'text.HighErrorRate.slack',
    ])
  })

  it('labels other than expected are no such alert, and are told', async () => {
    const labels = { ...errors, severity: 'warning' }
    const mild = wellGone({
      prometheus: [spell(labels, 'firing', 4500, 13_900)],
      alertmanager: [spell(labels, 'active', 4500, 13_900)],
    })
    const all = await results(mild)
    const firing = all.find(({ id }) => id === 'alerts.firing.HighErrorRate')
    expect(firing?.verdict).toBe('failed')
    expect(firing?.evidence.details?.join()).toContain('severity="warning"')
    expect((await reds(mild))['agree.HighErrorRate']).toContain('severity is "warning", not "critical"')
  })

  it('a backend that could not be asked at last makes what it would tell errored, not failed', async () => {
    const lost = wellGone({
      prometheus: [],
      alertmanager: [],
      notifications: [],
      unasked: { prometheus: 'prometheus is gone' },
    })
    expect(await reds(lost)).toMatchObject({
      'firing.HighErrorRate': 'errored: prometheus is gone',
      'delivered.HighErrorRate.slack': 'errored: prometheus is gone',
      'inhibited.HighLatency': 'errored: prometheus is gone',
    })
  })

  it('a receiver that must not hear of the resolution is not asked for it', async () => {
    const silent = wellGone({ notifications: well.notifications.filter((one) => one !== slackResolved) })
    expect(await reds(silent, planned({}, { resolves: ['pager'] }))).toEqual({})
  })

  it('an alert that must stay is red when it resolves', async () => {
    const plan = planned({}, { resolves: false })
    expect(await reds(well, plan)).toEqual({
      'stays.HighErrorRate': 'failed: HighErrorRate resolved 7.9 s after the fault',
    })
  })
})

describe('a demand of the user’s', () => {
  it('holds if the times of rule and route allow it', async () => {
    expect(await reds(well, planned({}, { within: '8s', notBefore: '3s' }))).toEqual({})
  })

  it('is red if they do not, even though this time it was in time', async () => {
    expect(await reds(well, planned({}, { within: '6s' }))).toEqual({
      'demand.HighErrorRate': expect.stringContaining('slack may hear of it only after 7.7 s, not within 6 s'),
    })
    expect(await reds(well, planned({}, { notBefore: '5s' }))).toEqual({
      'demand.HighErrorRate': expect.stringContaining('slack may hear of it after 4 s already, before 5 s'),
    })
  })

  it('cuts the wait for a delivery short', async () => {
    const late = wellGone({ notifications: [slack(9000, 'firing'), ...well.notifications.slice(1)] })
    expect(await reds(late, planned({}, { within: '6s' }))).toMatchObject({
      'delivered.HighErrorRate.slack': 'failed: 9 s is later than 8 s',
    })
  })
})

describe('what arrives', () => {
  const also = (...more: Timeline['notifications']) => wellGone({ notifications: [...well.notifications, ...more] })

  it('names a second alert that nobody expected, in structure and in text', async () => {
    const labels = { ...errors, alertname: 'DiskFull' }
    const text = '[FIRING] DiskFull of shop'
    expect(await reds(also(pager(6000, 'firing', labels)))).toEqual({
      'nothing-else.errors': 'failed: DiskFull{service="shop", severity="critical"} (firing) arrived at webhook/pager',
    })
    expect(await reds(also(slack(6000, 'firing', { text })))).toEqual({
      'nothing-else.errors': 'failed: DiskFull (firing) arrived at slack',
    })
  })

  it('names an expected alert at a receiver that should not hear of it', async () => {
    expect(await reds(also(pager(6000, 'firing', errors, { receiver: 'unrouted' })))).toEqual({
      'nothing-else.errors':
        'failed: HighErrorRate{service="shop", severity="critical"} (firing) arrived at webhook/unrouted',
    })
  })

  it('names another instance of the alert', async () => {
    const found = await reds(also(pager(6000, 'firing', { ...errors, severity: 'info' })))
    expect(found['nothing-else.errors']).toContain('severity="info"} (firing) arrived at webhook/pager')
  })

  it('shows what names no alert, and what no service would take', async () => {
    expect(await reds(also(slack(6000, 'firing', { text: 'Something is wrong' })))).toMatchObject({
      'nothing-else.errors': 'failed: what names no alert arrived at slack: "Something is wrong"',
    })
    expect(await reds(wellGone({ strangers: ['POST /nowhere'] }))).toEqual({
      'nothing-else.errors': 'failed: a request came that no service would take: POST /nowhere',
    })
  })

  it('is not repeated before repeat_interval', async () => {
    expect(await reds(also(slack(7400, 'firing')))).toEqual({
      'repeats.HighErrorRate': 'failed: slack heard of it again after 2 s, and repeat_interval is 3600 s'.replace(
        '3600 s',
        '60 min 00 s',
      ),
    })
  })

  it('may be told again when another alert came into its group', async () => {
    const second = { ...errors, instance: 'b' }
    const grown = wellGone({
      prometheus: [...well.prometheus, spell(second, 'firing', 6500, 13_900)],
      alertmanager: [...well.alertmanager, spell(second, 'active', 6500, 13_900)],
      series: [...(well.series ?? []), series(second, 'firing', 6100, 13_100)],
      notifications: [...well.notifications, slack(7400, 'firing')],
    })
    expect(await reds(grown)).toEqual({})
  })

  it('is sound by the service’s contract, has no holes, and says what it must', async () => {
    const worse = (more: Parameters<typeof slack>[2]) =>
      wellGone({ notifications: [slack(5400, 'firing', more), ...well.notifications.slice(1)] })
    const text = '[FIRING] HighErrorRate of <no value>'
    expect(await reds(worse({ problems: ['attachments is no list'] }))).toEqual({
      'text.HighErrorRate.slack': 'failed: attachments is no list',
    })
    expect(await reds(worse({ text }))).toEqual({
      'text.HighErrorRate.slack': expect.stringContaining('it says "<no value>"'),
    })
    expect(await reds(well, planned({}, { reaches: ['slack', 'pager'], text: '/runbooks?.HighErrorRate/' }))).toEqual({
      // The webhook's own text is empty.
      'text.HighErrorRate.pager': expect.stringContaining('it does not say "/runbooks?.HighErrorRate/"'),
    })
  })
})

describe('agreement', () => {
  it('is broken if ALERTS and the rules API tell other times', async () => {
    expect(
      await reds(
        wellGone({ series: [series(errors, 'pending', 1100, 3100), series(errors, 'firing', -3000, 13_100)] }),
      ),
    ).toEqual({
      'agree.HighErrorRate': 'failed: ALERTS and the rules API are 7.5 s apart on when it was firing',
    })
  })

  it('is broken if ALERTS lacks what the rules API told', async () => {
    expect(await reds(wellGone({ series: [] }))).toEqual({
      'agree.HighErrorRate': expect.stringContaining('ALERTS has no pending HighErrorRate'),
    })
  })

  it('is broken if Alertmanager holds other labels than Prometheus sent, external ones aside', async () => {
    const cluster = { ...errors, cluster: 'a' }
    const told = wellGone({
      alertmanager: [spell(cluster, 'active', 4500, 13_900), ...well.alertmanager.slice(1)],
      notifications: [
        slackFiring,
        pager(5450, 'firing', cluster),
        slackResolved,
        pager(13_850, 'resolved', cluster),
      ].filter((one) => one !== undefined),
    })
    expect((await reds(told))['agree.HighErrorRate']).toContain('Alertmanager never held HighErrorRate{')
    expect(await reds({ ...told, outgoing: { externalLabels: { cluster: 'a' }, relabels: false } })).toEqual({})
    expect(await reds({ ...told, outgoing: { externalLabels: {}, relabels: true } })).toEqual({})
  })

  it('is broken if a receiver hears of it before Alertmanager holds it', async () => {
    const reversed = wellGone({ alertmanager: [spell(errors, 'active', 7500, 13_900), ...well.alertmanager.slice(1)] })
    expect(await reds(reversed)).toEqual({
      'agree.HighErrorRate': 'failed: slack heard of it before Alertmanager held it',
    })
  })
})

describe('inhibition', () => {
  const target = { ...errors, alertname: 'HighLatency' }

  it('is not proven by an alert that never fired', async () => {
    const silent = wellGone({ prometheus: well.prometheus.slice(0, 2), alertmanager: well.alertmanager.slice(0, 1) })
    expect(await reds(silent)).toEqual({
      'inhibited.HighLatency': 'no-data: HighLatency never fired, so nothing proves that it is inhibited',
    })
  })

  it('fails if the target is active beside its source, and is delivered', async () => {
    const open = wellGone({
      alertmanager: [...well.alertmanager.slice(0, 1), spell(target, 'active', 4500, 13_900)],
      notifications: [...well.notifications, pager(5400, 'firing', target)],
    })
    const found = await reds(open)
    expect(Object.keys(found).sort()).toEqual(['inhibited.HighLatency', 'nothing-else.errors'])
    expect(found['inhibited.HighLatency']).toContain('was never inhibited in Alertmanager')
  })
})

describe('groups', () => {
  it('that may exist already take the place of group_wait', async () => {
    const sooner = {
      ...wellGone(),
      notifications: [slack(4600, 'firing'), pager(4600, 'firing'), ...well.notifications.slice(2)],
    }
    const firing = [
      spell(errors, 'pending', 600, 3800),
      spell(errors, 'firing', 3800, 13_900),
      ...well.prometheus.slice(2),
    ]
    const quick = {
      ...sooner,
      prometheus: firing,
      alertmanager: [spell(errors, 'active', 3800, 13_900), ...well.alertmanager.slice(1)],
    }
    const at = (ms: number) => ({
      ...quick,
      notifications: quick.notifications.map((one) => (one.at === t0 + 4600 ? { ...one, at: t0 + ms } : one)),
    })
    expect(Object.keys(await reds(at(3900))).sort()).toEqual([
      'delivered.HighErrorRate.pager',
      'delivered.HighErrorRate.slack',
    ])
    expect(await reds({ ...at(3900), groupsLinger: true })).toEqual({})
  })
})
