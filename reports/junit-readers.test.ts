import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as junit2json from 'junit2json'
import { parseV2 } from 'test-results-parser'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { validateXML } from 'xmllint-wasm'
import type { RunEvent } from '../lib/event.ts'
import { junitReporter } from './junit.ts'
import { greenEnding, redEnding, sampleBeginning, sampleCheck, sampleStart } from './sample-run.test-data.ts'

// What others make of the file: the schema that Jenkins' xUnit plugin validates with, and two parsers that have nothing in
// common (sax, fast-xml-parser).
const schema = await readFile(join(import.meta.dirname, 'schemas', 'jenkins-junit-10.xsd'), 'utf8')

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-junit-'))
  path = join(folder, 'junit.xml')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function written(events: readonly RunEvent[], close = true): Promise<string> {
  const reporter = junitReporter({ path })
  for (const event of events) reporter.on(event)
  if (close) await reporter.close?.()
  return readFile(path, 'utf8')
}

async function problems(xml: string): Promise<string[]> {
  const { errors } = await validateXML({
    xml: { fileName: 'junit.xml', contents: xml },
    schema: { fileName: 'junit.xsd', contents: schema },
    maxMemoryPages: 8192,
  })
  return errors.map(({ message }) => message)
}

async function counted(xml: string) {
  const one = await junit2json.parse(xml)
  if (!one || !('testsuite' in one)) throw new Error('junit2json finds no test suites')
  const cases = (one.testsuite ?? []).flatMap(({ testcase }) => testcase ?? [])
  const { result, errors } = parseV2({ type: 'junit', files: [path] })
  expect(errors).toEqual([])
  if (!result) throw new Error('test-results-parser finds no result')
  return { cases, result }
}

const nasty = [
  ['the end of CDATA', 'a ]]> b <![CDATA[ c ]]]]>> d'],
  ['markup', `<script a="1" b='2'>&amp; &#0; &bogus; <!-- -- --> <?php ?>`],
  ['control characters', Array.from({ length: 32 }, (_, n) => String.fromCharCode(n)).join('.')],
  ['colours of a terminal', '\x1b[1;31mred\x1b[0m \x1b]8;;http://x\x07link\x1b]8;;\x07 \x9b31m'],
  ['lone surrogates', 'high \ud800 low \udfff swapped \udc00\ud800 end \ud83d'],
  ['emoji and all planes', '👩‍👩‍👧‍👦 🇩🇪 𝔐𝔲𝔰𝔱𝔢𝔯 日本語 עברית \u202e\u0000'],
  ['non-characters', '\ufffe\uffff \u{1fffe} \u{10ffff} \ufeff'],
  ['line ends of all kinds', 'a\r\nb\rc\nd\u0085e\u2028f\u2029g\vh\fi'],
  ['a megabyte', 'long & <longer> '.repeat(65_536)],
] as const

describe("Jenkins' schema", () => {
  it.each([
    ['green', [...sampleBeginning(), ...greenEnding()]],
    ['red', [...sampleBeginning(), ...redEnding()]],
    ['of a run that was cut off', sampleBeginning()],
  ])('accepts the report %s', async (_what, events) => {
    expect(await problems(await written(events))).toEqual([])
  })

  it('rejects what is not JUnit, so that its acceptance means something', async () => {
    const xml = await written([...sampleBeginning(), ...redEnding()])
    expect(await problems(xml.replace('<testcase ', '<testcase colour="red" '))).not.toEqual([])
    expect(await problems(xml.replace(' time="', ' time="about '))).not.toEqual([])
    expect(await problems(xml.replace('<testcase', '<case').replace('</testcase>', '</case>'))).not.toEqual([])
  })
})

describe.each(nasty)('a report with %s', (_what, text) => {
  const odd = (verdict: 'failed' | 'errored' | 'skipped', n: number): RunEvent => ({
    type: 'check',
    at: sampleStart,
    result: sampleCheck('logs', `nasty.${n}`, `${text} ${n}`, verdict, {
      scenario: text.slice(0, 200),
      reason: text,
      seen: { actual: text, query: text, details: [text, text] },
    }),
  })

  it('is valid for Jenkins, and two parsers find every test case and verdict in it', async () => {
    const events: RunEvent[] = [
      ...sampleBeginning(),
      odd('failed', 1),
      odd('errored', 2),
      odd('skipped', 3),
      { type: 'check', at: sampleStart, result: sampleCheck('load', 'fine', 'Fine') },
      { type: 'warning', at: sampleStart, text },
      ...redEnding().slice(-1),
    ]
    const xml = await written(events)
    expect(await problems(xml)).toEqual([])
    const { cases, result } = await counted(xml)
    expect(cases).toHaveLength(5)
    expect(cases.filter(({ failure }) => failure)).toHaveLength(1)
    expect(cases.filter(({ error }) => error)).toHaveLength(1)
    expect(cases.filter(({ skipped }) => skipped)).toHaveLength(1)
    // Skipped ones are no part of its total.
    expect(result).toMatchObject({ total: 4, failed: 1, errors: 1, skipped: 1, passed: 2 })
    expect(new Set(cases.map(({ name }) => name)).size).toBe(5)
  })
})

it('both parsers read the reason and the evidence as they were told', async () => {
  const { cases, result } = await counted(await written([...sampleBeginning(), ...redEnding()]))
  const reason = 'The gateway counted 24 requests fewer than k6 sent.'
  const failed = cases.find(({ name }) => name === 'Every request is counted')
  expect(failed?.failure).toMatchObject([{ message: reason, type: 'failed' }])
  expect(failed?.failure?.[0]?.inner).toContain('actual: 4,788, that is 24 fewer')
  const other = result.suites.flatMap((suite) => suite.cases).find(({ name }) => name === 'Every request is counted')
  expect(other).toMatchObject({ status: 'FAIL', failure: reason })
  expect(other?.stack_trace).toContain('reproduce: curl -sG')
})
