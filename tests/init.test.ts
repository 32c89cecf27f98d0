import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readRun } from '../reports/json.ts'
import { Project, plant, root } from './harness.ts'

/** `muster init` against a stack that another folder brought up, as if it were a stranger's. */
let project: Project
let folder = ''
let urls: Awaited<ReturnType<Project['state']>>['urls']
let token = ''

const document = `openapi: 3.1.0
info: { title: gateway, version: '1' }
paths:
  /todos:
    get: { operationId: listTodos, security: [{ bearer: [] }], responses: { '200': { description: todos } } }
    post: { operationId: addTodo, responses: { '201': { description: a todo } } }
  /todos/{todoId}:
    parameters: [{ name: todoId, in: path, required: true, schema: { type: string } }]
    get: { operationId: readTodo, responses: { '200': { description: a todo } } }
`

beforeAll(async () => {
  project = await Project.make('{ alerts: [] }')
  const up = await project.call(['up'])
  expect(up.code, up.stderr).toBe(0)
  urls = (await project.state()).urls
  folder = await mkdtemp(join(tmpdir(), 'muster-init-'))
  await writeFile(join(folder, 'openapi.yaml'), document)
  const response = await fetch(`${urls.gateway}/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user: 'init', password: 'correct horse' }),
  })
  token = `Bearer ${/"token":"([^"]+)"/.exec(await response.text())?.[1]}`
}, 240_000)
afterAll(async () => {
  await project.remove()
  if (folder !== '') await rm(folder, { recursive: true, force: true })
})

function muster(...args: string[]) {
  return execa(join(root, 'muster'), args, {
    cwd: folder,
    env: { TEST_TOKEN: token },
    reject: false,
    stdin: 'ignore',
    timeout: 170_000,
  })
}

/** Verdicts of the latest run in the folder, by id. */
async function verdicts(): Promise<Map<string, string>> {
  const { checks } = await readRun(join(folder, 'reports', 'out', 'latest'))
  return new Map(checks.map(({ id, verdict }) => [id, verdict]))
}

const judged = ['metrics.request-count', 'logs.request-count', 'logs.ids', 'traces.ids', 'joined.spans'].flatMap(
  (id) => [`${id}.gateway`, `${id}.todos`],
)

test('finds services, counters, lines, traces and rules, and writes what a run can use', async () => {
  const backends = (['prometheus', 'loki', 'jaeger', 'alertmanager'] as const).flatMap((name) => [
    `--${name}`,
    urls[name],
  ])
  const steps = ['--openapi', 'openapi.yaml', '--header', 'authorization=TEST_TOKEN']
  const called = await muster('init', '--url', urls.gateway, ...backends, ...steps)
  expect(called.exitCode, called.stderr).toBe(0)
  const [config, journey] = await Promise.all(
    ['muster.config.ts', 'first.ts'].map((name) => readFile(join(folder, name), 'utf8')),
  )
  expect(config).toContain(
    "requests: { kind: 'http', metric: 'http_requests_total', route: 'route', method: 'method', status: 'status' }",
  )
  expect(config).toMatch(/selector: '\{service_name="todos"\}',\s+message: 'request completed'/)
  expect(config).toContain('GatewayHighErrorRate')
  expect(journey).toContain("    listTodos: get('/todos', 200, ['gateway', 'todos']),")
  expect(journey).toContain("    // addTodo: post('/todos', 201, ['gateway']),")
  expect(journey).toContain('the document has no example of todoId')
  expect(`${config}${journey}${called.stdout}`).not.toContain(token)
})

test('the run after it proves the service in every signal', async () => {
  const called = await muster('run', '--rate', '3', '--duration', '5s')
  const found = await verdicts()
  for (const id of judged) expect(found.get(id), `${id}: ${called.stdout}`).toBe('passed')
})

test('and it finds a service that counts wrongly and leaves its lines out', async () => {
  const lifts = [
    await plant(urls.faults.todos, { fault: 'skip-counter', ratio: 0.5 }),
    await plant(urls.faults.gateway, { fault: 'drop-logs', ratio: 0.5 }),
  ]
  await muster('run', '--quiet', '--rate', '3', '--duration', '5s')
  for (const lift of lifts) await lift()
  const found = await verdicts()
  expect(found.get('metrics.request-count.todos')).toBe('failed')
  expect(found.get('logs.ids.gateway')).toBe('failed')
  expect(found.get('traces.ids.gateway')).toBe('passed')
})

test('never overwrites, and names the file that is there', async () => {
  const before = await readFile(join(folder, 'muster.config.ts'), 'utf8')
  const called = await muster('init', '--url', urls.gateway)
  expect(called.exitCode).toBe(2)
  expect(called.stderr).toContain(`${join(folder, 'muster.config.ts')} is there already`)
  expect(await readFile(join(folder, 'muster.config.ts'), 'utf8')).toBe(before)
})
