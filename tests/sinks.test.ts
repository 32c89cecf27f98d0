import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { LoneAlertmanager } from '../lib/lone-alertmanager.ts'
import { consistently, eventually } from '../lib/poll.ts'
import { LoneAlertmanagers } from '../stack/lone-alertmanager.ts'
import { obtain } from '../stack/obtain.ts'
import { inProfile, type StackProfile } from '../stack/profile.ts'
import { render } from '../stack/template.ts'
import { isDelivered, type Notification, tells } from '../validators/sinks/notification.ts'
import { Sinks } from '../validators/sinks/sinks.ts'
import { root } from './harness.ts'

type Labels = Readonly<Record<string, string>>
interface Posted {
  readonly labels: Labels
  readonly annotations?: Labels
}

let alertmanagers: LoneAlertmanagers
const opened: Sinks[] = []
beforeAll(async () => {
  const { alertmanager } = await obtain(['alertmanager'])
  alertmanagers = LoneAlertmanagers.open(alertmanager)
})
afterAll(async () => {
  await alertmanagers?.close()
  await Promise.all(opened.map((sinks) => sinks.close()))
})

async function openSinks(options: Parameters<typeof Sinks.open>[0] = {}): Promise<Sinks> {
  const sinks = await Sinks.open(options)
  opened.push(sinks)
  return sinks
}

/** The sample's routes and templates, delivering to these sinks. */
async function sampleConfig(sinks: Sinks, profile: StackProfile = 'quick'): Promise<string> {
  const file = join(root, 'stack/config/alertmanager.yml')
  const values = {
    SINK_HTTP: `127.0.0.1:${sinks.httpPort}`,
    SINK_SMTP: sinks.smtp,
    TEMPLATES: join(root, 'stack/config/templates'),
  }
  return inProfile(profile, 'alertmanager', render(await readFile(file, 'utf8'), values, file), file)
}

function start(config: string): Promise<LoneAlertmanager> {
  return alertmanagers.start({ name: 'alertmanager', config, env: {}, signal: AbortSignal.timeout(30_000) })
}

async function post({ url }: LoneAlertmanager, alerts: readonly Posted[], ended = false): Promise<void> {
  const at = new Date().toISOString()
  const response = await fetch(`${url}/api/v2/alerts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(alerts.map((alert) => ({ ...alert, ...(ended ? { endsAt: at } : {}) }))),
  })
  expect(response.status).toBe(200)
}

/** Who was told of an alert in this status: `slack/team`, sorted, each as often as it was told. */
function told(sinks: Sinks, alertname: string, status: Notification['status']): string[] {
  return sinks
    .notifications()
    .filter(
      (notification) => isDelivered(notification) && notification.status === status && tells(notification, alertname),
    )
    .map(({ type, receiver }) => `${type}/${receiver}`)
    .sort()
}

/** Waits until `ask` gives just this, and for a further group_interval that it still does. */
async function settles<T>(ask: () => T, expected: T, withinMs = 15_000): Promise<void> {
  const same = (value: T) => JSON.stringify(value) === JSON.stringify(expected)
  const reached = await eventually(async () => ask(), same, { withinMs })
  expect(reached.value).toEqual(expected)
  const kept = await consistently(async () => ask(), same, { withinMs: 2500 })
  expect(kept.value).toEqual(expected)
}

function problemsOf(sinks: Sinks): string[] {
  const found = sinks
    .notifications()
    .flatMap(({ type, receiver, problems, text }) => [
      ...problems.map((problem) => `${type}/${receiver}: ${problem}`),
      ...(text.includes('<no value>') ? [`${type}/${receiver}: <no value> in ${text}`] : []),
    ])
  return [...found, ...sinks.strangers]
}

const annotations = {
  summary: 'p95 > 0.5 s & <b>rising</b>: "slow"',
  description: 'Since a minute.',
  runbook_url: 'https://muster.example/runbooks/Slow.md',
  dashboard_url: 'https://muster.example/d/slow?from=1&to=2',
}

test.each(['quick', 'operator'] as const)(
  'amtool finds nothing wrong with the sample in the %s profile',
  async (profile) => {
    const folder = await mkdtemp(join(tmpdir(), 'muster-sinks-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const { amtool } = await obtain(['amtool'])
    const file = join(folder, 'alertmanager.yml')
    await writeFile(file, await sampleConfig(await openSinks(), profile))
    const { stdout, exitCode } = await execa(amtool, ['check-config', file], { reject: false })
    expect(stdout).toMatch(/SUCCESS[\s\S]*1 templates[\s\S]*SUCCESS/)
    expect(exitCode).toBe(0)
  },
)

describe('the sample’s routes', () => {
  let sinks: Sinks
  let alertmanager: LoneAlertmanager
  beforeAll(async () => {
    sinks = await openSinks()
    alertmanager = await start(await sampleConfig(sinks))
  })
  const restores: (() => void)[] = []
  afterEach(() => {
    for (const restore of restores.splice(0)) restore()
  })

  const [slack, email, pagerduty] = ['slack/slack', 'email/email', 'pagerduty/pagerduty']
  const routes: readonly { alertname: string; labels: Labels; receivers: readonly string[] }[] = [
    { alertname: 'Critical', labels: { severity: 'critical' }, receivers: [pagerduty, slack, email] },
    { alertname: 'Warning', labels: { severity: 'warning' }, receivers: [slack, email] },
    { alertname: 'Info', labels: { severity: 'info' }, receivers: [slack] },
    { alertname: 'Breach', labels: { severity: 'critical', slo: 'availability' }, receivers: [pagerduty, slack] },
    { alertname: 'Ticket', labels: { severity: 'warning', slo: 'availability' }, receivers: [pagerduty, slack] },
    {
      alertname: 'TodosSlow',
      labels: { severity: 'warning', team: 'todos' },
      receivers: [slack, email, 'slack/slack-todos'],
    },
    {
      alertname: 'Platform',
      labels: { severity: 'info', team: 'platform' },
      receivers: [slack, 'slack/slack-platform'],
    },
    {
      alertname: 'TeamBreach',
      labels: { slo: 'latency', team: 'platform' },
      receivers: [pagerduty, slack, 'slack/slack-platform'],
    },
    { alertname: 'Misspelt', labels: { severity: 'critcal' }, receivers: ['slack/slack-unrouted'] },
  ]

  test('tell each alert to its receivers and to no other, firing and resolved, soundly and with links', async () => {
    const alerts = routes.map(({ alertname, labels }) => ({
      labels: { alertname, service: alertname.toLowerCase(), ...labels },
      annotations,
    }))
    const expected = Object.fromEntries(routes.map(({ alertname, receivers }) => [alertname, [...receivers].sort()]))
    const seen = (status: Notification['status']) => () =>
      Object.fromEntries(routes.map(({ alertname }) => [alertname, told(sinks, alertname, status)]))
    await post(alertmanager, alerts)
    await settles(seen('firing'), expected)
    await post(alertmanager, alerts, true)
    await settles(seen('resolved'), expected)
    expect(seen('firing')()).toEqual(expected)

    expect(problemsOf(sinks)).toEqual([])
    const texts = sinks.notifications().map(({ text }) => text)
    for (const text of texts) {
      expect(text).toContain(annotations.runbook_url)
      expect(text).toContain(annotations.dashboard_url)
      expect(text).toContain(annotations.summary)
      expect(text).toContain(annotations.description)
    }
    const mails = sinks.notifications().filter(({ type }) => type === 'email')
    expect(mails.map(({ transport }) => transport)).toEqual(mails.map(() => ({ tls: true, auth: 'PLAIN' })))
    const pages = sinks.notifications().filter(({ type }) => type === 'pagerduty')
    expect(new Set(pages.map(({ groupKey }) => groupKey)).size).toBe(4)
  })

  test('say something readable of an alert without annotations, of hostile ones and of long ones', async () => {
    const since = Date.now()
    const hostile = {
      summary: '</title><script>alert(1)</script> <no-link|x> ]]> {{ .Foo }}',
      description: 'x'.repeat(20_000),
      runbook_url: 'https://muster.example/?a="b"&c=<d>',
    }
    await post(alertmanager, [
      { labels: { alertname: 'Bare', severity: 'critical' } },
      { labels: { alertname: 'Hostile', severity: 'critical', service: 'a<b' }, annotations: hostile },
      { labels: { alertname: 'Many', severity: 'critical', service: 'm', shard: '1' }, annotations },
      { labels: { alertname: 'Many', severity: 'critical', service: 'm', shard: '2' } },
    ])
    const all = [email, pagerduty, slack]
    const names = ['Bare', 'Hostile', 'Many']
    await settles(
      () => names.map((name) => told(sinks, name, 'firing')),
      names.map(() => all),
    )
    expect(problemsOf(sinks)).toEqual([])
    const mail = sinks.notifications(since).find((one) => one.type === 'email' && tells(one, 'Hostile'))
    const page = sinks.notifications(since).find((one) => one.type === 'pagerduty' && tells(one, 'Hostile'))
    expect(page?.text).toContain('{{ .Foo }}')
    // As text, in the part of plain text and in HTML: no element of its own.
    expect(mail?.text.split('<script>alert(1)</script>')).toHaveLength(3)
    expect(mail?.raw).toContain('&lt;script&gt;')
    for (const many of sinks.notifications(since).filter((one) => tells(one, 'Many'))) {
      expect(many.text).toContain('[FIRING:2]')
      expect(many.text).toContain(annotations.runbook_url)
    }
  })

  test('a service that is down silences its other alerts, and no others, until it is up', async () => {
    const down = { labels: { alertname: 'ServiceDown', service: 'gateway', severity: 'critical' }, annotations }
    await post(alertmanager, [down])
    await settles(() => told(sinks, 'ServiceDown', 'firing'), [email, pagerduty, slack])
    const others = [
      { labels: { alertname: 'SlowGateway', service: 'gateway', severity: 'warning' }, annotations },
      { labels: { alertname: 'SlowWebhooks', service: 'webhooks', severity: 'warning' }, annotations },
      { labels: { alertname: 'SlowNobody', severity: 'warning' }, annotations },
    ]
    await post(alertmanager, others)
    const seen = () => others.map(({ labels }) => told(sinks, labels.alertname, 'firing'))
    await settles(seen, [[], [email, slack], [email, slack]])
    await post(alertmanager, [down], true)
    await settles(seen, [
      [email, slack],
      [email, slack],
      [email, slack],
    ])
  })

  test('an integration that fails is retried, and holds up none of its siblings', async () => {
    const failing = sinks.behave({ type: 'pagerduty' }, { kind: 'fail', status: 503 })
    restores.push(failing)
    const alert = { labels: { alertname: 'WhileFailing', severity: 'critical' }, annotations }
    const since = Date.now()
    await post(alertmanager, [alert])
    await settles(() => told(sinks, 'WhileFailing', 'firing'), [email, slack])
    const of = (type: string) =>
      sinks.notifications(since).filter((one) => one.type === type && tells(one, 'WhileFailing'))
    // group_wait is 1 s; who waited for the sibling's retries would wait for the 10 s that a flush may take.
    for (const type of ['slack', 'email']) expect((of(type)[0]?.at ?? 0) - since).toBeLessThan(5000)
    expect(of('pagerduty').length).toBeGreaterThan(1)
    expect(of('pagerduty').map(({ answered }) => answered)).toEqual(of('pagerduty').map(() => '503'))
    failing()
    await settles(() => told(sinks, 'WhileFailing', 'firing'), [email, pagerduty, slack])
  })

  test('an integration that answers nothing holds up none of its siblings either', async () => {
    const hanging = sinks.behave({ type: 'slack' }, { kind: 'hang' })
    restores.push(hanging)
    await post(alertmanager, [{ labels: { alertname: 'WhileHanging', severity: 'critical' }, annotations }])
    await settles(() => told(sinks, 'WhileHanging', 'firing'), [email, pagerduty])
    hanging()
    // Alertmanager gives up after 10 s, and notifies anew.
    await settles(() => told(sinks, 'WhileHanging', 'firing'), [email, pagerduty, slack], 30_000)
  })

  test('a rate limit delays a notification, and loses none', async () => {
    restores.push(sinks.behave({ type: 'pagerduty' }, { kind: 'rate-limit', retryAfterS: 2 }))
    restores.push(sinks.behave({ type: 'email' }, { kind: 'rate-limit', retryAfterS: 2 }))
    // Alertmanager retries no message that Slack has refused: the next flush of the group tells it.
    restores.push(sinks.behave({ type: 'slack' }, { kind: 'rate-limit', retryAfterS: 1 }))
    const since = Date.now()
    await post(alertmanager, [{ labels: { alertname: 'Limited', severity: 'critical' }, annotations }])
    await settles(() => told(sinks, 'Limited', 'firing'), [email, pagerduty, slack], 30_000)
    for (const [type, refused] of [
      ['pagerduty', '429'],
      ['email', '451'],
      ['slack', '429'],
    ] as const) {
      const attempts = sinks.notifications(since).filter((one) => one.type === type && tells(one, 'Limited'))
      const [first, last] = [attempts[0], attempts.at(-1)]
      expect(first?.answered).toBe(refused)
      expect((last?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(2000)
    }
  })
})

test('a severity that PagerDuty does not know is named, and the event refused', async () => {
  const sinks = await openSinks()
  const sample = await sampleConfig(sinks)
  const config = sample.replaceAll(`'{{ template "sample.pagerduty.severity" . }}'`, `'page'`)
  expect(config).not.toBe(sample)
  await post(await start(config), [{ labels: { alertname: 'Paged', severity: 'critical' }, annotations }])
  await settles(() => told(sinks, 'Paged', 'firing'), ['email/email', 'slack/slack'])
  const refused = sinks.notifications().find(({ type }) => type === 'pagerduty')
  expect(refused).toMatchObject({ answered: '400', problems: [expect.stringContaining('payload.severity')] })
})

test('a password that the mail server refuses delivers no mail', async () => {
  const sinks = await openSinks()
  const sample = await sampleConfig(sinks)
  const config = sample.replace('smtp_auth_password: muster', 'smtp_auth_password: other')
  expect(config).not.toBe(sample)
  const alertmanager = await start(config)
  await post(alertmanager, [{ labels: { alertname: 'Unmailed', severity: 'warning' }, annotations }])
  await settles(() => told(sinks, 'Unmailed', 'firing'), ['slack/slack'])
  expect(alertmanager.log()).toContain('535')
})

test('mails come with each method of AUTH, and with TLS that Alertmanager has verified', async () => {
  const byMethod = await Promise.all(
    (['PLAIN', 'LOGIN', 'CRAM-MD5'] as const).map(
      async (method) => [method, await openSinks({ authMethods: [method] })] as const,
    ),
  )
  const mail = (to: string, sinks: Sinks, more: object) => ({
    to: `${to}@muster.example`,
    from: 'a@muster.example',
    auth_username: 'muster',
    auth_password: 'muster',
    auth_secret: 'muster',
    tls_config: { ca: sinks.certificate },
    ...more,
  })
  const configs = byMethod.flatMap(([method, sinks]) => [
    mail(`starttls-${method}`, sinks, { smarthost: sinks.smtp }),
    mail(`implicit-${method}`, sinks, { smarthost: sinks.smtps, force_implicit_tls: true }),
  ])
  const config = JSON.stringify({
    route: { receiver: 'a', group_wait: '0s' },
    receivers: [{ name: 'a', email_configs: configs }],
  })
  await post(await start(config), [{ labels: { alertname: 'Mailed' } }])
  const seen = () =>
    byMethod.flatMap(([, sinks]) =>
      sinks
        .notifications()
        .map(({ receiver, answered, transport, problems }) => [
          receiver,
          answered,
          transport?.tls,
          transport?.auth,
          problems,
        ])
        .sort(),
    )
  await settles(
    seen,
    byMethod.flatMap(([method]) => [
      [`implicit-${method}`, '250', true, method, []],
      [`starttls-${method}`, '250', true, method, []],
    ]),
  )
})

test('every other service of Alertmanager’s that can be redirected is told, firing and resolved, soundly', async () => {
  const sinks = await openSinks()
  const url = (type: string) => sinks.url(type, 'a')
  const secret = 'muster'
  const receiver = {
    name: 'a',
    webhook_configs: [{ url: url('webhook') }],
    opsgenie_configs: [{ api_url: url('opsgenie'), api_key: secret, update_alerts: true }],
    victorops_configs: [{ api_url: `${url('victorops')}/`, api_key: secret, routing_key: 'team' }],
    telegram_configs: [{ api_url: url('telegram'), bot_token: secret, chat_id: 1 }],
    webex_configs: [
      {
        api_url: url('webex'),
        room_id: 'r',
        http_config: { authorization: { credentials: secret } },
        send_resolved: true,
      },
    ],
    discord_configs: [{ webhook_url: url('discord') }],
    msteams_configs: [{ webhook_url: url('msteams') }],
    msteamsv2_configs: [{ webhook_url: url('msteamsv2') }],
    mattermost_configs: [
      { webhook_url: url('mattermost'), text: '[{{ .Status | toUpper }}] Everywhere', send_resolved: true },
    ],
    rocketchat_configs: [{ api_url: url('rocketchat'), token: secret, token_id: secret, send_resolved: true }],
    wechat_configs: [
      { api_url: `${url('wechat')}/`, api_secret: secret, corp_id: secret, to_user: 'u', send_resolved: true },
    ],
    sns_configs: [
      {
        api_url: url('sns'),
        topic_arn: 'arn:aws:sns:eu-west-1:123456789012:a.fifo',
        sigv4: { region: 'eu-west-1', access_key: 'a', secret_key: secret },
      },
    ],
    jira_configs: [
      {
        api_url: `${url('jira')}/rest/api/2?transition=Close`,
        project: 'A',
        issue_type: 'Bug',
        resolve_transition: 'Close',
        http_config: { basic_auth: { username: 'u', password: secret } },
      },
    ],
    incidentio_configs: [{ url: url('incidentio'), alert_source_token: secret }],
  }
  const types = Object.keys(receiver)
    .filter((key) => key.endsWith('_configs'))
    .map((key) => `${key.replace('_configs', '')}/a`)
    .sort()
  const config = JSON.stringify({
    route: { receiver: 'a', group_wait: '0s', group_interval: '1s', group_by: ['alertname'] },
    receivers: [receiver],
  })
  const alertmanager = await start(config)
  const alerts = [{ labels: { alertname: 'Everywhere', severity: 'critical' }, annotations }]
  const seen = (status: Notification['status']) => () =>
    sinks
      .notifications()
      .filter((one) => isDelivered(one) && one.status === status)
      .map(({ type, receiver }) => `${type}/${receiver}`)
      .sort()
  await post(alertmanager, alerts)
  await settles(seen('firing'), types)
  await post(alertmanager, alerts, true)
  await settles(seen('resolved'), types)
  expect(problemsOf(sinks)).toEqual([])
  // Opsgenie is told of an end by alias alone.
  const silent = sinks.notifications().filter((one) => !tells(one, 'Everywhere'))
  expect(silent.map(({ type, status }) => `${type} ${status}`)).toEqual(['opsgenie resolved'])
  // What Alertmanager logs is no part of what the sinks say; that it failed nowhere is.
  expect(alertmanager.log()).not.toContain('Notify attempt failed')
})
