import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { eventSchema } from '../reports/event-schema.ts'
import { type Called, Project, root } from './harness.ts'
import { validReport } from './observe.ts'

// One real run that fails in one threshold, with every reporter at once and one that is broken.
let project: Project
let called: Called
const file = (name: string) => join(project.folder, name)
const read = (name: string) => readFile(file(name), 'utf8')

beforeAll(async () => {
  const basic = JSON.stringify(join(root, 'scenarios/basic.ts'))
  project = await Project.make(`{
    scenarios: [{ file: ${basic}, rate: 15, duration: '10s', thresholds: {
      http_req_duration: ['p(95)<0.001'],
    } }],
    alerts: [],
    slos: [],
  }`)
  await project.write(
    'mine.mjs',
    `import { writeFileSync } from 'node:fs'
const seen = []
export default { name: 'mine', on: (event) => { seen.push(event.type) }, close: () => writeFileSync(new URL('mine.json', import.meta.url), JSON.stringify(seen)) }
`,
  )
  await project.write('broken.mjs', `export default { name: 'broken', on: () => { throw new Error('as always') } }\n`)
  const names = ['terminal', 'github', 'gitlab', 'junit:copy.xml', 'ndjson:events.ndjson', './mine.mjs', './broken.mjs']
  called = await project.call(['run', ...names.flatMap((name) => ['--reporter', name])], {
    GITHUB_STEP_SUMMARY: file('summary.md'),
    GITHUB_WORKSPACE: project.folder,
    CI_PROJECT_DIR: project.folder,
  })
}, 180_000)

afterAll(async () => {
  await project?.remove()
})

const threshold = 'load.threshold.http_req_duration{part:load}.p(95)'
/** Where the config states the threshold. */
const line = async () =>
  (await read('muster.config.mts')).split('\n').findIndex((one) => one.includes('p(95)<0.001')) + 1

/** What the run's own record says; on a machine that is short of time more than the threshold may be red. */
async function record() {
  const run = await validReport(join(project.folder, 'reports', 'out', 'latest'))
  const red = run.checks.filter(({ verdict }) => verdict !== 'passed' && verdict !== 'skipped')
  return { ...run, redIds: [...new Set(red.map(({ id }) => id))] }
}

test('the run is red, for its threshold at least; a reporter that throws is told of once and changes nothing', async () => {
  expect(called.stderr.match(/The broken report fails: as always/g)).toHaveLength(1)
  const { redIds, end } = await record()
  expect(redIds).toContain(threshold)
  expect(end?.exitCode).not.toBe(0)
  expect(called.code, called.stdout + called.stderr).toBe(end?.exitCode)
})

test('without a terminal it tells rate, errors and p95 of the load in plain lines, and the threshold beside what was seen', () => {
  expect(called.stdout).toMatch(/^ {0,2}\d:\d\d {2}basic \d+\/10 s {2}\d+\/s {2}[\d.]+ % errors {2}p95 \d+ ms$/m)
  expect(called.stdout).toMatch(/^ {2}basic +http_req_duration +p\(95\)<0\.001 +[\d.]+ ✗$/m)
  expect(called.stdout).not.toContain('\x1b')
  const lines = called.stdout.split('\n').filter((one) => !/^(::|Report )/.test(one))
  expect(lines.filter((one) => [...one].length > 80)).toEqual([])
})

test('GitHub gets an annotation for each expectation, at the line of the config, and a summary', async () => {
  const { redIds, end } = await record()
  const annotations = called.stdout.split('\n').filter((one) => one.startsWith('::error'))
  expect(annotations).toHaveLength(Math.min(10, redIds.length))
  const place = `::error file=muster.config.mts,line=${await line()},title=load%3A http_req_duration`
  expect(annotations).toContainEqual(expect.stringContaining(place))
  const [, token] = /^::stop-commands::(\S+)$/m.exec(called.stdout) ?? []
  expect(called.stdout.indexOf(`\n::${token}::\n`)).toBeGreaterThan(called.stdout.indexOf('\nReport '))
  const summary = await read('summary.md')
  expect(summary.startsWith(`## ✗ muster: `)).toBe(true)
  expect(summary).toContain(end?.verdict ?? 'an end')
  expect(summary).toContain(`stated at  muster.config.mts:${await line()}`)
})

test('GitLab gets a Code Quality report and JUnit', async () => {
  const issues = z.array(z.looseObject({ check_name: z.string(), location: z.unknown() }))
  const found = issues.parse(JSON.parse(await read('gl-code-quality-report.json')))
  expect(found.map(({ check_name }) => check_name).sort()).toEqual((await record()).redIds.sort())
  expect(found).toContainEqual(
    expect.objectContaining({
      check_name: threshold,
      location: { path: 'muster.config.mts', lines: { begin: await line() } },
    }),
  )
  const own = await readFile(join(project.folder, 'reports', 'out', 'latest', 'junit.xml'), 'utf8')
  expect(await read('gl-junit-report.xml')).toBe(own)
  expect(await read('copy.xml')).toBe(own)
})

test("the lines of NDJSON say what run.json says, and the user's own module saw the same events", async () => {
  const events = (await read('events.ndjson'))
    .trimEnd()
    .split('\n')
    .map((one) => eventSchema.parse(JSON.parse(one)))
  const { plan, checks, rollCalls, scenarios, course, lanes, traces, end } = await validReport(
    join(project.folder, 'reports', 'out', 'latest'),
  )
  const of = <Type extends (typeof events)[number]['type']>(type: Type) =>
    events.filter((event): event is Extract<typeof event, { type: Type }> => event.type === type)
  expect(of('run-started').map((event) => event.plan)).toEqual([plan])
  expect(of('check').map(({ result }) => result)).toEqual(checks)
  expect(of('roll-call').map(({ rollCall }) => rollCall)).toEqual(rollCalls)
  expect(of('scenario-ended').map(({ result }) => result)).toEqual(scenarios)
  expect(of('course').at(-1)?.course).toEqual(course)
  expect(of('alert-lane').map(({ lane }) => lane)).toEqual(lanes)
  expect(of('request-trace').map(({ trace }) => trace)).toEqual(traces)
  expect(of('run-ended').map((event) => event.end)).toEqual([end])
  const rates = of('load-progress').flatMap(({ progress }) => (progress.live ? [progress.live.rate] : []))
  expect(Math.max(...rates)).toBeGreaterThan(0)
  expect(JSON.parse(await read('mine.json'))).toEqual(events.map(({ type }) => type))
})
