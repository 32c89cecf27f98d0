import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { z } from 'zod'
import { makeLedger } from '../lib/ledger.ts'
import { parseOdd } from '../lib/summary.ts'
import { obtain } from '../stack/obtain.ts'
import { bundle, loadScenario } from '../validators/k6.ts'

/*
 * What the journey runtime costs: requests a second of a muster journey, its own counting included, against a plainly
 * hand-written k6 script (a traceparent header, a tag and a check per request) and against bare requests. All drive the
 * same target with the same virtual users. The variants alternate, so that a busy moment of the machine hits all of them.
 * Usage: node --import tsx bench/journey-cost.ts [rounds, 5 by default] [seconds per run, 5 by default] [cases, e.g. 1-get]
 */
const rounds = Number(process.argv[2] ?? 5)
const seconds = Number(process.argv[3] ?? 5)
const virtualUsers = 20
const root = fileURLToPath(new URL('..', import.meta.url))
const plan = { run: 0xbe9c0001, instance: 0, firstNumber: 0 }

/** One shape of journey: so many steps, each with a body or without. */
interface Case {
  readonly steps: number
  readonly body: boolean
}
const cases: readonly Case[] = [1, 5].flatMap((steps) => [false, true].map((body) => ({ steps, body })))
const caseName = ({ steps, body }: Case) => `${steps}-${body ? 'post' : 'get'}`
const wanted = process.argv[4]?.split(',') ?? cases.map(caseName)

const lines = (count: number, line: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => line(n)).join('\n')

/** The same journey three times, as somebody would write it. */
const texts = {
  journey: ({ steps, body }: Case) => `
    import { get, journey, post } from '${root}lib/journey.ts'
    import { scenario } from '${root}lib/scenario.ts'
    const steps = {
      ${lines(steps, (n) => `step${n}: ${body ? "post('/todos', 201" : `get('/todos/${n}', 200`}, ['gateway']),`)}
    }
    const journeys = [{ share: 1, journey: journey('measured', steps, (visit) => {
      ${lines(steps, (n) => `visit.step${n}(${body ? "{ body: { title: 'buy milk ' + visit.user.iteration } }" : ''})`)}
    }) }]
    export default scenario('cost', { profile: 'basic', journeys })`,
  handWritten: ({ steps, body }: Case) => `
    import http from 'k6/http'
    import { check } from 'k6'
    const base = __ENV.BASE_URL
    const hex = (value, digits) => value.toString(16).padStart(digits, '0')
    const traceparent = (step) => \`00-\${hex(__VU, 8)}\${hex(step, 8)}\${hex(__ITER, 16)}-\${hex(step + 1, 16)}-01\`
    export default function () {
      let response
      ${lines(
        steps,
        (n) => `
      response = ${
        body
          ? `http.post(\`\${base}/todos\`, JSON.stringify({ title: \`buy milk \${__ITER}\` }), {
        headers: { traceparent: traceparent(${n}), 'content-type': 'application/json' },`
          : `http.get(\`\${base}/todos/${n}\`, {
        headers: { traceparent: traceparent(${n}) },`
      }
        tags: { step: 'step${n}' },
      })
      check(response, { 'step${n} is right': (r) => r.status === ${body ? 201 : 200} })`,
      )}
    }`,
  bare: ({ steps, body }: Case) => `
    import http from 'k6/http'
    const base = __ENV.BASE_URL
    export default function () {
      ${lines(steps, (n) =>
        body
          ? `http.request('POST', \`\${base}/todos\`, JSON.stringify({ title: \`buy milk \${__ITER}\` }))`
          : `http.get(\`\${base}/todos/${n}\`)`,
      )}
    }`,
} as const
type Variant = keyof typeof texts
const variants: readonly Variant[] = ['journey', 'handWritten', 'bare']

const closedModel = `{ executor: 'constant-vus', vus: ${virtualUsers}, duration: '${seconds}s' }`
const plainEnd = `
    export const options = { scenarios: { measured: ${closedModel} } }
    export const handleSummary = ({ metrics, state }) => {
      const kept = Object.entries(metrics).map(([name, { type, values }]) => [name, { type, values }])
      return { [__ENV.SUMMARY]: JSON.stringify({
        metrics: Object.fromEntries(kept), checks: [], testRunDurationMs: state.testRunDurationMs }) }
    }`
/** muster drives at rates of arrival; here the bundled script runs as it is, under the closed model of the others. */
const journeyEntry = `
    import * as driven from './script.js'
    const { exec, tags } = driven.options.scenarios.measured
    export const options = { ...driven.options, scenarios: { measured: { ...${closedModel}, exec, tags } } }
    export const { setup, teardown, handleSummary, journey_0 } = driven`

const isSummary = z.object({
  metrics: z.record(
    z.string(),
    z.object({ type: z.enum(['counter', 'gauge', 'rate', 'trend']), values: z.record(z.string(), z.number()) }),
  ),
  checks: z.array(z.object({ name: z.string(), passes: z.number(), fails: z.number() })),
  testRunDurationMs: z.number(),
})

/** CPU seconds of all children that have ended; Linux alone says. */
async function childrenCpu(): Promise<number> {
  const stat = await readFile('/proc/self/stat', 'utf8').catch(() => '')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[13] ?? 0) + Number(fields[14] ?? 0)) / 100
}

interface Measured {
  readonly perSecond: number
  readonly cpuMicroseconds: number
}

async function measure(k6: string, script: string, folder: string, baseUrl: string): Promise<Measured> {
  const summaryFile = join(folder, 'summary.json')
  await rm(summaryFile, { force: true })
  await writeFile(join(folder, 'plan.json'), JSON.stringify({ ...plan, baseUrl, thresholds: {}, summaryFile }))
  const before = await childrenCpu()
  const env = { MUSTER_PLAN: join(folder, 'plan.json'), BASE_URL: baseUrl, SUMMARY: summaryFile }
  const named = Object.entries(env).flatMap(([name, value]) => ['-e', `${name}=${value}`])
  // biome-ignore format: one flag a line reads worse
  const { stderr } = await execa(k6, ['run', '--quiet', '--no-usage-report', '--address', '', '--log-format', 'json', ...named, script], {
    env: { K6_AUTO_EXTENSION_RESOLUTION: 'false' }, timeout: (seconds + 60) * 1000,
  })
  const cpu = (await childrenCpu()) - before
  const summary = isSummary.parse(JSON.parse(await readFile(summaryFile, 'utf8')))
  const count = (name: string) => summary.metrics[name]?.values.count ?? 0
  const requests = count('http_reqs')
  if (summary.metrics.http_req_failed?.values.rate !== 0) throw new Error(`${script}: requests failed: ${stderr}`)
  if (script.endsWith('journey.js')) {
    // A fast count that is wrong would be worth nothing.
    const oddLines = stderr.split('\n').flatMap((line) => parseOdd(line) ?? [])
    const scenario = await loadScenario(join(folder, 'scenario.mts'))
    const { problems } = makeLedger({ scenario, plan, summary, oddLines })
    if (problems.length > 0) throw new Error(`the books are wrong: ${problems.join('; ')}`)
  }
  return { perSecond: (requests * 1000) / summary.testRunDurationMs, cpuMicroseconds: (cpu / requests) * 1e6 }
}

const sorted = (values: readonly number[]) => [...values].sort((a, b) => a - b)
const median = (values: readonly number[]) => sorted(values)[Math.floor(values.length / 2)] ?? Number.NaN
const thousands = (value: number) => Math.round(value).toLocaleString('en')
/** The median and, in brackets, the least and the most. */
const spread = (values: readonly number[], text: (value: number) => string) =>
  `${text(median(values))} (${text(Math.min(...values))}..${text(Math.max(...values))})`
const twoDigits = (value: number) => value.toFixed(2)

const folder = await mkdtemp(join(tmpdir(), 'muster-journey-cost-'))
try {
  const { k6 } = await obtain(['k6'])
  const targetPath = join(folder, 'target')
  await execa('go', ['build', '-o', targetPath, 'main.go'], { cwd: join(root, 'bench/target') })
  const target = execa(targetPath, { stdin: 'pipe', buffer: false, reject: false })
  try {
    const [line] = await once(target.stdout, 'data')
    const baseUrl = String(line).trim()
    console.log(
      `| steps, body | variant | requests/s: median (min..max) | CPU us per request | journey / this, per round |`,
    )
    console.log('| --- | --- | --- | --- | --- |')
    for (const one of cases.filter((each) => wanted.includes(caseName(each)))) {
      const scripts = await write(one, await mkdtemp(join(folder, `${caseName(one)}-`)))
      const results: Record<Variant, Measured[]> = { journey: [], handWritten: [], bare: [] }
      for (let round = 0; round < rounds; round++) {
        // The first place in a round must not be the same variant's each time.
        for (let place = 0; place < variants.length; place++) {
          const variant = variants[(place + round) % variants.length] ?? 'journey'
          results[variant].push(await measure(k6, scripts[variant], scripts.folder, baseUrl))
        }
      }
      for (const variant of variants) {
        const rates = results[variant].map(({ perSecond }) => perSecond)
        const cpu = results[variant].map(({ cpuMicroseconds }) => cpuMicroseconds)
        const ratios = rates.map((rate, round) => (results.journey[round]?.perSecond ?? Number.NaN) / rate)
        const cells = [
          `${one.steps}, ${one.body ? 'with' : 'without'}`,
          variant === 'handWritten' ? 'hand-written' : variant,
          spread(rates, thousands),
          median(cpu).toFixed(1),
          variant === 'journey' ? '' : spread(ratios, twoDigits),
        ]
        console.log(`| ${cells.join(' | ')} |`)
      }
    }
  } finally {
    target.kill()
    await target
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}
const commit = await execa('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, reject: false })
console.log(
  `${rounds} rounds of ${seconds} s, ${virtualUsers} virtual users, ${cpus().length} cores (${cpus()[0]?.model.trim()}), ` +
    `k6 and target on the same machine, commit ${commit.stdout || 'unknown'}, ${new Date().toISOString().slice(0, 10)}`,
)

async function write(one: Case, into: string): Promise<Record<Variant | 'folder', string>> {
  const path = (name: string) => join(into, name)
  await writeFile(path('scenario.mts'), texts.journey(one))
  await bundle(path('scenario.mts'), 1, path('script.js'))
  await writeFile(path('journey.js'), journeyEntry)
  await writeFile(path('hand-written.js'), texts.handWritten(one) + plainEnd)
  await writeFile(path('bare.js'), texts.bare(one) + plainEnd)
  return { folder: into, journey: path('journey.js'), handWritten: path('hand-written.js'), bare: path('bare.js') }
}
