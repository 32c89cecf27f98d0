import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { allRoutes } from '../lib/route-tree.ts'
import type { CheckResult } from '../lib/verdict.ts'
import { calendarAsker } from '../stack/calendar.ts'
import { LoneAlertmanagers } from '../stack/lone-alertmanager.ts'
import { obtain } from '../stack/obtain.ts'
import { Gate } from '../validators/backends/http.ts'
import { parseAlertmanagerFile, readAlertmanagerFile } from '../validators/routes/alertmanager-file.ts'
import { derive } from '../validators/routes/derive.ts'
import { type Examination, examine, type Probe } from '../validators/routes/examine.ts'
import type { Surroundings } from '../validators/routes/experiment.ts'
import { tryInhibition } from '../validators/routes/inhibition.ts'
import { calendarChecks, tryIntervals } from '../validators/routes/intervals.ts'
import { openDenyingProxy } from '../validators/routes/proxy.ts'
import { tryFailures } from '../validators/routes/retry.ts'
import { tryRoutes } from '../validators/routes/routing.ts'
import { trySilences } from '../validators/routes/silences.ts'
import { SocketWatch } from '../validators/routes/socket-watch.ts'
import { tryTemplates } from '../validators/routes/templates.ts'
import { textsCheck } from '../validators/routes/text-snapshot.ts'
import { type WaitingTimes, waitingTimes } from '../validators/routes/waiting-times.ts'

let lone: LoneAlertmanagers
let programs: { readonly alertmanager: string; readonly timeinterval: string }
let folder: string

beforeAll(async () => {
  programs = await obtain(['alertmanager', 'timeinterval'])
  lone = LoneAlertmanagers.open(programs.alertmanager)
  folder = await mkdtemp(join(tmpdir(), 'muster-route-test-'))
})
afterAll(async () => {
  await lone?.close()
  await rm(folder, { recursive: true, force: true })
})

/** Short waits, two integrations, every construct once. */
const config = `
route:
  receiver: default
  group_by: [alertname, service]
  group_wait: 10s
  group_interval: 20s
  routes:
    - matchers: [team = payments]
      receiver: payments
      continue: true
    - matchers: ['team =~ "payments|web"', severity = critical]
      receiver: pagers
    - matchers: [severity = info]
      receiver: chat
      mute_time_intervals: [weekends]
    - matchers: [severity = notice]
      receiver: chat
      active_time_intervals: [office-hours]
inhibit_rules:
  - source_matchers: [severity = critical]
    target_matchers: [severity = info]
    equal: [service]
time_intervals:
  - name: weekends
    time_intervals: [{ weekdays: [saturday, sunday], location: Europe/Berlin }]
  - name: office-hours
    time_intervals: [{ weekdays: ['monday:friday'], times: [{ start_time: '09:00', end_time: '17:00' }] }]
receivers:
  - name: default
    webhook_configs: [{ url: 'https://hooks.corp.example/x' }]
  - name: payments
    webhook_configs: [{ url: 'https://payments.corp.example/x' }]
  - name: pagers
    pagerduty_configs: [{ routing_key: not-a-secret }]
    slack_configs: [{ api_url: 'https://hooks.slack.example/x', channel: '#a', send_resolved: true }]
  - name: chat
    slack_configs: [{ api_url: 'https://hooks.slack.example/y', channel: '#b' }]
`

type Part = (around: Surroundings, probes: readonly Probe[], times: WaitingTimes) => Promise<readonly CheckResult[]>

/** Tries one part of a file, with an Alertmanager that gets another file than muster believes. */
async function tried(
  part: Part,
  { text = config, tamper = (rewritten: string) => rewritten, started = async (_url: string) => {} } = {},
): Promise<readonly CheckResult[]> {
  const file = parseAlertmanagerFile(text, join(folder, 'alertmanager.yml'))
  const proxy = await openDenyingProxy()
  const { signal } = new AbortController()
  const around: Surroundings = {
    file,
    proxy,
    signal,
    watch: () => () => {},
    opening: new Gate(2),
    start: async (options) => {
      const one = await lone.start({ ...options, config: tamper(options.config) })
      await started(one.url)
      return one
    },
  }
  try {
    return await part(
      around,
      derive(file.root).flatMap(({ probes }) => probes),
      waitingTimes(file.root),
    )
  } finally {
    await proxy.close()
  }
}

function red(results: readonly CheckResult[]): Record<string, string> {
  const bad = results.filter(({ verdict }) => verdict !== 'passed' && verdict !== 'skipped')
  return Object.fromEntries(
    bad.map(({ id, verdict, reason }) => [id.replace('alerts.route.', ''), `${verdict}: ${reason}`]),
  )
}

const routes: Part = async (...given) => (await tryRoutes(...given)).results
const inhibition: Part = (around, _, times) => tryInhibition(around, times, [])
const templates: Part = async (around, probes) => (await tryTemplates(around, probes)).results

/** Replaces the only occurrence; a defect that is not planted would prove nothing. */
function replacing(from: string, to: string): { tamper: (rewritten: string) => string } {
  return {
    tamper: (rewritten) => {
      expect(rewritten.split(from), `${from} stands once in the file`).toHaveLength(2)
      return rewritten.replace(from, to)
    },
  }
}

function without(results: Record<string, string>, pattern: RegExp): string[] {
  return Object.keys(results).filter((id) => !pattern.test(id))
}

test('a sound file of 10 receivers with every type of integration and 40 routes is green, and nothing leaves this machine', async () => {
  const file = await readAlertmanagerFile(new URL('routes/platform.yml', import.meta.url).pathname)
  expect([file.receivers.size, allRoutes(file.root).length]).toEqual([10, 40])
  const sockets = new SocketWatch(100)
  const pids: number[] = []
  let examination: Examination
  try {
    examination = await examine(
      file,
      derive(file.root).flatMap(({ probes }) => probes),
      {
        start: async (options) => {
          const one = await lone.start(options)
          pids.push(one.pid)
          sockets.watch(one.pid)
          return one
        },
        askCalendar: calendarAsker(programs.timeinterval),
        texts: { path: join(folder, 'platform.texts.yml'), update: false },
        signal: new AbortController().signal,
      },
    )
  } finally {
    sockets.close()
  }
  expect(red(examination.results)).toEqual({})
  expect(examination.results.length).toBeGreaterThan(150)
  expect(pids.length).toBeGreaterThan(4)
  expect(sockets.found).toEqual([])
})

test('routes, groups, deliveries and ends of the small file are green', async () => {
  expect(red(await tried(routes))).toEqual({})
})

test('a missing continue is found', async () => {
  const found = red(await tried(routes, replacing('"continue": true', '"continue": false')))
  expect(Object.keys(found)).toContain('reach.route.routes[1]')
  expect(found['reach.route.routes[1]']).toMatch(/is answered by payments, but the routes say pagers, payments/)
})

test('a value misspelt in a matcher lets alerts fall through to the default receiver, which is found', async () => {
  const found = red(await tried(routes, replacing('"team = payments"', '"team = payment"')))
  expect(found['reach.route.routes[0]']).toMatch(/is answered by default, but the routes say payments/)
  expect(without(found, /^(reach|grouping)\.route\.routes\[[01]\]$|^(delivery|resolved)\.payments$/)).toEqual([])
})

test('another group_by than the file has is found', async () => {
  const found = red(await tried(routes, replacing('"group_by": [alertname, service]', '"group_by": [alertname]')))
  expect(found['grouping.route']).toMatch(
    /differ in service alone share 1 groups; group_by \[alertname, service\] says 0/,
  )
  expect(without(found, /^grouping\./)).toEqual([])
})

test('an integration that is told of no end is found', async () => {
  const slack = /("channel": "#a"[^}]*"send_resolved": )true/
  const tamper = (rewritten: string) => {
    expect(rewritten).toMatch(slack)
    return rewritten.replace(slack, '$1false')
  }
  const found = red(await tried(routes, { tamper }))
  expect(Object.keys(found)).toEqual(['resolved.pagers'])
  expect(found['resolved.pagers']).toMatch(
    /receivers\[2\]\.slack_configs\[0\] was notified \d+ times, its receiver \d+ times/,
  )
})

test('a destination that is not rewritten meets the proxy and is found, in the delivery too', async () => {
  const file = parseAlertmanagerFile(config, join(folder, 'alertmanager.yml'))
  const { results } = await examine(
    file,
    derive(file.root).flatMap(({ probes }) => probes),
    {
      start: (options) =>
        lone.start({
          ...options,
          config: options.config.replace(
            /http:\/\/127\.0\.0\.1:\d+\/slack\/r2-slack-0/,
            'https://hooks.slack.example/x',
          ),
        }),
      askCalendar: calendarAsker(programs.timeinterval),
      signal: new AbortController().signal,
    },
  )
  const found = red(results)
  expect(found['nothing-leaves']).toMatch(/tried CONNECT hooks\.slack\.example:443; the proxy refused it/)
  expect(found['delivery.pagers']).toMatch(/receivers\[2\]\.slack_configs\[0\] was notified 0 times/)
  expect(Object.keys(found).filter((id) => /^delivery/.test(id))).toEqual(['delivery.pagers'])
})

test('inhibition mutes, releases and spares near misses', async () => {
  expect(red(await tried(inhibition))).toEqual({})
})

test('an inhibition rule that is not in force is found', async () => {
  const found = red(await tried(inhibition, replacing('["severity = critical"],', '["severity = urgent"],')))
  expect(Object.keys(found)).toEqual(['inhibition.inhibit_rules[0]'])
  expect(found['inhibition.inhibit_rules[0]']).toMatch(/the target .* was told although its source fired/)
})

test('an inhibition rule that lacks a label of equal is found', async () => {
  const found = red(await tried(inhibition, replacing('"equal": [service]', '"equal": []')))
  expect(found['inhibition.inhibit_rules[0]']).toMatch(/was muted, though it differs in service/)
})

test("a rule without equal is found in the user's own file, and so is one that can never mute", async () => {
  const unbound = red(await tried(inhibition, { text: config.replace('    equal: [service]\n', '') }))
  expect(Object.keys(unbound)).toEqual(['inhibition-breadth.inhibit_rules[0]'])
  expect(unbound['inhibition-breadth.inhibit_rules[0]']).toMatch(/has no equal and names no one alert as its source/)
  const never = red(await tried(inhibition, { text: config.replace('equal: [service]', 'equal: [severity]') }))
  expect(never['inhibition.inhibit_rules[0]']).toMatch(/can never mute/)
})

test('time intervals mute and activate in their places; one that does not is found', async () => {
  expect(red(await tried(tryIntervals))).toEqual({})
  const found = red(
    await tried(
      tryIntervals,
      replacing('"mute_time_intervals": ["muster-always"]', '"mute_time_intervals": ["muster-never"]'),
    ),
  )
  expect(Object.keys(found)).toEqual(['intervals.route.routes[2]'])
  expect(found['intervals.route.routes[2]']).toMatch(/"weekends" contains all time, chat is told instead of nobody/)
})

test('a calendar follows daylight saving, and one that never holds is found', async () => {
  const text = config.replace("['monday:friday']", "['monday:friday'], years: ['2020']")
  const results = await calendarChecks(parseAlertmanagerFile(text, 'a.yml'), calendarAsker(programs.timeinterval))
  expect(red(results)).toEqual({ 'calendar.office-hours': expect.stringMatching(/contains no time within a year/) })
  expect(results[0]?.evidence.actual).toMatch(/2 changes of daylight saving \(Europe\/Berlin\)/)
})

test('silences hold back what they name; one that covers too much is found', async () => {
  expect(red(await tried(trySilences))).toEqual({})
  const started = async (url: string) => {
    const silence = {
      matchers: [{ name: 'muster_probe', value: 's.+-(during|near)', isRegex: true, isEqual: true }],
      startsAt: new Date().toISOString(),
      endsAt: new Date(Date.now() + 600_000).toISOString(),
      createdBy: 'test',
      comment: 'too much',
    }
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${url}/api/v2/silences`, { method: 'POST', headers, body: JSON.stringify(silence) })
    expect(answer.status).toBe(200)
  }
  const text = config.replace(/ {4}- matchers: \[severity[\s\S]*?(?=inhibit_rules)/, '')
  const found = Object.entries(red(await tried(trySilences, { text, started })))
  expect(found.length).toBeGreaterThan(2)
  for (const [, reason] of found) expect(reason).toMatch(/failed/)
})

test('a failing integration is tried again and holds up nobody; a sibling that is not told is found', async () => {
  expect(red(await tried(tryFailures))).toEqual({})
  const tamper = (rewritten: string) =>
    rewritten.replace(/http:\/\/127\.0\.0\.1:\d+\/slack\/r2-slack-0/, 'http://127.0.0.1:1/slack/r2-slack-0')
  const found = red(await tried(tryFailures, { tamper }))
  expect(found['failure.receivers[2].pagerduty_configs[0]']).toMatch(
    /slack_configs\[0\] was not told of the first alert in time/,
  )
  expect(found['failure.receivers[2].slack_configs[0]']).toMatch(/was tried 0 times/)
  expect(without(found, /receivers\[2\]/)).toEqual([])
})

test('templates render whole, and the same from run to run', async () => {
  const path = join(folder, 'small.texts.yml')
  const rendered = async (text = config) => {
    let texts: Awaited<ReturnType<typeof tryTemplates>>['texts'] = []
    const results = await tried(
      async (around, probes) => {
        const found = await tryTemplates(around, probes)
        texts = found.texts
        return found.results
      },
      { text },
    )
    return [...results, await textsCheck(texts, { path, update: false })]
  }
  const first = await rendered()
  expect(red(first)).toEqual({})
  expect(first.at(-1)).toMatchObject({ verdict: 'skipped', reason: expect.stringMatching(/texts were written/) })
  expect(await readFile(path, 'utf8')).toContain('slack[0] of chat')
  const second = await rendered()
  expect(red(second)).toEqual({})
  expect(second.at(-1)?.verdict).toBe('passed')
  const other = await rendered(config.replace("channel: '#b'", "channel: '#b', title: 'Other {{ .Status }}'"))
  expect(red(other)).toEqual({ texts: expect.stringMatching(/slack\[0\] of chat, .*line 1 was .* and is/) })
})

test.each([
  ['a field that is not defined', '{{ .Severity }}', /nothing was told: .*can't evaluate field Severity/],
  ['<no value>', '<no value> {{ .Status }}', /the text has <no value>/],
  [
    'a text that is cut',
    '{{ range .Alerts }}{{ .Annotations.description }}{{ end }}',
    /long: it is cut: Truncated title/,
  ],
])('a template with %s is found', async (_, title, reason) => {
  const text = config.replace("channel: '#b'", `channel: '#b', title: '${title}'`)
  const found = red(await tried(templates, { text }))
  expect(Object.keys(found)).toEqual(['template.receivers[3].slack_configs[0]'])
  expect(found['template.receivers[3].slack_configs[0]']).toMatch(reason)
})

test('a mail in which the text of an alert becomes a script is found', async () => {
  const mail = `
global: { smtp_smarthost: 'mail.corp.example:587', smtp_from: a@corp.example }
route: { receiver: mail }
receivers:
  - name: mail
    email_configs: [{ to: b@corp.example, html: '<p>{{ range .Alerts }}{{ .Labels.alertname }}: {{ .Annotations.summary | safeHtml }}{{ end }}</p>' }]
`
  expect(red(await tried(templates, { text: mail }))).toEqual({
    'template.receivers[0].email_configs[0]': expect.stringMatching(/markup: an alert's text becomes HTML of the mail/),
  })
  expect(red(await tried(templates, { text: mail.replace(' | safeHtml', '') }))).toEqual({})
})
