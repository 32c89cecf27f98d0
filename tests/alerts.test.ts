import { existsSync } from 'node:fs'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import type { CheckResult } from '../lib/verdict.ts'
import type { StackState } from '../stack/state.ts'
import type { ConfigInput } from '../validators/config.ts'
import { type AlertFile, routesOf, rulesOf } from './alerts/files.ts'
import { type Called, Project, root } from './harness.ts'
import { until } from './observe.ts'

type Trials = NonNullable<ConfigInput['alerts']>
type Expected = Trials[number]['expect'][number]

const smoke = join(root, 'scenarios/smoke.ts')
const errors = { kind: 'service', service: 'gateway', fault: 'error', ratio: 0.3 } as const
/** The machine may be busy with other tests. */
const tolerance = '4s'

const rulesAnswer = z.object({ data: z.object({ groups: z.array(z.object({ name: z.string() })) }) })
const statusAnswer = z.object({ config: z.object({ original: z.string() }) })

let project: Project
let state: StackState
let refusing: Server
let reloads = 0

beforeAll(async () => {
  refusing = createServer((_, response) => response.writeHead(500).end())
  await new Promise<void>((done) => refusing.listen(0, '127.0.0.1', done))
  project = await Project.make()
  const up = await project.call(['up'])
  expect(up.code, up.stderr).toBe(0)
  state = await project.state()
})

afterAll(async () => {
  refusing?.close()
  await project?.remove()
})

/** Gives the stack that is up other rules and routes; resolves when both programs have taken them. */
async function reload(rules: readonly AlertFile[], routes: readonly AlertFile[] = rules): Promise<void> {
  const marker = `marker-${++reloads}`
  const folder = join(state.folder, 'config')
  const address = refusing.address()
  const places = {
    http: `127.0.0.1:${state.sinkPort}`,
    smtp: `127.0.0.1:${state.sinkSmtpPort}`,
    refusing: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/`,
  }
  // The sample's own rules would answer the fault too.
  for (const name of await readdir(join(folder, 'rules'))) await rm(join(folder, 'rules', name))
  await writeFile(join(folder, 'rules', 'alerts.yml'), rulesOf(marker, rules))
  await writeFile(join(folder, 'alertmanager.yml'), routesOf(marker, routes, places))
  for (const { name, pid } of state.processes)
    if (name === 'prometheus' || name === 'alertmanager') process.kill(pid, 'SIGHUP')
  await until('the new rules and routes', 20_000, async () => {
    const [ruled, status] = await Promise.all(
      [`${state.urls.prometheus}/api/v1/rules`, `${state.urls.alertmanager}/api/v2/status`].map(async (url) =>
        (await fetch(url)).json(),
      ),
    )
    const taken = rulesAnswer.parse(ruled).data.groups.some(({ name }) => name === marker)
    return (taken && statusAnswer.parse(status).config.original.includes(marker)) || undefined
  })
}

async function configure(trials: Trials): Promise<void> {
  const scenarios = [{ file: smoke, duration: '2s' }]
  await project.configure(JSON.stringify({ scenarios, alerts: trials }))
}

async function run(trials: Trials): Promise<{ called: Called; checks: readonly CheckResult[] }> {
  await configure(trials)
  const called = await project.call(['run', '--only', 'alerts'])
  return { called, checks: await project.checks() }
}

/** Ids without their beginning, of what is red. */
function reds(checks: readonly CheckResult[]): string[] {
  const red = checks.filter(({ verdict }) => verdict !== 'passed')
  return red.map(({ id }) => id.replace(/^alerts\./, '')).sort()
}

function words(checks: readonly CheckResult[]): string {
  const red = checks.filter(({ verdict }) => verdict !== 'passed')
  return red.map(({ id, verdict, reason }) => `${id} ${verdict}: ${reason}`).join('\n')
}

/** The questions that are red for an alert, and for its receivers. */
function of(alert: string, questions: string, entries: Readonly<Record<string, string>> = {}): string[] {
  const each = (text: string, end: string) =>
    text
      .split(' ')
      .filter(Boolean)
      .map((question) => `${question}.${end}`)
  return [
    ...each(questions, alert),
    ...Object.entries(entries).flatMap(([entry, own]) => each(own, `${alert}.${entry}`)),
  ]
}

const everywhere = 'delivered resolved-delivered text'

describe('a fault, and the alerts that follow', () => {
  const everybody = { receiver: 'everybody' }
  const sound: AlertFile = { name: 'Sound', kind: 'source', route: everybody }
  const soundExpected: Expected = {
    alert: 'Sound',
    labels: { service: 'gateway' },
    reaches: ['slack', 'pagerduty', 'email'],
    text: '/Sound.*%/s',
    within: '12s',
    notBefore: '3s',
  }
  const trial = (expect: readonly Expected[], inhibits: readonly string[] = []): Trials => [
    {
      name: 'errors',
      tolerance,
      load: { scenario: smoke },
      fault: errors,
      expect: [...expect],
      inhibits: [...inhibits],
    },
  ]
  const at = (alert: string, ...reaches: readonly string[]): Expected => ({
    alert,
    reaches: [...reaches],
    within: '12s',
  })

  test('rules: a wrong metric, `for` ten times too long, one that fires early, one that nobody expected', async () => {
    const route = { receiver: 'pager' }
    await reload([
      sound,
      { name: 'WrongMetric', metric: 'http_request_total', route },
      { name: 'TooSlow', for: '30s', route },
      { name: 'TooEarly', for: '0s', route },
      { name: 'Second', route },
    ])
    const early: Expected = { alert: 'TooEarly', reaches: ['pager'], notBefore: '6s' }
    // Where the group of an earlier alert is still kept, "too soon" may be the group's doing, and is not held against the rule.
    await until('an Alertmanager that keeps no groups', 45_000, async () => {
      const metrics = await (await fetch(`${state.urls.alertmanager}/metrics`)).text()
      return /^alertmanager_dispatcher_aggregation_groups 0$/m.test(metrics) || undefined
    })
    const { called, checks } = await run(
      trial([soundExpected, at('WrongMetric', 'pager'), at('TooSlow', 'pager'), early]),
    )
    const never = 'firing alertmanager resolved agree repeats'
    expect(reds(checks), words(checks)).toEqual(
      [
        ...of('WrongMetric', `pending ${never}`, { pager: everywhere }),
        ...of('TooSlow', 'firing alertmanager resolved repeats demand', { pager: everywhere }),
        ...of('TooEarly', 'demand', { pager: 'delivered' }),
        'nothing-else.errors',
      ].sort(),
    )
    expect(words(checks)).toContain('Second{service="gateway"} (firing) arrived at webhook/pager')
    expect(called.code).toBe(1)
  })

  test('one that is well in rule, route, inhibition and text passes: exit 0', async () => {
    const muted: AlertFile = { name: 'Muted', kind: 'target', route: { receiver: 'pager' } }
    await reload([sound, muted])
    const { called, checks } = await run(trial([soundExpected], ['Muted']))
    expect(words(checks)).toBe('')
    expect(called.code).toBe(0)
    expect(checks.map(({ id }) => id)).toEqual(
      expect.arrayContaining(['alerts.inhibited.Muted', 'alerts.resolved-delivered.Sound.email', 'alerts.end-state']),
    )
    expect(called.stdout).toMatch(/Sound reaches slack,\s+pagerduty,\s+email/)
  })

  test('routes: late, falling through, without receiver, never resolved, a torn template, one dead integration, no inhibition', async () => {
    const alerts: AlertFile[] = [
      sound,
      { name: 'LongWait', route: { receiver: 'pager', groupWait: '20s' } },
      { name: 'FallsThrough' },
      { name: 'NoReceiver', route: { receiver: 'nobody' } },
      { name: 'NeverResolved', route: { receiver: 'never-resolved' } },
      { name: 'Torn', route: { receiver: 'torn' } },
      { name: 'HalfDead', route: { receiver: 'half-dead' } },
      // It lacks the label by which the inhibition ties it to its source.
      { name: 'Unmuted', kind: 'target', service: '', route: { receiver: 'pager' } },
    ]
    await reload(alerts)
    const { called, checks } = await run(
      trial(
        [
          soundExpected,
          at('LongWait', 'pager'),
          at('FallsThrough', 'pager'),
          at('NoReceiver', 'pager'),
          at('NeverResolved', 'slack'),
          at('Torn', 'slack', 'pager'),
          at('HalfDead', 'slack', 'dead'),
        ],
        ['Unmuted'],
      ),
    )
    expect(reds(checks), words(checks)).toEqual(
      [
        ...of('LongWait', 'repeats demand', { pager: everywhere }),
        ...of('FallsThrough', 'repeats', { pager: everywhere }),
        ...of('NoReceiver', 'repeats demand', { pager: everywhere }),
        ...of('NeverResolved', '', { slack: 'resolved-delivered' }),
        ...of('Torn', '', { slack: everywhere }),
        ...of('HalfDead', '', { dead: everywhere }),
        'inhibited.Unmuted',
        'nothing-else.errors',
      ].sort(),
    )
    expect(words(checks)).toContain('Unmuted was never inhibited in Alertmanager')
    const strays = checks.find(({ id }) => id === 'alerts.nothing-else.errors')?.evidence.details?.join('\n')
    expect(strays).toContain('FallsThrough{service="gateway"} (firing) arrived at webhook/unrouted')
    expect(called.code).toBe(1)
  })
})

describe('faults of other kinds', () => {
  const pager: AlertFile = { name: 'Sound', route: { receiver: 'pager' } }
  const drill: AlertFile = { name: 'Drill', route: { receiver: 'drill' } }
  const synthetic = (more: object = {}): Trials[number] => ({
    name: 'drill',
    tolerance,
    fault: { kind: 'synthetic', drill: 'alertname', labels: { alertname: 'Drill', severity: 'critical', ...more } },
    expect: [{ alert: 'Drill', reaches: ['drill'] }],
  })
  /** Leases the error by a program, and lifts all there is. */
  const byProgram = async (): Promise<Trials[number]> => {
    const leases = `${state.urls.faults.gateway}/leases`
    const on = await project.write(
      'break.mjs',
      `await fetch(${JSON.stringify(leases)}, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ fault: 'error', ratio: 0.3, ttlMs: 120000 }) })`,
    )
    const off = await project.write(
      'mend.mjs',
      `import { writeFileSync } from 'node:fs'
for (const { id } of await (await fetch(${JSON.stringify(leases)})).json()) await fetch(${JSON.stringify(leases)} + '/' + id, { method: 'DELETE' })
writeFileSync('mended', 'yes')`,
    )
    return {
      name: 'program',
      tolerance,
      load: { scenario: smoke },
      fault: { kind: 'command', command: [process.execPath, on], lift: [process.execPath, off], ratio: 0.3 },
      expect: [{ alert: 'Sound', reaches: ['pager'] }],
    }
  }

  beforeAll(() => reload([pager], [pager, drill]))

  test('a synthetic alert, and a program of the user’s, are followed to the receiver and back: exit 0', async () => {
    const { called, checks } = await run([synthetic(), await byProgram()])
    expect(words(checks)).toBe('')
    expect(called.code).toBe(0)
    expect(existsSync(join(project.folder, 'mended'))).toBe(true)
    expect(checks.map(({ id }) => id)).toEqual(
      expect.arrayContaining(['alerts.delivered.Drill.drill', 'alerts.resolved-delivered.Sound.pager']),
    )
  })

  test('a synthetic alert that would reach others than test receivers is not posted: exit 2', async () => {
    await configure([
      { ...synthetic(), fault: { kind: 'synthetic', drill: 'drill', labels: { alertname: 'Drill', drill: 'yes' } } },
    ])
    const { code, stderr } = await project.call(['run', '--only', 'alerts'])
    expect(stderr).toContain('would go to drill by route.routes[1], which does not ask for the label drill')
    expect(code).toBe(2)
    expect(await (await fetch(`${state.urls.alertmanager}/api/v2/alerts`)).json()).toEqual([])
  })

  test('a crossing that cannot be derived is asked for before anything is driven: exit 2', async () => {
    await configure([{ ...(await byProgram()), fault: { ...errors, ratio: 0.04 } }])
    const { code, stderr } = await project.call(['run', '--only', 'alerts'])
    expect(stderr).toContain('can never fire: the fault strikes 4 % of requests')
    expect(code).toBe(2)
  })

  test('an alert without a rule is no-data, and a fault that cannot be switched on is errored: never green', async () => {
    const trial = await byProgram()
    const nobody = { ...trial, name: 'nobody', expect: [{ alert: 'NoSuchRule', reaches: ['pager'] }] }
    const portless = {
      ...trial,
      name: 'portless',
      fault: { ...trial.fault, command: ['/nowhere/tool'] },
    } as Trials[number]
    const { called, checks } = await run([nobody, portless])
    expect(reds(checks), words(checks)).toEqual(['firing.NoSuchRule', 'firing.Sound'])
    expect(checks.find(({ id }) => id === 'alerts.firing.NoSuchRule')?.verdict).toBe('no-data')
    expect(words(checks)).toContain('alerts.firing.Sound errored: The fault of "portless" could not be switched on')
    expect(called.code).toBe(1)
  })

  test('SIGKILL of muster during a program’s fault: the program that lifts it runs all the same', async () => {
    await configure([await byProgram()])
    await rm(join(project.folder, 'mended'), { force: true })
    const muster = project.start(['run', '--only', 'alerts'])
    onTestFinished(async () => {
      muster.kill('SIGKILL')
      await muster
    })
    const leases = async () =>
      z.array(z.unknown()).parse(await (await fetch(`${state.urls.faults.gateway}/leases`)).json())
    await until('the fault', 60_000, async () => (await leases()).length > 0 || undefined)
    muster.kill('SIGKILL')
    await muster
    await until('the end of the fault', 20_000, async () => (await leases()).length === 0 || undefined)
    await until('the program that mends', 5000, () => existsSync(join(project.folder, 'mended')) || undefined)
  })
})
