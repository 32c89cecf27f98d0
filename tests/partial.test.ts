import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Project, plant, redIds, shortBasic } from './harness.ts'

/** Whole runs against systems that lack signals: what is missing is seen, what is there is judged as ever. */
let project: Project
let urls: Awaited<ReturnType<Project['state']>>['urls']
beforeAll(async () => {
  project = await Project.make()
  const up = await project.call(['up'])
  expect(up.code, up.stderr).toBe(0)
  urls = (await project.state()).urls
}, 180_000)
afterAll(() => project.remove())

/** The sample as somebody else's system of which only these backends are known. */
function external(backends: Readonly<Record<string, string>>, more = ''): string {
  const named = Object.fromEntries(Object.entries(backends).map(([name, url]) => [name, { url, ui: false }]))
  return `{ ...${shortBasic}, slos: [], freshness: undefined, target: { url: '${urls.gateway}' }, backends: ${JSON.stringify(named)}, ${more} }`
}

/** Reasons of what was skipped, by id. */
async function skips(): Promise<Map<string, string>> {
  const checks = await project.checks()
  return new Map(
    checks.flatMap(({ id, verdict, reason = '' }) => (verdict === 'skipped' ? [[id, reason] as const] : [])),
  )
}

test('with Prometheus alone metrics are proven, and every other signal is skipped where it is seen', async () => {
  await project.configure(external({ prometheus: urls.prometheus }))
  const { code, stdout } = await project.call(['run'])
  expect(redIds(await project.checks()), stdout).toEqual([])
  expect(code).toBe(0)
  const passed = (await project.checks()).filter(({ verdict }) => verdict === 'passed').map(({ id }) => id)
  expect(passed).toEqual(expect.arrayContaining(['metrics.request-count.todos', 'metrics.histogram.gateway']))
  const told = await skips()
  for (const service of ['gateway', 'todos', 'webhooks']) {
    expect(told.get(`logs.request-count.${service}`)).toContain('the config names no Loki')
    expect(told.get(`traces.ids.${service}`)).toContain('the config names no source of traces')
  }
  expect(stdout.replace(/\s+/g, ' ')).toContain('the config names no Loki (backends.loki)')
  const junit = await readFile(join(project.folder, 'reports', 'out', 'latest', 'junit.xml'), 'utf8')
  expect(junit).toMatch(/<skipped\/>\s*<system-out><!\[CDATA\[verdict: skipped\s+reason: the config names no Loki/)
})

test('with Prometheus alone a counter that lies is still found', async () => {
  const lift = await plant(urls.faults.todos, { fault: 'skip-counter', ratio: 0.1 })
  const { code } = await project.call(['run', '--quiet'])
  await lift()
  expect(code).toBe(1)
  expect(redIds(await project.checks())).toContain('metrics.request-count.todos')
})

test('an accepted deviation is a counted exception while it fails, and red once it is mended', async () => {
  const accepted = `accepted: [{ check: 'metrics.request-count.todos', reason: 'SHOP-12', owner: 'team todos', expires: '2999-12-31' }]`
  await project.configure(external({ prometheus: urls.prometheus }, accepted))
  const lift = await plant(urls.faults.todos, { fault: 'skip-counter', ratio: 0.1 })
  const { code, stdout } = await project.call(['run', '--only', 'metrics.request-count'])
  await lift()
  expect(code, stdout).toBe(0)
  expect(stdout).toMatch(/but for 1\s+accepted deviation/)
  expect(stdout).toContain('team todos accepts it until 2999-12-31: SHOP-12')
  expect(await project.checks()).toContainEqual(
    expect.objectContaining({ id: 'metrics.request-count.todos', verdict: 'accepted' }),
  )
  const mended = await project.call(['run', '--quiet'])
  expect(mended.code).toBe(1)
  expect(redIds(await project.checks())).toEqual(['stack.accepted.metrics.request-count.todos'])
})

test('a counter without a label for the method is compared by what it tells', async () => {
  const services = `services: { todos: { ...base.services.todos, requests: { kind: 'http', metric: 'http_requests_total', method: false }, logs: undefined, traces: undefined } }`
  await project.configure(external({ prometheus: urls.prometheus, loki: urls.loki, jaeger: urls.jaeger }, services))
  const { stdout } = await project.call(['run', '--quiet', '--only', 'metrics.request-count'])
  const [count] = await project.checks()
  expect(count, stdout).toMatchObject({ id: 'metrics.request-count.todos', verdict: 'passed' })
  expect(count?.evidence.actual).toContain('* /todos/:id 200 = ')
})

test('without any backend the load and its thresholds are judged; with nothing else asked for, nothing is green', async () => {
  await project.configure(external({}, `services: { todos: {} }, thresholds: { http_req_failed: ['rate<0.01'] }`))
  const { code, stdout } = await project.call(['run'])
  expect(code, stdout).toBe(0)
  expect([...(await skips()).keys()]).toEqual(
    expect.arrayContaining(['metrics.series.todos', 'logs.request-count.todos', 'traces.ids.todos', 'stack.targets']),
  )
  const only = await project.call(['run', '--only', 'logs', '--duration', '2s'])
  expect(only.code, only.stdout).toBe(1)
})
