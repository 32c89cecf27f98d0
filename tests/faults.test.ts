import { createServer } from 'node:http'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { restartService, type StackState } from '../stack/state.ts'
import { Project, root } from './harness.ts'
import { allGone, processesOf, underLoad, validReport } from './observe.ts'

const basic = JSON.stringify(join(root, 'scenarios/basic.ts'))
const light = `{ scenarios: [{ file: ${basic}, rate: 15, duration: '4s' }], alerts: [] }`

/** Starts muster so that it ends with the test, however that ends. */
function started(project: Project, args: readonly string[] = ['run']): ReturnType<Project['start']> {
  const muster = project.start(args, { MUSTER_CONFIG: project.config })
  onTestFinished(async () => {
    muster.kill('SIGKILL')
    await muster
  })
  return muster
}

function latest(project: Project): string {
  return join(project.folder, 'reports', 'out', 'latest')
}

describe('against one stack that is up', () => {
  let project: Project
  let state: StackState

  beforeAll(async () => {
    project = await Project.make(light)
    const { code, stderr } = await project.call(['up'])
    expect(stderr).toContain('ready')
    expect(code).toBe(0)
    state = await project.state()
  })

  afterAll(async () => {
    await project?.remove()
  })

  afterEach(async () => {
    await project.configure(light)
  })

  /** A scenario of one journey whose script begins with this statement. */
  async function scripted(statement: string): Promise<void> {
    const lib = (name: string) => JSON.stringify(join(root, 'lib', name))
    const file = await project.write(
      `torn-${Math.random().toString(36).slice(2)}.ts`,
      `import { get, journey } from ${lib('journey.ts')}
import { scenario } from ${lib('scenario.ts')}
const torn = journey('torn', { list: get('/todos', 401, ['gateway']) }, (visit) => {
  ${statement}
  visit.list()
})
export default scenario('torn', { profile: 'basic', journeys: [{ journey: torn, share: 1 }] })
`,
    )
    await project.configure(
      `{ scenarios: [{ file: ${JSON.stringify(file)}, rate: 10, duration: '2s' }], thresholds: {}, alerts: [] }`,
    )
  }

  test('a script that throws in every iteration makes the run invalid: exit 4', async () => {
    await scripted(`throw new Error('the script is torn')`)
    const { code, stdout } = await project.call(['run'])
    expect(stdout).toContain('the script is torn')
    expect(code).toBe(4)
    const { checks } = await validReport(latest(project))
    const verdict = (id: string) => checks.find((check) => check.id === id)?.verdict
    expect(verdict('load.requests')).not.toBe('passed')
    expect(verdict('load.scripts')).toBe('failed')
  })

  test('a script that throws in some iterations fails, and nothing else does: exit 1', async () => {
    await scripted(`if (visit.user.iteration % 5 === 4) throw new Error('torn now and then')`)
    const { code, stdout } = await project.call(['run', '--only', 'load'])
    expect(stdout).toContain('torn now and then')
    expect(code).toBe(1)
    const { checks } = await validReport(latest(project))
    expect(checks.filter(({ verdict }) => verdict !== 'passed').map(({ id }) => id)).toEqual(['load.scripts'])
  })

  test('k6 killed in mid-run makes the run invalid, in k6’s words: exit 4', async () => {
    const muster = started(project)
    process.kill(await underLoad(project.folder, 'basic'), 'SIGKILL')
    const { exitCode, stdout } = await muster
    expect(stdout).toContain('k6 was ended by SIGKILL')
    expect(exitCode).toBe(4)
    const { checks } = await validReport(latest(project))
    expect(checks.find(({ id }) => id === 'load.k6')?.verdict).toBe('errored')
  })

  test('the sink’s port taken by another is named, with the remedy: exit 3', async () => {
    const server = createServer()
    onTestFinished(() => void server.close())
    await new Promise<void>((resolve) => server.listen(state.sinkPort, '127.0.0.1', resolve))
    const { code, stderr } = await project.call(['run'])
    expect(stderr).toContain(`Port ${state.sinkPort} for alert notifications is taken`)
    expect(code).toBe(3)
  })

  test('a target that does not answer is named before any load: exit 3', async () => {
    await project.configure(`{ ...${light}, target: { url: 'http://127.0.0.1:9' } }`)
    const { code, stderr, stdout } = await project.call(['run'])
    expect(stderr).toContain('The target http://127.0.0.1:9 does not answer')
    expect(stdout).not.toContain('driving')
    expect(code).toBe(3)
  })

  // The last ones, since the stack is not whole after them.
  test('a service that dies in mid-run fails it, and the report is whole: exit 1', async () => {
    const muster = started(project)
    await underLoad(project.folder, 'basic')
    const todos = state.processes.find(({ name }) => name === 'todos')
    process.kill(todos?.pid ?? 0, 'SIGKILL')
    const { exitCode } = await muster
    expect(exitCode).toBe(1)
    const { checks, end } = await validReport(latest(project))
    expect(end?.exitCode).toBe(1)
    const red = checks.filter(({ verdict }) => verdict === 'failed').map(({ id }) => id)
    expect(red).toEqual(expect.arrayContaining(['load.statuses', 'stack.targets']))
  })

  test('a service of the stack that is down from the start is named by run and by status: exit 3', async () => {
    const run = await project.call(['run'])
    expect(run.stderr).toContain('The stack that is up has lost todos: end it with muster down')
    expect(run.code).toBe(3)
    const status = await project.call(['status'])
    expect(status.stdout).toContain('No longer running: todos')
    expect(status.code).toBe(3)
  })

  test('a scrape target that is down from the start is named before any load: exit 3', async () => {
    const { prometheus, loki, jaeger, alertmanager, gateway } = state.urls
    const backends = Object.fromEntries(
      Object.entries({ prometheus, loki, jaeger, alertmanager }).map(([name, url]) => [name, { url }]),
    )
    await project.configure(`{ ...${light}, target: { url: '${gateway}' }, backends: ${JSON.stringify(backends)} }`)
    const { code, stderr, stdout } = await project.call(['run'])
    expect(stderr).toMatch(/Prometheus has target \S+ of job "todos" is down/)
    expect(stdout).not.toContain('driving')
    expect(code).toBe(3)
  })
})

describe('with two instances of todos', () => {
  let project: Project

  beforeAll(async () => {
    project = await Project.make(`{ ...${light}, stack: { instances: { todos: 2 } } }`)
    const { code, stderr } = await project.call(['up'])
    expect(code, stderr).toBe(0)
  })

  afterAll(async () => {
    await project?.remove()
  })

  test('one restarted in mid-run costs no request: exit 0', async () => {
    const before = await project.state()
    const muster = started(project, ['run', '--only', 'load'])
    await underLoad(project.folder, 'basic')
    await restartService(project.folder, 'todos-2')
    const { exitCode, stdout } = await muster
    expect(exitCode, stdout).toBe(0)
    const after = await project.state()
    const pid = (state: StackState) => state.processes.find(({ name }) => name === 'todos-2')?.pid
    expect(pid(after)).not.toBe(pid(before))
    expect((await fetch(`${after.urls.faults['todos-2']}/leases`)).status).toBe(200)
    const status = await project.call(['status'])
    expect(status.code, status.stdout).toBe(0)
  })
})

describe('a backend killed in mid-run', () => {
  let project: Project

  beforeAll(async () => {
    project = await Project.make()
    // The sample's TelemetryDown would fire, and rightly so: here it is only asked who can still be judged.
    const rules = await project.write(
      'rules.yml',
      `groups: [{ name: one, rules: [{ alert: Idle, expr: 'http_requests_total < 0' }] }]`,
    )
    await project.configure(`{ ...(${light}), slos: [], stack: { rules: ${JSON.stringify(rules)} } }`)
  })

  afterAll(async () => {
    await project?.remove()
  })

  // Alertmanager has no checks of its own without a trial: its loss shows in the watch over all that is scraped.
  for (const { backend, command, its } of [
    { backend: 'Prometheus', command: /\/prometheus --/, its: /^metrics\./ },
    { backend: 'Loki', command: /\/loki -/, its: /^logs\./ },
    { backend: 'Jaeger', command: /\/jaeger .*\/jaeger\.yml/, its: /^traces\./ },
    { backend: 'Alertmanager', command: /\/alertmanager --/, its: /^(stack\.targets|alerts\.quiet)$/ },
  ]) {
    test(`${backend}: its checks are errored, the others are judged: exit 3`, async () => {
      const muster = started(project)
      await underLoad(project.folder, 'basic')
      const victim = (await processesOf(project.folder)).find((one) => command.test(one.command))
      if (!victim) throw new Error('the backend does not run')
      process.kill(victim.pid, 'SIGKILL')
      const { exitCode } = await muster
      const { checks } = await validReport(latest(project))
      const lost = checks.filter(({ id }) => its.test(id))
      expect(lost.length).toBeGreaterThan(0)
      expect(lost.filter(({ verdict }) => verdict !== 'errored').map(({ id }) => id)).toEqual([])
      // What watches over the stack and the alerts, and what joins signals, may miss any of the four.
      const others = checks.filter(({ id }) => !its.test(id))
      const joins = ({ id, signal }: (typeof checks)[number]) =>
        ['stack', 'alerts', 'joined'].includes(signal) || /^(load\.alone|metrics\.exemplars\..*)$/.test(id)
      const wrong = others.filter(
        (check) => check.verdict !== 'passed' && !(check.verdict === 'errored' && joins(check)),
      )
      expect(wrong.map(({ id, verdict, reason }) => `${id} ${verdict}: ${reason}`)).toEqual([])
      expect(exitCode).toBe(3)
      await allGone(project.folder)
    })
  }
})
