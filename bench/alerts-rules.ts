import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { stringify } from 'yaml'
import { formatDuration } from '../lib/duration.ts'
import { obtain } from '../stack/obtain.ts'
import { examineRules } from '../validators/rules/examine.ts'
import { parseRuleFile } from '../validators/rules/rule-file.ts'

// How long all of muster's incidents and mutations take for many rules: node --import tsx bench/alerts-rules.ts [--rules 200]
const { values } = parseArgs({ options: { rules: { type: 'string', default: '200' } } })
const wanted = Number(values.rules)

interface RuleShape {
  readonly expr: string
  readonly for: string
  readonly record?: string
}

const services = [
  'cart',
  'checkout',
  'search',
  'mail',
  'auth',
  'billing',
  'stock',
  'media',
  'users',
  'orders',
  'rates',
  'ship',
]
const paths = ['/', '/items', '/api/v1/.*', '/admin']

/** What operators write, after the public rule collections: a shape for each kind of question. */
const shapes: readonly ((service: string, n: number) => RuleShape)[] = [
  (job, n) => ({
    expr: `sum(rate(http_requests_total{job="${job}",status=~"5.."}[5m])) / sum(rate(http_requests_total{job="${job}"}[5m])) > 0.0${(n % 8) + 1}`,
    for: '2m',
  }),
  (job, n) => ({
    expr: `histogram_quantile(0.9${n % 9}, sum by (le) (rate(http_request_duration_seconds_bucket{job="${job}",handler=~"${paths[n % 4]}"}[5m]))) > ${(n % 5) / 4 + 0.25}`,
    for: '10m',
  }),
  (job) => ({ expr: `up{job="${job}"} == 0`, for: '5m' }),
  (job) => ({ expr: `absent(up{job="${job}"})`, for: '5m' }),
  (job, n) => ({ expr: `queue_depth{job="${job}"} > ${1000 * ((n % 9) + 1)}`, for: '5m' }),
  (job, n) => ({ expr: `min_over_time(workers_free{job="${job}"}[10m]) < ${(n % 4) + 1}`, for: '0s' }),
  (job, n) => ({ expr: `increase(process_restarts_total{job="${job}"}[1h]) > ${(n % 3) + 2}`, for: '0s' }),
  (job, n) => ({
    expr: `(disk_free_bytes{job="${job}"} / disk_size_bytes{job="${job}"}) * 100 < ${10 + (n % 3) * 5}`,
    for: '15m',
  }),
  (job, n) => ({
    expr: `max by (instance) (cpu_load{job="${job}"}) > ${(n % 4) + 4} and on (instance) up{job="${job}"} == 1`,
    for: '10m',
  }),
  (job) => ({
    expr: `sum by (job, route) (rate(http_requests_total{job="${job}"}[5m]))`,
    for: '0s',
    record: 'job_route:http_requests:rate5m',
  }),
  (job, n) => ({ expr: `time() - last_success_timestamp_seconds{job="${job}"} > ${3600 * ((n % 5) + 1)}`, for: '5m' }),
  (job, n) => ({
    expr: `avg by (job) (avg_over_time(memory_used_ratio{job="${job}"}[15m])) > 0.${80 + (n % 15)}`,
    for: '15m',
  }),
]

const rules = Array.from({ length: wanted }, (_, n) => {
  const service = `${services[n % services.length]}-${Math.floor(n / services.length)}`
  const shape = shapes[n % shapes.length]?.(service, Math.floor(n / shapes.length)) ?? { expr: 'vector(1)', for: '0s' }
  return shape.record === undefined
    ? { alert: `Alert${n}`, expr: shape.expr, for: shape.for, labels: { severity: 'warning' } }
    : { record: shape.record, expr: shape.expr }
})
const { promtool } = await obtain(['promtool'])
const folder = await mkdtemp(join(tmpdir(), 'muster-bench-'))
const [ruleFile, testFile] = [join(folder, 'bench.yml'), join(folder, 'tests.yml')]
const text = stringify({ groups: [{ name: 'bench', interval: '1m', rules }] })
const groups = parseRuleFile(text, ruleFile)

/** Two tests for each alert, as people write them: silent while a target is well, and what a target that is down makes of it. */
const tests = rules.flatMap((rule) => {
  const job = /job="([^"]+)"/.exec(rule.expr)?.[1]
  if (rule.alert === undefined || job === undefined) return []
  const fires = /^up\{/.test(rule.expr)
  const group = (values: string, exp_alerts: readonly unknown[]) => ({
    interval: '1m',
    input_series: [{ series: `up{job="${job}",instance="a"}`, values }],
    alert_rule_test: [{ eval_time: '30m', alertname: rule.alert, exp_alerts }],
  })
  const alert = { exp_labels: { severity: 'warning', job, instance: 'a' } }
  return [group('1x40', []), group('0x40', fires ? [alert] : [])]
})
try {
  await writeFile(ruleFile, text)
  await writeFile(testFile, stringify({ rule_files: ['bench.yml'], evaluation_interval: '1m', tests }))
  const began = performance.now()
  const { results, mutation, took } = await examineRules({
    groups,
    snapshotPath: join(folder, 'snapshot.yml'),
    update: false,
    promtool,
    tests: [testFile],
    signal: new AbortController().signal,
    onProgress: (text) => process.stderr.write(`\r${text.padEnd(60)}`),
  })
  const total = performance.now() - began
  const scoreOf = (suite: 'muster' | 'own') => {
    const scores = mutation.filter((one) => one.suite === suite)
    const sum = (of: 'mutants' | 'killed') => scores.reduce((all, one) => all + one[of], 0)
    return `${sum('mutants')} mutants (${sum('killed')} killed)`
  }
  const { user, system } = process.cpuUsage()
  const children = process.resourceUsage()
  process.stderr.write('\n')
  process.stdout.write(
    `${groups.flatMap((group) => group.rules).length} rules, ${scoreOf('muster')} on ${availableParallelism()} processors: ` +
      `${formatDuration(total - took.ownTests)} (incidents ${formatDuration(took.incidents)}, mutants ${formatDuration(took.mutants)}); ` +
      `muster itself computed for ${formatDuration((user + system) / 1000)}, peak ${Math.round(children.maxRSS / 1024)} MiB\n`,
  )
  process.stdout.write(
    `${tests.length} tests of the user's own: ${scoreOf('own')} in ${formatDuration(took.ownTests)}\n`,
  )
  for (const { id, verdict, reason } of results)
    if (verdict !== 'passed') process.stdout.write(`${verdict} ${id}: ${reason}\n`)
  for (const one of mutation)
    if (one.suite === 'muster' && one.survivors.length > 0)
      process.stdout.write(`${one.rule} survivors: ${one.survivors.join('; ')}\n`)
} finally {
  await rm(folder, { recursive: true, force: true })
}
