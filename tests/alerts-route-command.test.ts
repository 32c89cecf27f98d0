import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { root } from './harness.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-test-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const sound = `route:
  receiver: mail
  group_by: [alertname, team]
  routes:
    - matchers: [severity = critical]
      receiver: pager
      continue: true
    - matchers: [severity = critical]
      receiver: chat
    - matchers: [team = payments]
      receiver: payments
receivers:
  - { name: mail, webhook_configs: [{ url: 'http://mail.example/hook' }] }
  - { name: pager, pagerduty_configs: [{ routing_key: not-a-secret }] }
  - { name: chat, slack_configs: [{ api_url: 'https://hooks.slack.example/not-a-secret', channel: '#alerts' }] }
  - { name: payments, webhook_configs: [{ url: 'http://payments.example/hook' }] }
`

/** `muster alerts route` on files that are written into the test's folder, by their names. */
async function route(files: Readonly<Record<string, string>>, ...args: readonly string[]) {
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  const all = ['alerts', 'route', '--config', 'alertmanager.yml', '--out', 'out', ...args]
  const { exitCode, stdout, stderr } = await execa(join(root, 'muster'), all, {
    cwd: folder,
    reject: false,
    stdin: 'ignore',
    timeout: 90_000,
  })
  return { code: exitCode, stdout, stderr, red: [...stdout.matchAll(/^ {2}check +(\S+)/gm)].map(([, id]) => id) }
}

const expectation = 'alerts.route.expectation'

test('the first run writes who is told of what; later ones compare with it, and tell a missing continue', async () => {
  const first = await route({ 'alertmanager.yml': sound })
  expect([first.code, first.red, first.stderr]).toEqual([0, [], expect.not.stringContaining('Error')])
  expect(first.stdout).toMatch(/^ +10 +team="payments" +team="payments" +payments +✓$/m)
  const written = await readFile(join(folder, 'alertmanager.expect.yml'), 'utf8')
  expect(written).toMatch(/severity: critical\n +alertname: MusterProbe\n +receivers:\n +- chat\n +- pager\n/)

  const again = await route({}, '--quiet')
  expect([again.code, again.red]).toEqual([0, []])
  const [run = ''] = (await readdir(join(folder, 'out'))).filter((name) => /^[\da-f]{8}$/.test(name))
  expect(await readFile(join(folder, 'out', run, 'junit.xml'), 'utf8')).toContain('is told to exactly its receivers')

  const broken = await route({ 'alertmanager.yml': sound.replace('      continue: true\n', '') })
  expect(broken.code).toBe(1)
  expect(broken.red).toEqual(expect.arrayContaining([expectation, 'alerts.route.unreachable']))
  expect(broken.stdout).toMatch(/expected chat, pager, told pager/)
  expect(await readFile(join(folder, 'alertmanager.expect.yml'), 'utf8')).toBe(written)
})

test('a value misspelt in a matcher fails by its spelling, and by who is told', async () => {
  const expected = `- {alert: {alertname: Refused, team: payments}, receivers: [payments]}\n`
  const { code, red, stdout } = await route(
    {
      'alertmanager.yml': sound.replace('team = payments', 'team = paymetns'),
      'expected.yml': expected,
      'rules.yml': `groups: [{name: g, rules: [{alert: Refused, expr: up == 0, labels: {team: payments}}]}]`,
    },
    '--expect',
    'expected.yml',
    '--rules',
    'rules.yml',
  )
  expect(code).toBe(1)
  expect(red).toEqual(expect.arrayContaining([expectation, 'alerts.route.misspelt']))
  expect(stdout).toContain('alertmanager.yml:10')
  expect(await readFile(join(folder, 'expected.yml'), 'utf8')).toBe(expected)
})

test('a critical alert of the rules that falls through to the default receiver fails', async () => {
  const routes = sound.replaceAll('[severity = critical]', '[severity = critical, team = web]')
  const rules = `groups: [{name: g, rules: [{alert: Down, expr: up == 0, labels: {severity: critical}}]}]`
  const { code, red, stdout } = await route({ 'alertmanager.yml': routes, 'rules.yml': rules }, '--rules', 'rules.yml')
  expect([code, red]).toEqual([1, ['alerts.route.fall-through']])
  expect(stdout).toMatch(/Down \(rules.yml:1\) falls\s+through to the default receiver mail/)
})

describe('one sentence and exit 2 for', () => {
  test.each([
    ['a path that is not there', {}, [], /^The Alertmanager file alertmanager.yml cannot be read \(ENOENT\)/],
    ['what is no YAML', { 'alertmanager.yml': 'route:\n  receiver: [' }, [], /^alertmanager.yml:\d+ is not YAML/],
    ['a file without a route', { 'alertmanager.yml': 'receivers: []' }, [], /^alertmanager.yml has no route/],
    [
      "Prometheus' file",
      { 'alertmanager.yml': 'scrape_configs: []' },
      [],
      /^alertmanager.yml is Prometheus' configuration/,
    ],
    [
      'a receiver that is not defined',
      { 'alertmanager.yml': sound.replace('receiver: payments', 'receiver: paymnts') },
      [],
      /^alertmanager.yml:11 route.routes\[2\].receiver names the receiver "paymnts", which is not defined \(did you mean "payments"\?\)/,
    ],
    [
      'an expectation file that is not there',
      { 'alertmanager.yml': sound },
      ['--expect', 'none.yml'],
      /^--expect none.yml does not exist/,
    ],
    [
      'rules that are not there',
      { 'alertmanager.yml': sound },
      ['--rules', 'none/*.yml'],
      /^--rules none\/\*.yml matches no file/,
    ],
  ] as const)('%s', async (_, files, args, message) => {
    const { code, stdout, stderr } = await route(files, ...args)
    expect(stderr).toMatch(message)
    expect([code, stdout, stderr.trim().split('\n').length]).toEqual([2, '', 1])
  })
})
