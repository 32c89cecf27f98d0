import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import type { RunEvent } from '../lib/event.ts'
import type { CheckResult } from '../lib/verdict.ts'
import { junitReporter } from './junit.ts'
import {
  greenEnding,
  redEnding,
  sampleBeginning,
  sampleCheck,
  sampleRunId,
  sampleStart,
} from './sample-run.test-data.ts'

const problem = z.object({ '@message': z.string(), '@type': z.string(), '#text': z.string() })
const testcase = z.strictObject({
  '@name': z.string(),
  '@classname': z.string(),
  '@time': z.string().regex(/^\d+(\.\d+)?$/),
  failure: problem.optional(),
  error: problem.optional(),
  skipped: z.string().optional(),
  'system-out': z.string().optional(),
})
const property = z.object({ '@name': z.string(), '@value': z.string() })
const count = z.string().regex(/^\d+$/).transform(Number)
const suite = z.strictObject({
  '@name': z.string(),
  '@tests': count,
  '@failures': count,
  '@errors': count,
  '@skipped': count,
  '@time': z.string().regex(/^\d+(\.\d+)?$/),
  '@timestamp': z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/),
  properties: z.object({ property: z.array(property) }).optional(),
  testcase: z.array(testcase),
})
const report = z.object({ testsuites: z.object({ testsuite: z.array(suite) }) })

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-junit-'))
  path = join(folder, 'junit.xml')
})
afterEach(async () => {
  vi.useRealTimers()
  await rm(folder, { recursive: true, force: true })
})

async function parsed() {
  const text = await readFile(path, 'utf8')
  expect(XMLValidator.validate(text)).toBe(true)
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '@',
    parseTagValue: false,
    parseAttributeValue: false,
    trimValues: false,
    isArray: (name) => ['testsuite', 'testcase', 'property'].includes(name),
  })
  const suites = report.parse(withoutBlankText(parser.parse(text))).testsuites.testsuite
  const cases = suites.flatMap((one) => one.testcase)
  return { text, suites, cases, run: cases.find((one) => one['@classname'] === 'run') }
}

/** Indentation between elements is text to the parser. */
function withoutBlankText(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutBlankText)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([key, text]) => key !== '#text' || String(text).trim() !== '')
  return Object.fromEntries(entries.map(([key, inner]) => [key, withoutBlankText(inner)]))
}

async function written(events: readonly RunEvent[]) {
  const reporter = junitReporter({ path })
  for (const event of events) reporter.on(event)
  await reporter.close?.()
  return parsed()
}

const withChecks = (checks: readonly CheckResult[], exitCode = 1): RunEvent[] => [
  ...sampleBeginning(),
  ...checks.map((result): RunEvent => ({ type: 'check', at: sampleStart, result })),
  {
    type: 'run-ended',
    at: sampleStart,
    end: { runId: sampleRunId, exitCode, verdict: 'Some verdict.', startedAt: sampleStart, endedAt: sampleStart + 5 },
  },
]

describe('JUnit', () => {
  it('has a suite per signal and scenario, and the right element for each verdict', async () => {
    const { suites, cases, run } = await written([...sampleBeginning(), ...redEnding()])
    expect(suites.map((one) => one['@name'])).toEqual([
      'run',
      ...['load', 'metrics', 'logs', 'traces', 'alerts'].map((signal) => `${signal} / basic`),
    ])
    const kinds = cases.map((one) =>
      (['failure', 'error', 'skipped'] as const).filter((kind) => one[kind] !== undefined),
    )
    expect(kinds).toEqual([[], [], ['failure'], ['failure'], ['error'], ['skipped']])
    expect(cases[2]?.failure).toMatchObject({
      '@message': 'The gateway counted 24 requests fewer than k6 sent.',
      '@type': 'failed',
    })
    expect(cases[3]?.failure).toMatchObject({ '@type': 'no-data' })
    expect(cases[2]?.failure?.['#text']).toContain('reproduce: curl -sG')
    expect(cases[2]?.['system-out']).toContain('actual: 4,788')
    expect(cases[5]?.['system-out']).toContain('No Alertmanager in the config.')
    expect(run?.['system-out']).toContain('warning: The clock of Loki')
    expect(suites[2]?.properties?.property).toContainEqual({ '@name': 'run', '@value': sampleRunId })
    for (const one of suites) {
      expect(one['@tests']).toBe(one.testcase.length)
      expect(one['@failures']).toBe(one.testcase.filter(({ failure }) => failure).length)
      expect(one['@errors']).toBe(one.testcase.filter(({ error }) => error).length)
    }
  })

  it('survives the nastiest texts', async () => {
    const nasty = `]]> <![CDATA[ ]]]]>> <&"'> \x1b[31mred\x1b[0m \0\x01\x08\x0b\x1f \x7f\x9b \ud800 \udfff \ufffe \uffff 日本 😀 a\r\nb -->`
    const odd = sampleCheck('logs', 'nasty', nasty, 'failed', {
      reason: nasty,
      seen: { actual: nasty, query: nasty, details: [nasty, nasty], elapsedMs: 0.00001 },
    })
    const scenario = sampleCheck('logs', 'nasty', nasty, 'errored', {
      scenario: nasty,
      reason: nasty,
      seen: { elapsedMs: Number.NaN },
    })
    const { text, cases } = await written(withChecks([odd, scenario]))
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(text).not.toMatch(/[\0-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]|\p{Surrogate}|\[31m/u)
    const content = `]]> <![CDATA[ ]]]]>> <&"'> red `
    expect(cases[1]?.failure?.['#text']).toContain(`actual: ${content}`)
    expect(cases[2]?.error?.['#text']).toContain(`reason: ${content}`)
    expect(cases[1]?.['system-out']).toContain('日本 😀 a\nb -->')
    expect(cases[1]?.['@time']).toBe('0')
  })

  it('gives each test case a name of its own that is the same in every run', async () => {
    const title = `Counted in ${sampleRunId} at 2026-11-21T14:00:00.123Z`
    const checks = [
      sampleCheck('metrics', 'b', title),
      sampleCheck('metrics', 'a', title),
      sampleCheck('metrics', 'a', title),
      sampleCheck('metrics', 'c', 'Other'),
      sampleCheck('metrics', 'a', title, 'passed', { scenario: 'spike' }),
    ]
    const { cases } = await written(withChecks(checks, 0))
    const keys = cases.map((one) => `${one['@classname']}: ${one['@name']}`)
    expect(new Set(keys).size).toBe(keys.length)
    expect(keys).toEqual([
      'run: The run came to a valid end',
      'metrics / basic: Counted in (run) at (time) [metrics.b]',
      'metrics / basic: Counted in (run) at (time) [metrics.a]',
      'metrics / basic: Counted in (run) at (time) [metrics.a] #2',
      'metrics / basic: Other',
      'metrics / spike: Counted in (run) at (time)',
    ])
  })

  it('is red while the run is unfinished, and rewritten at most every half second', async () => {
    vi.useFakeTimers()
    const reporter = junitReporter({ path, intervalMs: 500 })
    for (const event of sampleBeginning()) reporter.on(event)
    expect((await parsed()).run?.error?.['@message']).toMatch(/has not come to its end/)
    for (const event of greenEnding().slice(0, 3)) reporter.on(event)
    expect((await parsed()).cases).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(500)
    const cutOff = await parsed()
    expect(cutOff.cases).toHaveLength(4)
    expect(cutOff.run?.error).toBeDefined()
    for (const event of greenEnding().slice(3)) reporter.on(event)
    expect((await parsed()).run?.error).toBeUndefined()
    expect(await readdir(folder)).toEqual(['junit.xml'])
  })

  it.each([
    ['green', 0, [sampleCheck('load', 'x', 'X')], undefined],
    ['judged nothing', 0, [], /nothing is proven/],
    ['skipped everything', 0, [sampleCheck('load', 'x', 'X', 'skipped')], /nothing is proven/],
    ['called itself green', 0, [sampleCheck('load', 'x', 'X', 'failed')], /says that it passed/],
    ['red', 1, [sampleCheck('load', 'x', 'X', 'failed')], undefined],
    ['red without a red check', 1, [sampleCheck('load', 'x', 'X')], /Some verdict/],
    ['not ready', 3, [], /Some verdict/],
    ['invalid', 4, [sampleCheck('load', 'x', 'X')], /Some verdict/],
    ['interrupted', 130, [sampleCheck('load', 'x', 'X')], /Some verdict/],
  ])('tells of a run that is %s', async (_name, exitCode, checks, message) => {
    const { run } = await written(withChecks(checks, exitCode))
    if (message === undefined) expect(run?.error).toBeUndefined()
    else expect(run?.error?.['@message']).toMatch(message)
  })

  it('is valid and red when nothing ever happened', async () => {
    expect((await written([])).run?.error).toBeDefined()
  })
})
