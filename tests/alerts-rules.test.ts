import { spawn } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { XMLParser } from 'fast-xml-parser'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { eventually } from '../lib/poll.ts'
import type { CheckResult } from '../lib/verdict.ts'
import { obtain } from '../stack/obtain.ts'
import { freePorts } from '../stack/ports.ts'
import { Gate, JsonClient } from '../validators/backends/http.ts'
import { Prometheus } from '../validators/backends/prometheus.ts'
import { readRuleFiles } from '../validators/rules/files.ts'
import { findingsOf, lintResults } from '../validators/rules/lint/lint.ts'
import { liveResults } from '../validators/rules/live/live.ts'
import { LiveSource } from '../validators/rules/live/source.ts'
import { mutantsOf } from '../validators/rules/mutants.ts'
import { type Expr, parsePromql, type Selector } from '../validators/rules/promql.ts'
import { parseRules, Recordings } from '../validators/rules/recordings.ts'
import { parseRuleFile } from '../validators/rules/rule-file.ts'
import { ruleKeys } from '../validators/rules/rule-keys.ts'
import { redIds, root } from './harness.ts'

const fixtures = join(root, 'tests/rules')
let folder: string
let exporter: Server
let main: Started
const signal = new AbortController().signal

interface Started {
  readonly url: string
  readonly prometheus: Prometheus
  readonly stop: () => Promise<void>
}

/** A shop whose series grow with every scrape: some requests fail, some are health checks. */
function shop(): Server {
  let scrapes = 0
  return createServer((_, response) => {
    scrapes += 1
    const requests = [
      ['/buy', '200', 70],
      ['/buy', '500', 5],
      ['/health', '200', 25],
    ] as const
    response.setHeader('content-type', 'text/plain; version=0.0.4')
    response.end(
      [
        '# TYPE shop_requests_total counter',
        ...requests.map(
          ([route, status, n]) => `shop_requests_total{route="${route}",status="${status}"} ${n * scrapes}`,
        ),
        '# TYPE shop_queue_depth gauge',
        'shop_queue_depth 3',
        '# TYPE shop_queue_things gauge',
        'shop_queue_things 3',
        '',
      ].join('\n'),
    )
  })
}

/** Starts a Prometheus that scrapes the shop and itself, and evaluates rule files of tests/rules. */
async function startPrometheus(name: string, ruleFiles: readonly string[]): Promise<Started> {
  const target = `127.0.0.1:${(exporter.address() as AddressInfo).port}`
  const [port] = await freePorts(1)
  const { prometheus: program } = await obtain(['prometheus'])
  const config = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: ruleFiles.map((file) => join(fixtures, file)),
    scrape_configs: [
      { job_name: 'shop', static_configs: [{ targets: [target] }] },
      { job_name: 'prometheus', static_configs: [{ targets: [`127.0.0.1:${port}`] }] },
    ],
  }
  const file = join(folder, `${name}.prometheus.json`)
  await writeFile(file, JSON.stringify(config))
  const data = `--storage.tsdb.path=${join(folder, name)}`
  const args = [`--config.file=${file}`, data, `--web.listen-address=127.0.0.1:${port}`]
  const running = spawn(program, args, { stdio: 'ignore' })
  const url = `http://127.0.0.1:${port}`
  const client = new JsonClient('prometheus', { url, timeoutMs: 5000, ui: false }, new Gate(4))
  return {
    url,
    prometheus: new Prometheus(client),
    stop: async () => {
      if (running.exitCode !== null) return
      const ended = new Promise((resolve) => running.once('exit', resolve))
      running.kill('SIGTERM')
      await ended
    },
  }
}

/** Waits until a query answers with this value. */
async function until({ prometheus }: Started, query: string, value: number): Promise<void> {
  const ask = () => prometheus.instant(query, signal)
  const polled = await eventually(ask, (found) => found[0]?.value === value, {
    withinMs: 60_000,
    patience: 1000,
    signal,
  })
  expect(polled.outcome, query).toBe('held')
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-rules-test-'))
  exporter = shop()
  await new Promise<void>((resolve) => exporter.listen(0, '127.0.0.1', resolve))
  main = await startPrometheus('main', ['sound.yml', 'failing.yml'])
  await until(main, 'count(rate(shop_requests_total[10s]) > 0)', 3)
  await until(main, 'count(rate(prometheus_rule_evaluation_failures_total[10s]) > 0)', 1)
}, 120_000)

afterAll(async () => {
  await main?.stop()
  exporter?.closeAllConnections()
  exporter?.close()
  await rm(folder, { recursive: true, force: true })
})

/** What lint and live series say of a file of tests/rules. */
async function judge(file: string, { prometheus } = main): Promise<readonly CheckResult[]> {
  const rules = parseRules(await readRuleFiles([join(fixtures, file)], root))
  const recordings = new Recordings(rules)
  const source = new LiveSource(prometheus, await prometheus.now(signal), signal)
  const context = { rules, recordings, defaultInterval: { ms: 1000, known: true } }
  const metricTypes = await source.catalogue.metricTypes(signal)
  return [
    ...lintResults(context, findingsOf({ ...context, metricTypes })),
    ...(await liveResults({ rules, recordings, keys: ruleKeys(rules), source })),
  ]
}

function only(results: readonly CheckResult[], id: string): CheckResult {
  const found = results.filter((one) => one.id === id)
  if (found.length !== 1 || !found[0]) throw new Error(`${found.length} checks are called ${id}`)
  return found[0]
}

describe('with a real Prometheus', () => {
  test('sound rules are green', async () => {
    const results = await judge('sound.yml')
    expect(results.filter(({ verdict }) => verdict !== 'passed')).toEqual([])
    expect(results.filter(({ id }) => id.startsWith('alerts.rules.live.selectors.'))).toHaveLength(5)
  })

  test('each defect turns its own check red, with the matcher or label that is to blame', async () => {
    const results = await judge('live-defects.yml')
    expect(redIds(results).sort()).toEqual([
      'alerts.rules.lint.rate-on-gauge',
      'alerts.rules.live.labels',
      'alerts.rules.live.selectors.NeverSeen',
      'alerts.rules.live.selectors.WrongJob',
      'alerts.rules.live.selectors.WrongLabel',
      'alerts.rules.live.selectors.WrongMetric',
    ])
    const reason = (name: string) => only(results, `alerts.rules.live.selectors.${name}`)
    expect(reason('WrongMetric')).toMatchObject({
      verdict: 'failed',
      reason: expect.stringContaining('no series is called shop_reqests_total'),
    })
    expect(reason('WrongJob').reason).toMatch(/job="shopp" keeps all 1 series out: job is shop; no target has that/)
    expect(reason('WrongLabel').reason).toMatch(/has a label code/)
    expect(reason('NeverSeen')).toMatchObject({
      verdict: 'no-data',
      reason: expect.stringContaining('status is 200, 500'),
    })
    const { details = [] } = only(results, 'alerts.rules.live.labels').evidence
    expect(details).toHaveLength(2)
    expect(details[0]).toContain('live-defects.yml:27:')
    expect(details[0]).toContain('no live series beneath has a label tenant')
    expect(details[1]).toContain('$labels.queue')
  })

  test('a recorded denominator that counts health checks is red, with their share', async () => {
    const results = await judge('health-checks.yml')
    expect(redIds(results)).toEqual(['alerts.rules.live.denominators'])
    const { reason } = only(results, 'alerts.rules.live.denominators')
    expect(reason).toMatch(
      /health-checks\.yml:7:\d+: .*25 % of what shop_requests_total, recorded as job:all_requests:rate10s, counts are health checks \(route is \/health\)/,
    )
  })

  test('an evaluation that fails is red with what Prometheus says; rules that are not loaded are skipped', async () => {
    const failing = only(await judge('failing.yml'), 'alerts.rules.live.evaluations')
    expect(failing).toMatchObject({
      verdict: 'failed',
      reason: expect.stringContaining('ManyToMany fails to be evaluated'),
    })
    expect(only(await judge('health-checks.yml'), 'alerts.rules.live.evaluations').verdict).toBe('skipped')
  })

  test('a group whose evaluation takes longer than its interval is red', async () => {
    const overloaded = await startPrometheus('overloaded', ['overloaded.yml'])
    try {
      await until(overloaded, 'count(rate(shop_requests_total[10s]) > 0)', 3)
      await until(overloaded, 'count(rate(prometheus_rule_group_iterations_missed_total[10s]) > 0)', 1)
      const late = only(await judge('overloaded.yml', overloaded), 'alerts.rules.live.evaluation-time')
      expect(late).toMatchObject({ verdict: 'failed', reason: expect.stringMatching(/^overloaded: /) })
    } finally {
      await overloaded.stop()
    }
  })
})

describe('the reading of PromQL', () => {
  const exprs = [
    'sum by (job, code) (rate(x_total{a="1",b!~"2|3"}[5m] offset 1w)) > bool 0.5',
    'x offset 15m or y offset 45m > 3',
    'x - y offset 5m / z @ 1234.5 ^ 2 ^ 3',
    'a * on (job, instance) group_left (team) b unless ignoring (c) d and e',
    'max_over_time((sum without (a) (rate(x[1m30s])) / -y)[1h:30s] offset 10m @ end())',
    'histogram_quantile(0.95, sum by (le) (rate(h_bucket[5m]))) >= 1e-3',
    'quantile(0.9, x) == 0x1f != 1_000',
    '100 * (1 - avg by (instance) (rate(cpu_seconds_total{mode="idle"}[5m]))) > 80',
    '{__name__=~"a.*",b=""} or {"c.d",e="f\\n"} or vector(1)',
    'topk(3, count_values("v", x)) > 1 # the end',
    'predict_linear(free_bytes[6h], 4 * 3600) < 0 and free_bytes / size_bytes < .1',
    'label_replace(absent(up{job="a"}), "x", "$1", "job", "(.*)") atan2 2 % 3',
    '14.4 * (1 - 0.999) < job:errors:ratio_rate1h and 14.4 * 0.001 < job:errors:ratio_rate5m',
  ]

  test("has the same tree as Prometheus' own", async () => {
    for (const expr of exprs) {
      expect(await parsedByPrometheus(written(parsePromql(expr))), expr).toEqual(await parsedByPrometheus(expr))
    }
  })

  test('makes mutants that Prometheus can read, each other than the rest', async () => {
    const rules = parseRuleFile(
      JSON.stringify({ groups: [{ name: 'g', rules: exprs.map((expr) => ({ alert: 'A', expr })) }] }),
      'a.yml',
    )
    const mutants = rules.flatMap((group) =>
      group.rules.flatMap((rule) => mutantsOf(rule, { intervalMs: 1000 }).mutants),
    )
    expect(mutants.length).toBeGreaterThan(100)
    expect(new Set(mutants.map(({ expr }) => expr)).size).toBe(mutants.length)
    const trees = new Set<string>()
    for (const { expr, what } of mutants) {
      const tree = JSON.stringify(await parsedByPrometheus(expr))
      expect(trees.has(tree), `${what}: ${expr}`).toBe(false)
      trees.add(tree)
    }
  })

  /** Its tree without parentheses. */
  async function parsedByPrometheus(query: string): Promise<unknown> {
    const url = `${main.url}/api/v1/parse_query?${new URLSearchParams({ query })}`
    const answer = parsedSchema.parse(await (await fetch(url)).json())
    if (answer.status !== 'success') throw new Error(`Prometheus refuses ${query}: ${answer.error}`)
    return bare(answer.data)
  }
})

const parsedSchema = z.object({ status: z.string(), error: z.string().optional(), data: z.unknown() })
const parenthesised = z.object({ type: z.literal('parenExpr'), expr: z.unknown() })

function bare(node: unknown): unknown {
  const inner = parenthesised.safeParse(node)
  if (inner.success) return bare(inner.data.expr)
  if (Array.isArray(node)) return node.map(bare)
  if (typeof node !== 'object' || node === null) return node
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, bare(value)]))
}

/** An expression with every parenthesis that can be written. */
function written(expr: Expr): string {
  switch (expr.kind) {
    case 'number':
      return String(expr.value)
    case 'string':
      return JSON.stringify(expr.value)
    case 'unary':
      return `(${expr.op}${written(expr.of)})`
    case 'call':
      return `${expr.name}(${expr.args.map(written).join(', ')})`
    case 'aggregation': {
      const { op, grouping, parameter, of } = expr
      const by = grouping ? ` ${grouping.without ? 'without' : 'by'} (${grouping.labels.join(', ')})` : ''
      return `${op}${by} (${parameter ? `${written(parameter)}, ` : ''}${written(of)})`
    }
    case 'binary': {
      const { op, bool, left, right, matching } = expr
      const on = matching ? ` ${matching.on ? 'on' : 'ignoring'} (${matching.labels.join(', ')})` : ''
      const group = matching?.group ? ` group_${matching.group} (${matching.include.join(', ')})` : ''
      return `(${written(left)} ${op}${bool ? ' bool' : ''}${on}${group} ${written(right)})`
    }
    case 'selector':
    case 'subquery': {
      const range = expr.rangeMs === undefined ? '' : `${expr.rangeMs}ms`
      const step = expr.kind === 'subquery' ? `:${expr.stepMs === undefined ? '' : `${expr.stepMs}ms`}` : ''
      const of = expr.kind === 'subquery' ? `(${written(expr.of)})` : selected(expr)
      // The time itself is not kept, since nothing depends on it.
      const pin = expr.pinned ? (expr.kind === 'subquery' ? ' @ end()' : ' @ 1234.5') : ''
      return `${of}${range === '' ? '' : `[${range}${step}]`}${expr.offsetMs ? ` offset ${expr.offsetMs}ms` : ''}${pin}`
    }
  }
}

function selected({ metric, matchers }: Selector): string {
  const texts = matchers.map(({ label, op, value }) => `${label}${op}${JSON.stringify(value)}`)
  if (metric === undefined || matchers.some(({ label }) => label === '__name__')) return `{${texts.join(',')}}`
  return /^[\w:]+$/.test(metric) ? `${metric}{${texts.join(',')}}` : `{${[JSON.stringify(metric), ...texts].join(',')}}`
}

const xml = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: '' })
const testcase = z.object({ name: z.string(), failure: z.unknown().optional(), error: z.unknown().optional() })
const junit = z.object({ testsuites: z.object({ testsuite: z.unknown() }) })

/** Test cases anywhere in a JUnit file. */
function casesIn(node: unknown): z.output<typeof testcase>[] {
  if (Array.isArray(node)) return node.flatMap(casesIn)
  if (typeof node !== 'object' || node === null) return []
  return Object.entries(node).flatMap(([key, value]) =>
    key === 'testcase' ? z.array(testcase).parse([value].flat()) : casesIn(value),
  )
}

function muster(args: readonly string[], cwd = folder) {
  return execa(join(root, 'muster'), ['alerts', 'rules', ...args], {
    cwd,
    reject: false,
    stdin: 'ignore',
    timeout: 150_000,
  })
}

describe('the command', () => {
  test('every lint of a defective file is red in the terminal and in junit.xml, and the exit code is 1', async () => {
    await cp(join(fixtures, 'lint-defects.yml'), join(folder, 'lint-defects.yml'))
    const called = await muster(['--rules', 'lint-*.yml', '--out', 'out'])
    expect(called.stderr).toBe('')
    expect(called.exitCode).toBe(1)
    const path = /^Report {2}(.*)$/m.exec(called.stdout)?.[1] ?? ''
    const cases = casesIn(junit.parse(xml.parse(await readFile(path, 'utf8'))))
    const red = cases.filter(({ failure }) => failure !== undefined).map(({ name }) => name)
    for (const sentence of [
      'rate, irate and increase are taken of counters alone',
      'for lasts at least two evaluations',
      'every alert has a severity',
      'every alert that wakes somebody has a runbook',
      'templates use no label that the expression drops',
      'a target that vanishes is noticed',
      'no alert fires because it divides by zero',
      'no label holds the value',
      'every threshold can be reached',
    ]) {
      expect(
        red.some((name) => name.includes(sentence)),
        sentence,
      ).toBe(true)
    }
    expect(called.stdout).toMatch(
      /lint-defects\.yml:40:\d+: BurnFactorUnreachable: it can never fire.*burn factor 14\.4 x budget 0\.07 = 1\.008/s,
    )
  })

  test('sound rules and live series end with 0', async () => {
    await cp(join(fixtures, 'sound.yml'), join(folder, 'sound.yml'))
    const called = await muster(['--rules', 'sound.yml', '--prometheus', main.url])
    expect(called.stderr).toBe('')
    expect({ code: called.exitCode, red: called.stdout.match(/^✗.*$/gm) }).toEqual({ code: 0, red: null })
  })

  test.each([
    [['--rules', 'none/*.yml'], 2, /^--rules none\/\*\.yml matches no file in .*: check the path\.$/],
    [['--rules', 'broken.yml'], 2, /^broken\.yml:3:\d+: this is no YAML \(.*\); correct it there\.$/],
    [['--rules', 'syntax.yml'], 2, /^syntax\.yml:5:24: the expression of A is no PromQL \(.*\); correct it there\.$/],
    [
      ['--rules', 'types.yml'],
      2,
      /^Prometheus would not load these rules; correct what promtool says:\ntypes\.yml: .*expected type/,
    ],
    [['--rules', 'route.yml'], 2, /^route\.yml is a configuration of Alertmanager; give --rules /],
    [
      ['--rules', 'sound.yml', '--prometheus', 'http://user:geheim@127.0.0.1:1'],
      2,
      /^--prometheus must not hold credentials/,
    ],
    [['--rules', 'sound.yml', '--prometheus', 'localhost'], 2, /^--prometheus must be a URL such as /],
    [
      ['--rules', 'sound.yml', '--prometheus', 'http://127.0.0.1:1'],
      3,
      /^--prometheus: prometheus at http:\/\/127\.0\.0\.1:1 refused the connection/,
    ],
    [['--rules', 'sound.yml', '--min-score', '80'], 2, /It must be a number from 0 to 1/],
  ])('%j ends with %i and one sentence', async (args, code, message) => {
    const rule = (expr: string) => `groups:\n  - name: g\n    rules:\n      - alert: A\n        expr: ${expr}\n`
    await cp(join(fixtures, 'sound.yml'), join(folder, 'sound.yml'))
    await writeFile(join(folder, 'broken.yml'), 'groups:\n  - name: [\n')
    await writeFile(join(folder, 'syntax.yml'), rule('sum(x > 1'))
    await writeFile(join(folder, 'types.yml'), rule('rate(x) > 1'))
    await writeFile(join(folder, 'route.yml'), 'route: { receiver: a }\nreceivers: [{ name: a }]\n')
    const { exitCode, stderr } = await muster(args)
    expect(stderr).toMatch(message)
    expect(exitCode).toBe(code)
    expect(stderr).not.toContain('geheim')
    expect(stderr).not.toContain('    at ')
  })
})
