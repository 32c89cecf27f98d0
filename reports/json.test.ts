import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { UsageError } from '../lib/errors.ts'
import type { Plan } from '../lib/event.ts'
import type { CheckResult } from '../lib/verdict.ts'
import { jsonReporter, readRun } from './json.ts'
import { redEnding, sampleBeginning, sampleRunId } from './sample-run.test-data.ts'

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-json-'))
  path = join(folder, 'run.json')
})
afterEach(async () => {
  vi.useRealTimers()
  await rm(folder, { recursive: true, force: true })
})

it('keeps everything, and reads it back', async () => {
  const reporter = jsonReporter({ path, runId: sampleRunId, config: { target: 'x', nested: [1, null] } })
  const events = [...sampleBeginning(), ...redEnding()]
  for (const event of events) reporter.on(event)
  await reporter.close?.()
  const run = await readRun(path)
  // The types must fit as well: a past run is judged and shown again.
  const checks: readonly CheckResult[] = run.checks
  const plan: Plan | null = run.plan
  expect(checks).toEqual(events.flatMap((event) => (event.type === 'check' ? [event.result] : [])))
  expect(plan).toEqual(events.flatMap((event) => (event.type === 'run-started' ? [event.plan] : []))[0])
  expect(run).toMatchObject({
    schemaVersion: 1,
    runId: sampleRunId,
    end: { exitCode: 1 },
    config: { nested: [1, null] },
  })
  // Never cannot be written in JSON: it is null, beside a number of missing.
  const [, late] = run.rollCalls[0]?.rows ?? []
  expect(run.rollCalls).toHaveLength(1)
  expect(late).toMatchObject({ service: 'todos', logged: 3606, missing: 2, freshnessMs: null })
  expect(run.rollCalls[0]?.losses[0]).toMatchObject({ service: 'todos', signal: 'logs' })
  expect(run.scenarios).toHaveLength(1)
  expect(run.warnings).toHaveLength(1)
  expect(run.environment.node).toBe(process.version)
  expect(await readRun(folder)).toEqual(run)
})

it('leaves a valid file without an end when it is cut off', async () => {
  vi.useFakeTimers()
  const reporter = jsonReporter({ path, runId: sampleRunId, config: undefined, intervalMs: 500 })
  for (const event of [...sampleBeginning(), ...redEnding().slice(0, 2)]) reporter.on(event)
  await vi.advanceTimersByTimeAsync(500)
  vi.useRealTimers()
  const run = await readRun(path)
  expect(run.end).toBeNull()
  expect(run.checks).toHaveLength(2)
  expect(await readdir(folder)).toEqual(['run.json'])
})

it('tells of a write that failed later', async () => {
  vi.useFakeTimers()
  const reporter = jsonReporter({ path, runId: sampleRunId, config: null })
  const [first, ...rest] = [...sampleBeginning(), ...redEnding()]
  if (first === undefined) throw new Error('the sample run has events')
  reporter.on(first)
  await rm(folder, { recursive: true })
  const send = () => {
    for (const event of rest.slice(0, -1)) reporter.on(event)
  }
  send()
  await vi.advanceTimersByTimeAsync(500)
  expect(send).toThrow(/ENOENT/)
})

it.each([
  ['not JSON', 'hello', /is not JSON/],
  ['something else', '{"schemaVersion":1,"runId":5}', /is not a run of muster \(runId: .*name a folder/],
  ['a list', '[]', /is not a run of muster/],
  ['a newer run', '{"schemaVersion":2}', /schema version 2, but this muster reads version 1/],
])('refuses %s', async (_name, text, message) => {
  await writeFile(path, text)
  await expect(readRun(path)).rejects.toThrow(message)
  await expect(readRun(path)).rejects.toThrow(UsageError)
})

it('refuses what is not there', async () => {
  await expect(readRun(path)).rejects.toThrow(`Cannot read the run ${path} (ENOENT: no such file or directory)`)
  await expect(readRun(folder)).rejects.toThrow(UsageError)
})
