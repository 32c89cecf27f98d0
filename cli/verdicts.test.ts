import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { EnvironmentError } from '../lib/errors.ts'
import type { CheckResult, Verdict } from '../lib/verdict.ts'
import { eventSchema } from '../reports/event-schema.ts'
import { reportVerdicts } from './verdicts.ts'

let folder: string
let printed: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-verdicts-'))
  printed = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += text
    return true
  })
  for (const name of ['GITHUB_ACTIONS', 'GITLAB_CI', 'GITHUB_STEP_SUMMARY']) vi.stubEnv(name, undefined)
  vi.stubEnv('CI_PROJECT_DIR', folder)
})
afterEach(async () => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true, force: true })
})

function result(verdict: Verdict): CheckResult {
  const evidence = { expected: 'pager', actual: 'nobody', attempts: 1, elapsedMs: 1 }
  return { id: 'alerts.route.expectation', title: 'who is told', signal: 'alerts', verdict, reason: 'a typo', evidence }
}

const file = (name: string) => readFile(join(folder, name), 'utf8')
const judged = (...verdicts: Verdict[]) => ({ results: verdicts.map(result), sentence: 'All are told.' })
const eventsIn = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => eventSchema.parse(JSON.parse(line)))

it('a verdict that is red is in every report that was asked for, at the judged file', async () => {
  const reporter = [`junit:${join(folder, 'junit.xml')}`, `ndjson:${join(folder, 'events.ndjson')}`, 'gitlab', 'github']
  const code = await reportVerdicts(join(folder, 'am.yml'), { reporter }, async () => judged('passed', 'failed'))
  expect(code).toBe(1)
  expect(await file('junit.xml')).toContain('<failure message="a typo" type="failed">')
  expect(eventsIn(await file('events.ndjson')).map(({ type }) => type)).toEqual(['check', 'check', 'run-ended'])
  expect(await file('gl-code-quality-report.json')).toMatch(/"path": "am.yml"/)
  expect(printed).toMatch(/^::error title=alerts%3A who is told::.*a typo/m)
})

it('events on standard output are not mixed with lines for people', async () => {
  await reportVerdicts('am.yml', { reporter: ['ndjson'], out: folder }, async (print) => {
    print(['a table for people'])
    return judged('passed')
  })
  expect(eventsIn(printed).at(-1)).toMatchObject({ type: 'run-ended', end: { exitCode: 0, verdict: 'All are told.' } })
  const [run = ''] = (await readdir(folder)).filter((name) => /^[\da-f]{8}$/.test(name))
  expect(await file(join(run, 'junit.xml'))).toContain('who is told')
})

it('what breaks off says why in the reports, and its error goes on', async () => {
  const reporter = ['terminal', `ndjson:${join(folder, 'events.ndjson')}`]
  const failing = reportVerdicts('am.yml', { reporter }, async () => {
    throw new EnvironmentError('promtool is gone.')
  })
  await expect(failing).rejects.toThrow('promtool is gone.')
  expect(printed).toBe('')
  expect(eventsIn(await file('events.ndjson'))).toMatchObject([{ end: { exitCode: 3, verdict: 'promtool is gone.' } }])
})

it('a reporter that is none is refused before anything is judged', async () => {
  const judge = vi.fn(async () => judged('passed'))
  await expect(reportVerdicts('am.yml', { reporter: ['junti'] }, judge)).rejects.toThrow(
    'There is no reporter "junti": name',
  )
  expect(judge).not.toHaveBeenCalled()
})
