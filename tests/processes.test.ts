import { existsSync } from 'node:fs'
import { chmod, mkdir, readdir } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { StackState } from '../stack/state.ts'
import { Project, root } from './harness.ts'
import { allGone, processesOf, underLoad, until, validReport } from './observe.ts'

const basic = JSON.stringify(join(root, 'scenarios/basic.ts'))
const smoke = JSON.stringify(join(root, 'scenarios/smoke.ts'))
const light = `{ scenarios: [{ file: ${basic}, rate: 10, duration: '4s' }], alerts: [] }`
const withAlert = `{
  scenarios: [{ file: ${basic}, rate: 10, duration: '2s' }],
  alerts: base.alerts.slice(0, 1).map((trial) => ({ ...trial, load: { scenario: ${smoke} } })),
}`

/** What was started and must not outlive its test. */
const running: ReturnType<Project['start']>[] = []
const projects: Project[] = []

afterEach(async () => {
  for (const muster of running.splice(0)) {
    muster.kill('SIGKILL')
    await muster
  }
})

afterAll(async () => {
  for (const project of projects) await project.remove()
})

async function made(config: string): Promise<Project> {
  const project = await Project.make(config)
  projects.push(project)
  return project
}

/** Starts muster with the project in its environment, so that its watchdog is known by it too. */
function started(project: Project, args: readonly string[] = ['run'], env: Record<string, string> = {}) {
  const muster = project.start(args, { MUSTER_CONFIG: project.config, ...env })
  running.push(muster)
  return muster
}

function latest(project: Project): string {
  return join(project.folder, 'reports', 'out', 'latest')
}

describe('Ctrl-C', () => {
  test('during load ends everything, and the report says so: exit 130', async () => {
    const project = await made(light)
    const muster = started(project)
    await underLoad(project.folder, 'basic')
    muster.kill('SIGINT')
    const { exitCode, stderr } = await muster
    expect(stderr).toContain('Interrupted by SIGINT.')
    expect(exitCode).toBe(130)
    await allGone(project.folder)
    expect(existsSync(join(latest(project), 'data'))).toBe(false)
    const { end } = await validReport(latest(project))
    expect(end).toMatchObject({ exitCode: 130, verdict: 'Interrupted by SIGINT.' })
  })

  test('during validation ends everything, and the report has what was judged: exit 130', async () => {
    const project = await made(light)
    const muster = started(project)
    await underLoad(project.folder, 'basic')
    await until('the first verdict', 30_000, async () => {
      const { checks } = await validReport(latest(project))
      return checks.length > 0 || undefined
    })
    muster.kill('SIGINT')
    const { exitCode } = await muster
    expect(exitCode).toBe(130)
    await allGone(project.folder)
    const { checks, end, scenarios } = await validReport(latest(project))
    expect(checks.length).toBeGreaterThan(0)
    expect(scenarios).toHaveLength(1)
    expect(end?.exitCode).toBe(130)
  })

  test('during a build ends the builder, and leaves nothing half built: exit 130', async () => {
    const project = await made(light)
    const cache = join(project.folder, 'cache')
    const folder = join(project.folder, 'go')
    await mkdir(folder)
    await project.write('go/go', '#!/bin/sh\nif [ "$1" = env ]; then echo go1.26.0; else exec sleep 300; fi\n')
    await chmod(join(folder, 'go'), 0o755)
    const path = `${folder}${delimiter}${process.env.PATH ?? ''}`
    const muster = started(project, ['run'], { PATH: path, XDG_CACHE_HOME: cache })
    await until('the build', 20_000, async () =>
      (await processesOf(project.folder)).find(({ command }) => command.startsWith('sleep 300')),
    )
    muster.kill('SIGINT')
    const { exitCode, stdout } = await muster
    expect(stdout).toContain('building k6')
    expect(exitCode).toBe(130)
    await allGone(project.folder)
    expect((await readdir(cache, { recursive: true })).filter((name) => /\/k6(\.unfinished)?$/.test(name))).toEqual([])
    const { end } = await validReport(latest(project))
    expect(end?.exitCode).toBe(130)
  })
})

describe('SIGKILL of muster', () => {
  test.for(['run', 'run --keep'])(
    'during load of %s: k6 ends first, then the stack, and its data goes',
    async (line) => {
      const project = await made(light)
      const muster = started(project, line.split(' '))
      await underLoad(project.folder, 'basic')
      const folder = await realRun(project)
      const isBackend = /\/(prometheus|loki|alertmanager|jaeger) -|services\/\w+\.ts/
      const backends = (await processesOf(project.folder)).filter(({ command }) => isBackend.test(command)).length
      expect(backends).toBe(8)
      muster.kill('SIGKILL')
      await muster
      await until('the end of all processes', 15_000, async () => {
        const left = await processesOf(project.folder)
        if (left.some(({ command }) => /\bk6 run /.test(command)))
          expect(left.filter(({ command }) => isBackend.test(command))).toHaveLength(backends)
        return left.length === 0 || undefined
      })
      expect(existsSync(join(folder, 'data'))).toBe(false)
      const { end } = await validReport(latest(project))
      expect(end).toBeNull()
    },
  )
})

test('SIGKILL of up while it starts leaves nothing', async () => {
  const project = await made(light)
  const muster = started(project, ['up'])
  await until('a backend', 20_000, async () =>
    (await processesOf(project.folder)).find(({ command }) => /\/loki -/.test(command)),
  )
  muster.kill('SIGKILL')
  await muster
  await allGone(project.folder)
  expect((await project.call(['status'])).code).toBe(3)
})

/** The folder of the latest run. */
async function realRun(project: Project): Promise<string> {
  return join(project.folder, 'reports', 'out', (await validReport(latest(project))).runId)
}

test('two runs side by side are both green', async () => {
  const [one, other] = [await made(light), await made(light)]
  const runs = [started(one), started(other)]
  const codes = (await Promise.all(runs)).map(({ exitCode }) => exitCode)
  const red = [...(await one.checks()), ...(await other.checks())].filter(({ verdict }) => verdict !== 'passed')
  expect(red.map(({ id, reason }) => `${id}: ${reason}`)).toEqual([])
  expect(codes).toEqual([0, 0])
  await Promise.all([allGone(one.folder), allGone(other.folder)])
})

describe('a stack that stays', () => {
  let project: Project
  let state: StackState

  beforeAll(async () => {
    project = await made(light)
    const { code } = await project.call(['up'])
    expect(code).toBe(0)
    state = await project.state()
  })

  beforeEach(async () => {
    await project.configure(light)
  })

  test('status tells every URL of it from another process: exit 0', async () => {
    const { code, stdout } = await project.call(['status'])
    const { faults, ...urls } = state.urls
    for (const url of [...Object.values(urls), ...Object.values(faults)]) expect(stdout).toContain(url)
    expect(code).toBe(0)
  })

  test('up says that it is up already: exit 2', async () => {
    const { code, stderr } = await project.call(['up'])
    expect(stderr).toContain('A stack is up already')
    expect(code).toBe(2)
  })

  test('SIGKILL of a run with a fault on lifts the fault, ends k6 first, and leaves the stack', async () => {
    await project.configure(withAlert)
    const muster = started(project)
    const leases = async () => {
      const response = await fetch(`${state.urls.faults.gateway}/leases`)
      return z.array(z.unknown()).parse(await response.json())
    }
    const before = (await processesOf(project.folder)).filter(({ command }) => command.includes('services/')).length
    await until('the fault', 90_000, async () => ((await leases()).length > 0 ? true : undefined))
    muster.kill('SIGKILL')
    await muster
    await until('the end of the fault', 15_000, async () => {
      const granted = await leases()
      const driving = (await processesOf(project.folder)).some(({ command }) => /\bk6 run /.test(command))
      if (granted.length === 0) expect(driving).toBe(false)
      return granted.length === 0 || undefined
    })
    const after = (await processesOf(project.folder)).filter(({ command }) => command.includes('services/')).length
    expect(after).toBe(before)
    await validReport(latest(project))
  })

  test('a run that knows only URLs is green, alert and all; check repeats its verdicts: exit 0', async () => {
    const { prometheus, loki, jaeger, alertmanager, gateway, faults } = state.urls
    const backends = Object.fromEntries(
      Object.entries({ prometheus, loki, jaeger, alertmanager }).map(([name, url]) => [name, { url }]),
    )
    // The quick profile's rules record over other windows than their names say, which a user's own would not.
    const stranger = await made(`{
      ...${withAlert},
      slos: [],
      target: { url: ${JSON.stringify(gateway)} },
      backends: ${JSON.stringify(backends)},
      sinkPort: ${state.sinkPort},
      sinkSmtpPort: ${state.sinkSmtpPort},
      services: { ...base.services, gateway: { ...base.services.gateway, faultUrl: ${JSON.stringify(faults.gateway)} } },
    }`)
    const run = await stranger.call(['run'])
    const checks = await stranger.checks()
    expect(checks.filter(({ verdict }) => verdict !== 'passed').map(({ id, reason }) => `${id}: ${reason}`)).toEqual([])
    expect(checks.map(({ id }) => id)).toContain('alerts.resolved.GatewayHighErrorRate')
    expect(run.code).toBe(0)
    const again = await stranger.call(['check'])
    expect(again.stdout).toContain('Passed again')
    expect(again.code).toBe(0)
  })

  test('after down nothing of it is left, and check of a run that it held says so: exit 3', async () => {
    const run = await project.call(['run'])
    expect(run.code).toBe(0)
    const down = await project.call(['down'])
    expect(down.stdout).toContain('The stack is down.')
    await allGone(project.folder)
    expect(existsSync(join(state.folder, 'data'))).toBe(false)
    const { code, stderr } = await project.call(['check'])
    expect(stderr).toContain('refused the connection')
    expect(code).toBe(3)
  })
})

test('run --keep leaves its stack up, which check asks, and down ends it', async () => {
  const project = await made(light)
  const run = await started(project, ['run', '--keep'])
  expect(run.exitCode).toBe(0)
  const { processes } = await project.state()
  expect(processes).toHaveLength(8)
  expect((await project.call(['check'])).code).toBe(0)
  expect((await project.call(['down'])).stdout).toContain('The stack is down.')
  await allGone(project.folder)
})
