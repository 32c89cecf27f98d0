import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readRun } from '../reports/json.ts'
import { obtain } from '../stack/obtain.ts'
import { freePorts } from '../stack/ports.ts'
import { root } from './harness.ts'

/**
 * The package as a stranger gets it, against a system that muster did not instrument: one Prometheus under load, with its
 * own metrics and nothing else, and another that scrapes it.
 */
let folder = ''
let app = ''
let underLoad = ''
let scraping = ''
const processes: ReturnType<typeof launch>[] = []

const document = {
  openapi: '3.1.0',
  info: { title: 'prometheus', version: '1' },
  paths: {
    '/api/v1/labels': { get: { responses: { 200: { description: 'labels' } } } },
    '/api/v1/label/{label}/values': {
      get: {
        parameters: [{ name: 'label', in: 'path', required: true, example: 'job' }],
        responses: { 200: { description: 'values' } },
      },
    },
    '/api/v1/query': {
      get: {
        parameters: [{ name: 'query', in: 'query', required: true, example: 'vector(1)' }],
        responses: { 200: { description: 'a vector' } },
      },
    },
  },
}
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
  include: ['*.ts'],
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-package-'))
  app = join(folder, 'app')
  await mkdir(app)
  await writeFile(join(app, 'package.json'), '{ "name": "app", "private": true, "type": "module" }')
  await writeFile(join(app, 'openapi.json'), JSON.stringify(document))
  await writeFile(join(app, 'tsconfig.json'), JSON.stringify(tsconfig))
  const packed = await execa('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: root })
  const { devDependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  const wanted = ['@types/k6', 'typescript'].map((name) => `${name}@${devDependencies[name]}`)
  const archive = join(folder, packed.stdout.trim().split('\n').at(-1) ?? '')
  await execa('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', archive, ...wanted], { cwd: app })

  const { prometheus } = await obtain(['prometheus'])
  const [one = 0, other = 0] = await freePorts(2)
  underLoad = `http://127.0.0.1:${one}`
  scraping = `http://127.0.0.1:${other}`
  const job = `{ job_name: shop, static_configs: [{ targets: ['127.0.0.1:${one}'] }] }`
  await writeFile(join(folder, 'under-load.yml'), 'global: { scrape_interval: 15s }\n')
  await writeFile(join(folder, 'scraping.yml'), `global: { scrape_interval: 1s }\nscrape_configs: [${job}]\n`)
  for (const [name, port] of [
    ['under-load', one],
    ['scraping', other],
  ] as const) {
    const data = join(folder, `${name}-data`)
    const args = [`--config.file=${join(folder, `${name}.yml`)}`, `--storage.tsdb.path=${data}`]
    processes.push(launch(prometheus, [...args, `--web.listen-address=127.0.0.1:${port}`]))
  }
  for (const url of [underLoad, scraping])
    await expect
      .poll(
        () =>
          fetch(`${url}/-/ready`).then(
            ({ status }) => status,
            () => 0,
          ),
        { timeout: 30_000 },
      )
      .toBe(200)
  await expect
    .poll(async () => (await fetch(`${scraping}/api/v1/query?query=up`)).text(), { timeout: 30_000 })
    .toContain('"1"')
}, 900_000)
afterAll(async () => {
  for (const one of processes) one.kill()
  await Promise.all(processes)
  if (folder !== '') await rm(folder, { recursive: true, force: true })
})

function launch(program: string, args: readonly string[]) {
  return execa(program, args, { reject: false, stdio: 'ignore' })
}

function passmuster(...args: string[]) {
  return execa('npx', ['passmuster', ...args], { cwd: app, reject: false, stdin: 'ignore', timeout: 170_000 })
}

test('the package holds what it needs, and no test', async () => {
  const { stdout } = await execa('npm', ['ls', '--depth=0'], { cwd: app })
  expect(stdout).toContain('passmuster@')
  const help = await passmuster('--help')
  expect(help.exitCode, help.stderr).toBe(0)
  for (const command of ['init', 'run', 'check', 'doctor']) expect(help.stdout).toContain(`  ${command}`)
  const { stdout: files } = await execa('find', ['node_modules/passmuster', '-name', '*.test.ts'], { cwd: app })
  expect(files).toBe('')
})

test('init finds the names that a stranger gave to its metrics', async () => {
  const called = await passmuster('init', '--url', underLoad, '--prometheus', scraping, '--openapi', 'openapi.json')
  expect(called.exitCode, called.stderr).toBe(0)
  const config = await readFile(join(app, 'muster.config.ts'), 'utf8')
  expect(config).toContain("metric: 'prometheus_http_requests_total', route: 'handler', method: false, status: 'code'")
  expect(config).toContain("duration: 'prometheus_http_request_duration_seconds'")
  const journey = await readFile(join(app, 'first.ts'), 'utf8')
  expect(journey).toContain("get('/api/v1/label/:name/values', 200, ['shop'])")
})

test('what init wrote has types, with nothing installed but k6’s', async () => {
  const { exitCode, stdout } = await execa('npx', ['tsc', '-p', '.'], { cwd: app, reject: false })
  expect(stdout).toBe('')
  expect(exitCode).toBe(0)
})

test('a run proves every request by the counters, and says which signals there are none of', async () => {
  const { stdout } = await passmuster('run', '--rate', '3', '--duration', '5s')
  const { checks } = await readRun(join(app, 'reports', 'out', 'latest'))
  const verdicts = new Map(checks.map(({ id, verdict }) => [id, verdict]))
  for (const id of ['metrics.request-count.shop', 'metrics.histogram.shop', 'metrics.quiet-edges.shop'])
    expect(verdicts.get(id), stdout).toBe('passed')
  expect(verdicts.get('logs.request-count.shop')).toBe('skipped')
  expect(verdicts.get('traces.ids.shop')).toBe('skipped')
  expect(stdout.replace(/\s+/g, ' ')).toContain('the config names no Loki (backends.loki)')
})

test('a run during which somebody else uses the service is red for that', async () => {
  const intruder = setInterval(() => void fetch(`${underLoad}/api/v1/labels`).catch(() => undefined), 500)
  await passmuster('run', '--quiet', '--rate', '3', '--duration', '5s')
  clearInterval(intruder)
  const { checks } = await readRun(join(app, 'reports', 'out', 'latest'))
  expect(checks.filter(({ verdict }) => verdict === 'failed').map(({ id }) => id)).toContain(
    'metrics.request-count.shop',
  )
})
