import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { UsageError } from '../../lib/errors.ts'
import { parseAlertmanagerFile } from './alertmanager-file.ts'
import { parseExpectations, readExpectations, writeExpectations } from './expectation.ts'
import { expectationResult, receiversAt } from './expected-receivers.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-test-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('what is written is read again, with times and odd values kept', async () => {
  const path = join(folder, 'am.expect.yml')
  const entries = [
    { labels: { alertname: 'A', code: '0500', on: 'yes', text: 'a: "b"\n#c' }, receivers: ['x', 'x'] },
    { labels: { alertname: 'B' }, at: Date.parse('2026-12-24T18:00:00Z'), receivers: [] },
  ]
  expect(await readExpectations(path)).toBeUndefined()
  await writeExpectations(path, entries)
  expect(await readExpectations(path)).toMatchObject(entries)
  expect(await readFile(path, 'utf8')).toMatch(/^# Who is told/)
})

test.each([
  ['- {alert: {a: b}}', 'e.yml:1 0.receivers'],
  ['- {alert: {a: b}, receivers: [x]}\n- {alert: {a: b}, receivers: [x], at: tomorrow}', 'e.yml:2 1.at is no time'],
  ['- {alert: {a: b}, receivers: [x], reciever: y}', 'reciever'],
  ['a: b', 'must be a list'],
  ['- [', 'is not YAML'],
])('%j is refused with its line', (text, message) => {
  expect(() => parseExpectations(text, 'e.yml')).toThrow(UsageError)
  expect(() => parseExpectations(text, 'e.yml')).toThrow(message)
})

test('receivers are compared in any order, but each as often', () => {
  const expected = { labels: { a: 'b' }, receivers: ['x', 'y'], line: 3 }
  const verdict = (...receivers: string[]) => expectationResult('e.yml', [{ expected, receivers }], 0)
  expect(verdict('y', 'x').verdict).toBe('passed')
  expect(verdict('y', 'x', 'x')).toMatchObject({
    verdict: 'failed',
    reason: 'e.yml:3 an alert with a="b": expected x, y, told y, x (2 times)',
  })
  expect(verdict().verdict).toBe('failed')
  expect(expectationResult('e.yml', [], 0).verdict).toBe('no-data')
})

test('at a time, the routes that an interval mutes tell nobody', async () => {
  const file = parseAlertmanagerFile(
    `route:
  receiver: a
  routes:
    - {matchers: [s=x], receiver: b, mute_time_intervals: [night], continue: true}
    - {matchers: [s=x], receiver: c, active_time_intervals: [night]}
receivers: [{name: a}, {name: b}, {name: c}]
time_intervals: [{name: night, time_intervals: [{times: [{start_time: '00:00', end_time: '06:00'}]}]}]`,
    'am.yml',
  )
  const entry = (at: string) => ({ labels: { s: 'x' }, receivers: [], line: 1, at: Date.parse(at) })
  const told = await receiversAt(
    [entry('2026-01-01T01:00:00Z'), entry('2026-01-01T12:00:00Z')],
    file,
    async (questions) =>
      questions.map((question) => JSON.stringify({ contains: JSON.parse(question).at.includes('T01') })),
  )
  expect(told).toEqual([['c'], ['b']])
})
