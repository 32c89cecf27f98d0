import { execFile } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { obtain } from '../stack/obtain.ts'
import { inProfile } from '../stack/profile.ts'

const rules = fileURLToPath(new URL('../stack/config/rules', import.meta.url))
const run = promisify(execFile)

/** Each change makes an alert useless or a nuisance in its own way; the promtool tests of that file must notice it. */
const sabotages: readonly (readonly [what: string, tests: string, from: string | RegExp, to: string])[] = [
  ['a metric is misspelt', 'gateway', '(http_requests_total{job="gateway",status=~"5.."}', '(http_request_total{}'],
  ['`for` is ten times too long', 'gateway', 'for: 2m', 'for: 20m'],
  ['`for` is missing', 'webhooks', /\n {8}for: 5m/g, ''],
  ['a threshold is ten times too high', 'gateway', '> 0.05', '> 0.5'],
  ['a threshold lets nothing pass', 'gateway', '> 0.01', '> 0'],
  ['a window is too short', 'gateway', '{job="gateway",status=~"5.."}[5m]', '{job="gateway",status=~"5.."}[1m]'],
  ['another service is counted', 'todos', 'http_requests_total{job="todos",', 'http_requests_total{'],
  ['dead deliveries are not counted', 'webhooks', 'status=~"failed|dead"', 'status=~"failed"'],
  ['one instance of several must be down', 'services', 'max by (job) (up', 'min by (job) (up'],
  ['a service that is gone is not missed', 'services', ' or absent(up{job="webhooks"})', ''],
  ['a label is missing that routes go by', 'todos', ', team: todos', ''],
  ['an annotation is missing', 'webhooks', /\n {10}runbook_url: .*WebhookQueueBacklog.md/g, ''],
  [
    'losses at the collector are not counted',
    'telemetry',
    'otelcol_exporter_send_failed_spans',
    'otelcol_failed_spans',
  ],
]

describe('the sample rules', () => {
  let promtool: string
  let folder: string
  beforeAll(async () => {
    promtool = (await obtain(['promtool'])).promtool
    folder = await mkdtemp(join(tmpdir(), 'muster-rules-'))
    await cp(rules, folder, { recursive: true })
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  const files = async (place: string) => {
    const names = await readdir(place)
    return names.filter((name) => name.endsWith('.yml')).map((name) => join(place, name))
  }
  const ask = async (...args: readonly string[]) =>
    run(promtool, [...args], { timeout: 150_000 }).then(
      ({ stdout }) => ({ sound: true, said: stdout }),
      ({ stdout, stderr }: { stdout: string; stderr: string }) => ({ sound: false, said: stdout + stderr }),
    )
  const alerts = () => readFile(join(rules, 'alerts.yml'), 'utf8')
  const replay = (tests: readonly string[]) => ask('test', 'rules', ...tests)

  test('promtool finds nothing wrong in them, in either profile', async () => {
    const lint = ['check', 'rules', '--lint=all', '--lint-fatal']
    expect(await ask(...lint, ...(await files(rules)))).toMatchObject({ sound: true })
    for (const file of await files(rules)) {
      const quick = join(folder, 'quick.yml')
      await writeFile(quick, inProfile('quick', 'rules', await readFile(file, 'utf8'), file))
      expect(await ask(...lint, quick)).toMatchObject({ sound: true })
      await rm(quick)
    }
  })

  test('each alert fires and resolves when it should, and only then', async () => {
    expect(await replay(await files(join(folder, 'tests')))).toMatchObject({ sound: true })
  })

  test('every alert and every recorded series is named by a test', async () => {
    const tests = (await Promise.all((await files(join(rules, 'tests'))).map((file) => readFile(file, 'utf8')))).join(
      '',
    )
    const [alerting, recording] = await Promise.all(
      ['alerts', 'recording'].map((name) => readFile(join(rules, `${name}.yml`), 'utf8')),
    )
    const alertNames = [...(alerting ?? '').matchAll(/- alert: (\w+)/g)].map(([, name]) => name)
    const recordedNames = [...(recording ?? '').matchAll(/- record: ([\w:]+)/g)].map(([, name]) => name)
    expect(alertNames.length).toBeGreaterThan(0)
    for (const name of alertNames) expect(tests).toContain(`alertname: ${name}\n        exp_alerts:\n`)
    for (const name of alertNames) expect(tests).toContain(`alertname: ${name}, exp_alerts: []`)
    expect(recordedNames.length).toBeGreaterThan(0)
    for (const name of recordedNames) expect(tests).toContain(name)
  })

  test.each(sabotages)('it is noticed when %s', async (_, tests, from, to) => {
    const sound = await alerts()
    const changed = sound.replace(from, to)
    expect(changed).not.toBe(sound)
    await writeFile(join(folder, 'alerts.yml'), changed)
    try {
      const { sound: passes, said } = await replay([join(folder, 'tests', `${tests}.yml`)])
      expect(passes).toBe(false)
      expect(said).toContain('FAILED')
    } finally {
      await writeFile(join(folder, 'alerts.yml'), sound)
    }
  })
})
