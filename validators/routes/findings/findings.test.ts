import { expect, test } from 'vitest'
import { parseAlertmanagerFile } from '../alertmanager-file.ts'
import { derive, parentsOf } from '../derive.ts'
import type { AskCalendar } from '../intervals.ts'
import type { Finding, FindingKind, KnownAlert } from './finding.ts'
import { findFindings, findingResults } from './findings.ts'

const hook = 'webhook_configs: [{url: "http://x.example"}]'
const receivers = ['def', 'pager', 'mail', 'chat'].map((name) => `  - {name: ${name}, ${hook}}`).join('\n')

interface Given {
  readonly known?: readonly KnownAlert[]
  readonly rest?: string
  readonly askCalendar?: AskCalendar
}

/** Findings of a tree whose routes are given as YAML, one a line. */
async function found(routes: readonly string[], { known = [], rest = '', askCalendar }: Given = {}) {
  const lines = routes.map((route) => (route.trimStart().startsWith('#') ? `    ${route}` : `    - ${route}`))
  const text = `route:\n  receiver: def\n  group_by: ['...']\n  routes:\n${lines.join('\n')}\nreceivers:\n${receivers}\n${rest}`
  const file = parseAlertmanagerFile(text, 'am.yml')
  const derived = derive(file.root)
  return findFindings({ file, derived, parents: parentsOf(file.root), known, askCalendar })
}

function only(findings: readonly Finding[], kind: FindingKind): string[] {
  return findings
    .filter((finding) => finding.kind === kind)
    .map(({ severity, line, sentence }) => `${severity} ${line} ${sentence}`)
}

const sound = [
  '{matchers: [severity=critical], receiver: pager, continue: true}',
  '{matchers: [severity=critical], receiver: chat}',
  '{matchers: [severity=warning], receiver: mail}',
]

test('a sound tree has no finding', async () => {
  expect(await found(sound)).toEqual([])
})

test('an unreachable route fails, and says who is before it', async () => {
  const findings = await found([...sound, '{matchers: [severity=critical, team=x], receiver: mail}'])
  expect(only(findings, 'unreachable')).toEqual([
    'fails 8 route.routes[3] (receiver mail) is reached by no alert: route.routes[1] (line 6) takes every such alert before it, without continue',
  ])
})

test('a receiver that an alert always reaches twice fails; one that it may reach twice is noted', async () => {
  const always = await found([sound[0] ?? '', '{matchers: [severity=critical], receiver: pager}'])
  expect(only(always, 'duplicate-delivery')).toEqual([expect.stringMatching(/^fails 6 .* tell receiver pager twice/)])
  const perhaps = await found([
    '{matchers: [a=b], receiver: mail, continue: true}',
    '{matchers: [c=d], receiver: mail}',
  ])
  expect(only(perhaps, 'duplicate-delivery')).toEqual([expect.stringMatching(/^noted 6/)])
  const known = [{ labels: { alertname: 'Both', a: 'b', c: 'd' }, from: 'r.yml:1' }]
  const proven = await found(
    ['{matchers: [a=b], receiver: mail, continue: true}', '{matchers: [c=d], receiver: mail}'],
    { known },
  )
  expect(only(proven, 'duplicate-delivery')).toEqual([expect.stringMatching(/^fails 6 .*of Both \(r.yml:1\)/)])
})

test('a continue after which nothing matches is noted', async () => {
  const findings = await found([
    '{matchers: [team=x], receiver: mail, continue: true}',
    '{matchers: [team=y], receiver: chat}',
  ])
  expect(only(findings, 'idle-continue')).toEqual([expect.stringMatching(/^noted 5 .*changes nothing/)])
})

test('a known critical alert that falls through fails, where other critical alerts are routed', async () => {
  const tree = ['{matchers: [team=x, severity=critical], receiver: pager}']
  const known = [{ labels: { alertname: 'Down', severity: 'critical' }, from: 'r.yml:3' }]
  expect(only(await found(tree, { known }), 'fall-through')).toContainEqual(
    expect.stringMatching(/^fails 1 route: Down \(r.yml:3\) falls through to the default receiver def/),
  )
  const routed = [{ labels: { alertname: 'Down', severity: 'critical', team: 'x' }, from: 'r.yml:3' }]
  expect(only(await found(tree, { known: routed }), 'fall-through')).toEqual([expect.stringMatching(/^noted/)])
})

const nights = 'time_intervals: [{name: night, time_intervals: [{times: [{start_time: "00:00", end_time: "06:00"}]}]}]'

test('a critical route that a time interval can mute fails, one that another covers does not', async () => {
  const askCalendar: AskCalendar = async (questions) =>
    questions.map((question) => {
      const { id, from } = JSON.parse(question)
      return JSON.stringify({
        id,
        contains: false,
        boundaries: [{ at: new Date(Date.parse(from) + 3_600_000), contains: true }],
      })
    })
  const muted = ['{matchers: [severity=critical], receiver: pager, mute_time_intervals: [night]}']
  const gap = await found(muted, { rest: nights, askCalendar })
  expect(only(gap, 'critical-muted')).toEqual([
    expect.stringMatching(/^fails 5 route.routes\[0\]: .* is told to nobody from 20/),
  ])
  const unasked = await found(muted, { rest: nights })
  expect(only(unasked, 'critical-muted')).toEqual([expect.stringMatching(/^undecided/)])
  const divided = [
    '{matchers: [severity=critical], receiver: pager, active_time_intervals: [night], continue: true}',
    '{matchers: [severity=critical], receiver: chat, mute_time_intervals: [night]}',
  ]
  expect(only(await found(divided, { rest: nights, askCalendar }), 'critical-muted')).toEqual([])
  expect(only(await found(divided, { rest: nights }), 'critical-muted')).toEqual([])
})

test('an inhibition by a lesser alert fails, one by a critical one is noted', async () => {
  const rules = `inhibit_rules:
  - {source_matchers: [severity=warning], target_matchers: [severity=critical], equal: [alertname]}
  - {source_matchers: [alertname=Down], target_matchers: [severity=~"critical|warning"], equal: [service]}
  - {source_matchers: [severity=critical], target_matchers: [severity=warning], equal: [service]}`
  expect(only(await found(sound, { rest: rules }), 'critical-inhibited')).toEqual([
    expect.stringMatching(/^fails 14 inhibit_rules\[0\]/),
    expect.stringMatching(/^noted 15 inhibit_rules\[1\]/),
  ])
})

test('slips fail where alerts or usage tell the right word, and names that are counted are no slips', async () => {
  const slips = await found([
    '{matchers: [severity=critcal], receiver: pager}',
    '{matchers: [serverity=warning], receiver: mail}',
  ])
  expect(only(slips, 'misspelt')).toEqual([
    expect.stringMatching(/^fails 5 .*"critical"/),
    expect.stringMatching(/^fails 6 .*severity/),
  ])
  const known = [{ labels: { alertname: 'A', team: 'payments' }, from: 'r.yml:1' }]
  const team = await found(['{matchers: [team=paymetns], receiver: mail}'], { known })
  expect(only(team, 'misspelt')).toEqual([expect.stringMatching(/^fails 5 .*alerts have team="payments"/)])
  const counted = ['team-a', 'team-b', 'db1', 'db2', 'cluster-01', 'cluster-02'].map(
    (team) => `{matchers: [team=${team}], receiver: mail}`,
  )
  expect(only(await found(counted), 'misspelt')).toEqual([])
})

test('groups that mix what routes tell apart are noted', async () => {
  const findings = await found([
    '{matchers: ["team=~\\"web|mobile\\""], receiver: mail, group_by: [alertname]}',
    '{matchers: [team=x], receiver: pager, group_by: [team]}',
  ])
  expect(only(findings, 'grouping')).toEqual([
    expect.stringMatching(/^noted 5 .*differ in team/),
    expect.stringMatching(/^noted 6 .*different alerts/),
  ])
})

test('unused definitions are noted, and missing templates fail', async () => {
  const findings = await found(sound.slice(2), { rest: `${nights}\ntemplates: [/nowhere/at-all/*.tmpl]` })
  expect(only(findings, 'unused')).toEqual([
    expect.stringMatching(/^noted 8 receiver pager/),
    expect.stringMatching(/^noted 10 receiver chat/),
    expect.stringMatching(/^noted 11 time interval night/),
    expect.stringMatching(/^fails 12 templates/),
  ])
})

test('a comment in the file allows what it names, and only that', async () => {
  const findings = await found([
    '# muster allow misspelt: that is what the vendor calls it',
    '{matchers: [severity=critcal], receiver: pager}',
    '{matchers: [severity=critcal, a=b], receiver: pager}',
  ])
  const results = findingResults('am.yml', findings, 0)
  expect(findings.find(({ kind }) => kind === 'misspelt')?.allowed).toBe('that is what the vendor calls it')
  expect(results.filter(({ verdict }) => verdict !== 'passed').map(({ id }) => id)).toEqual([
    'alerts.route.unreachable',
    'alerts.route.misspelt',
  ])
})
