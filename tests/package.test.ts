import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CheckResult } from '../lib/verdict.ts'
import { readRun } from '../reports/json.ts'
import { obtain } from '../stack/obtain.ts'
import { freePorts } from '../stack/ports.ts'
import { redIds, root } from './harness.ts'
import { type Backends, type Launched, launch, ready, startBackends } from './package/backends.ts'
import { Shipper } from './package/shipper.ts'
import { startTraced } from './package/traced-prometheus.ts'

/** The package as a stranger gets it, against systems that muster did not instrument. What init writes is not touched. */
let folder = ''
let backends: Backends
let lines: Shipper
let queries: Shipper
const ports = { shop: 0, traced: 0, items: 0 }
const processes: Launched[] = []
const at = (port: number) => `127.0.0.1:${port}`
const version = await execa('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 8))'], { reject: false })
const hasPython = version.exitCode === 0
/** Without Python nothing of it is tried, and a note says so: a skipped test counts as failed, and the lack is the machine's. */
const describeWithPython: (name: string, tests: () => void) => void = hasPython
  ? describe
  : (name) => process.stderr.write(`Not tried for want of python3 (3.8 or newer): ${name}\n`)

const query = { parameters: [{ name: 'query', in: 'query', required: true, example: 'vector(1)' }] }
const document = (paths: object) => JSON.stringify({ openapi: '3.1.0', info: { title: 'x', version: '1' }, paths })
const get = (more: object = {}) => ({ get: { ...more, responses: { 200: { description: 'well' } } } })
const example = (name: string, value: string | number) => ({
  parameters: [{ name, in: 'path', required: true, example: value }],
})
const tsconfig = {
  compilerOptions: {
    target: 'es2023',
    module: 'nodenext',
    strict: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    types: ['k6'],
  },
  include: ['**/*.ts'],
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-package-'))
  const packed = await execa('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: root })
  const { devDependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  const wanted = ['@types/k6', 'typescript'].map((name) => `${name}@${devDependencies[name]}`)
  const archive = join(folder, packed.stdout.trim().split('\n').at(-1) ?? '')
  await writeFile(join(folder, 'package.json'), '{ "name": "app", "private": true, "type": "module" }')
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(tsconfig))
  await execa('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', archive, ...wanted], { cwd: folder })
  for (const name of ['shop', 'traced', 'items']) await mkdir(join(folder, name))

  const { prometheus } = await obtain(['prometheus'])
  const [shop = 0, traced = 0, items = 0] = await freePorts(3)
  Object.assign(ports, { shop, traced, items })
  const started = (one: Launched) => processes.push(one)
  const jobs = { shop: at(shop), traced: at(traced), ...(hasPython ? { items: at(items) } : {}) }
  backends = await startBackends(folder, jobs, started)

  const own = join(folder, 'shop', 'prometheus.yml')
  await writeFile(own, '')
  const storage = `--storage.tsdb.path=${join(folder, 'shop', 'data')}`
  started(launch(prometheus, [`--config.file=${own}`, storage, `--web.listen-address=${at(shop)}`]))
  queries = await startTraced(join(folder, 'traced'), at(traced), backends, started)
  lines = new Shipper(backends.loki, { app: 'items', service_name: 'items' })
  if (hasPython) {
    const service = launch('python3', [join(root, 'tests', 'package', 'plain.py'), String(items), backends.zipkinSpans])
    started(service)
    lines.follow(service.all)
  }
  await ready(`http://${at(shop)}/-/ready`)
  for (const job of Object.keys(jobs))
    await ready(`${backends.prometheus}/api/v1/query?query=${encodeURIComponent(`up{job="${job}"} == 1`)}`, '"1"')
}, 900_000)
afterAll(async () => {
  await Promise.all([lines, queries].map((one) => one?.stop()))
  for (const one of processes) one.kill()
  await Promise.all(processes)
  if (folder !== '') await rm(folder, { recursive: true, force: true })
}, 60_000)

type System = keyof typeof ports

function passmuster(system: System, ...args: string[]) {
  const cwd = join(folder, system)
  return execa('npx', ['passmuster', ...args], { cwd, reject: false, stdin: 'ignore', timeout: 240_000 })
}

/** Runs a small load; gives what was printed, on one line, and the verdicts by id. */
async function run(system: System): Promise<{ told: string; checks: readonly CheckResult[]; of: Map<string, string> }> {
  const { stdout, stderr } = await passmuster(system, 'run', '--rate', '3', '--duration', '5s')
  const { checks } = await readRun(join(folder, system, 'reports', 'out', 'latest'))
  const known = checks as readonly CheckResult[]
  return {
    told: `${stdout}${stderr}`.replace(/\s+/g, ' '),
    checks: known,
    of: new Map(known.map(({ id, verdict }) => [id, verdict])),
  }
}

async function init(system: System, paths: object, ...named: (keyof Backends)[]): Promise<string> {
  await writeFile(join(folder, system, 'openapi.json'), document(paths))
  const flags = named.flatMap((name) => [`--${name}`, backends[name]])
  const url = `http://${at(ports[system])}`
  const called = await passmuster(system, 'init', '--url', url, ...flags, '--openapi', 'openapi.json')
  expect(called.exitCode, called.stderr).toBe(0)
  return readFile(join(folder, system, 'muster.config.ts'), 'utf8')
}

test('the package holds what it needs, and no test', async () => {
  const { stdout } = await execa('npm', ['ls', '--depth=0'], { cwd: folder })
  expect(stdout).toContain('passmuster@')
  const help = await passmuster('shop', '--help')
  expect(help.exitCode, help.stderr).toBe(0)
  for (const command of ['init', 'run', 'check', 'doctor']) expect(help.stdout).toContain(`  ${command}`)
  const { stdout: files } = await execa('find', ['node_modules/passmuster', '-name', '*.test.ts'], { cwd: folder })
  expect(files).toBe('')
})

describe('an application with metrics only', () => {
  test('init finds the names that a stranger gave to its metrics', async () => {
    const paths = {
      '/api/v1/labels': get(),
      '/api/v1/label/{label}/values': get(example('label', 'job')),
      '/api/v1/query': get(query),
    }
    const config = await init('shop', paths, 'prometheus')
    expect(config).toContain(
      "metric: 'prometheus_http_requests_total', route: 'handler', method: false, status: 'code'",
    )
    expect(config).toContain("duration: 'prometheus_http_request_duration_seconds'")
    const journey = await readFile(join(folder, 'shop', 'first.ts'), 'utf8')
    expect(journey).toContain("get('/api/v1/label/:name/values', 200, ['shop'])")
  })

  test('a run proves every request by the counters, and says which signals there are none of', async () => {
    const { told, checks, of } = await run('shop')
    expect(redIds(checks), told).toEqual([])
    for (const id of ['metrics.request-count.shop', 'metrics.histogram.shop', 'metrics.quiet-edges.shop'])
      expect(of.get(id), told).toBe('passed')
    expect(of.get('logs.request-count.shop')).toBe('skipped')
    expect(of.get('traces.ids.shop')).toBe('skipped')
    expect(told).toContain('the config names no Loki (backends.loki)')
    expect(told).toContain('the config names no source of traces')
  })

  test('a run during which somebody else uses the service is red for that', async () => {
    const intruder = setInterval(() => void fetch(`http://${at(ports.shop)}/api/v1/labels`).catch(() => undefined), 500)
    const { checks } = await run('shop')
    clearInterval(intruder)
    expect(redIds(checks)).toContain('metrics.request-count.shop')
  })
})

describe('Prometheus with a query log in JSON and spans by OTLP', () => {
  test('init finds them under its own names, and says what its lines do not tell', async () => {
    const range = ['query', 'start', 'end', 'step'].map((name, n) => ({
      ...{ name, in: 'query', required: true, example: ['vector(1)', 0, 60, 15][n] },
    }))
    const paths = { '/api/v1/query': get(query), '/api/v1/query_range': get({ parameters: range }) }
    const config = await init('traced', paths, 'prometheus', 'loki', 'jaeger')
    expect(config).toContain("trace_id: 'traceID', span_id: 'spanID'")
    expect(config).toContain("path: 'httpRequest.path'")
    expect(config).toContain('Its lines do not tell status, duration_ms: what rests on it is skipped.')
    expect(config).toContain("traces: { service: 'prometheus' }")
  })

  test('a run proves every request counted, logged and traced, and each line joined with its span', async () => {
    const { told, checks, of } = await run('traced')
    expect(redIds(checks), told).toEqual([])
    const proven = [
      'metrics.request-count',
      'logs.request-count',
      'logs.ids',
      'logs.fields',
      'traces.ids',
      'joined.spans',
    ]
    for (const id of proven) expect(of.get(`${id}.prometheus`), `${id}: ${told}`).toBe('passed')
    for (const id of ['logs.levels', 'joined.statuses', 'joined.span-durations'])
      expect(of.get(`${id}.prometheus`), id).toBe('skipped')
    expect(told).toContain('its log lines do not tell status (logs.names)')
    // The scrapes of the other Prometheus are traced, too; they are nobody's journey.
    expect(of.get('load.alone')).toBe('passed')
  })

  test('a third of its lines lost on their way is found by every question that needs them all, and nothing else is', async () => {
    queries.losing = /promql query logged/
    const { told, checks } = await run('traced')
    queries.losing = undefined
    const lost = ['fields', 'ids', 'request-count'].map((one) => `logs.${one}.prometheus`)
    expect(redIds(checks).sort(), told).toEqual(lost)
  })
})

describeWithPython("a Python service with lines of text and Zipkin's spans", () => {
  test('init writes an expression that reads its lines, and says that it is a guess', async () => {
    const paths = { '/items': get(), '/items/{id}': get(example('id', 7)) }
    const config = await init('items', paths, 'prometheus', 'loki', 'jaeger')
    expect(config).toContain(
      "metric: 'items_http_requests_total', route: 'endpoint', method: 'method', status: 'status'",
    )
    expect(config).toMatch(/\/\/ A guess: .*\n\s+format: \{ pattern: '.*\(\?<trace_id>.*\(\?<path>.*\(\?<status>/)
    expect(config).toContain('Its lines do not tell span_id')
    expect(config).toContain("traces: { service: 'items' }")
  })

  test('a run proves every request counted, logged and traced', async () => {
    const { told, checks, of } = await run('items')
    expect(redIds(checks), told).toEqual([])
    const proven = [
      'metrics.request-count',
      'metrics.histogram',
      'logs.request-count',
      'logs.ids',
      'logs.levels',
      'traces.ids',
    ]
    for (const id of [...proven, 'joined.statuses', 'joined.buckets'])
      expect(of.get(`${id}.items`), `${id}: ${told}`).toBe('passed')
    expect(of.get('joined.spans.items')).toBe('skipped')
    expect(told).toContain('its log lines do not tell span_id (logs.names)')
  })

  test.each([
    ['lines', ['logs.request-count.items', 'logs.ids.items']],
    ['spans', ['traces.ids.items']],
    ['counts', ['metrics.request-count.items', 'metrics.histogram.items']],
  ])('a third of its %s lost is found, and nothing else is', async (what, expected) => {
    const told = await fetch(`http://${at(ports.items)}/-/lose/${what}`, { method: 'POST' })
    expect(told.status).toBe(200)
    const { checks } = await run('items')
    await fetch(`http://${at(ports.items)}/-/keep/${what}`, { method: 'POST' })
    expect(redIds(checks).sort()).toEqual([...expected].sort())
  })
})

test('what init wrote has types, with nothing installed but k6’s', async () => {
  const { exitCode, stdout } = await execa('npx', ['tsc', '-p', '.'], { cwd: folder, reject: false })
  expect(stdout).toBe('')
  expect(exitCode).toBe(0)
})
