import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, expectTypeOf, it } from 'vitest'
import type { z } from 'zod'
import type { RunEvent } from '../lib/event.ts'
import { eventSchema } from './event-schema.ts'
import { ndjsonReporter } from './ndjson.ts'
import { redEnding, sampleBeginning } from './sample-run.test-data.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-ndjson-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const window = { from: 10, to: 20 }
const drawn: RunEvent[] = [
  {
    type: 'course',
    at: 1,
    course: {
      ...window,
      stepMs: 10,
      series: [{ panel: 'seen', service: 'todos', name: 'counted', values: [1, null] }],
      bands: [{ ...window, kind: 'fault', name: 'errors' }],
      missing: ['memory: Prometheus has no such series'],
    },
  },
  {
    type: 'alert-lane',
    at: 2,
    lane: {
      ...window,
      alert: 'High',
      trial: 'errors',
      fault: window,
      stations: [{ id: 'firing', at: null, permitted: window }],
    },
  },
  { type: 'request-trace', at: 3, trace: { why: 'slowest', scenario: 'basic', traceId: '0'.repeat(32), spans: [] } },
]
const events = [...sampleBeginning(), ...drawn, ...redEnding()]
/** What JSON makes of an event: Infinity is null. */
const written = events.map((event) => ({ v: 1, ...JSON.parse(JSON.stringify(event)) }))

function read(text: string): unknown[] {
  expect(text.endsWith('\n')).toBe(true)
  return text
    .slice(0, -1)
    .split('\n')
    .map((line) => eventSchema.parse(JSON.parse(line)))
}

it('has a schema for every type of event', () => {
  expectTypeOf<z.output<typeof eventSchema>['type']>().toEqualTypeOf<RunEvent['type']>()
  expect(new Set(events.map(({ type }) => type))).toEqual(
    new Set(eventSchema.options.map((one) => one.shape.type.value)),
  )
})

it('writes every event as a line that the schema reads back whole', async () => {
  const file = join(folder, 'events.ndjson')
  await writeFile(file, 'of an earlier run\n')
  const reporter = ndjsonReporter(file)
  for (const event of events) reporter.on(event)
  expect(read(await readFile(file, 'utf8'))).toEqual(written)
})

it('writes to a stream, and outlives its reader', () => {
  let text = ''
  let failed: ((error: Error) => void) | undefined
  const reporter = ndjsonReporter({
    write: (piece) => {
      text += piece
    },
    on: (_event, listener) => {
      failed = listener
    },
  })
  for (const event of events) reporter.on(event)
  expect(read(text)).toEqual(written)
  expect(() => failed?.(new Error('EPIPE'))).not.toThrow()
})

it('keeps a text with line ends, line separators and lone surrogates on its one line', () => {
  const lines: string[] = []
  const reporter = ndjsonReporter({ write: (piece) => lines.push(piece) })
  const text = 'a\nb\r\n\u2028\u2029 \ud800 ]]> \x1b[31m'
  reporter.on({ type: 'warning', at: 1, text })
  expect(lines.map((line) => line.indexOf('\n'))).toEqual([(lines[0] ?? '').length - 1])
  expect(eventSchema.parse(JSON.parse(lines[0] ?? ''))).toEqual({ v: 1, type: 'warning', at: 1, text })
})

it('tells of a file that cannot be written by an error', () => {
  const [event] = events
  if (!event) throw new Error('the sample run has events')
  expect(() => ndjsonReporter(join(folder, 'nowhere', 'events.ndjson')).on(event)).toThrow(/ENOENT/)
})
