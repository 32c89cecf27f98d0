import { expect, it } from 'vitest'
import { runSchema } from '../run-schema.ts'
import { acceptedSection, evidence, failuresSection } from './failures.ts'

const at = Date.UTC(2026, 10, 21, 14, 0, 5)
const tries = [
  { at, found: 'connect ECONNREFUSED <b>' },
  { at: at + 400, found: '3 of 4 logged' },
  { at: at + 900, found: '3 of 4 logged' },
]
const late = {
  id: 'logs.ids.shop',
  title: 'shop logged every request once, by id',
  signal: 'logs',
  verdict: 'failed',
  reason: '1 request not logged',
  evidence: { expected: '4 logged', actual: '3 of 4 logged', attempts: 3, elapsedMs: 900, tries },
} as const
const deviation = {
  ...late,
  verdict: 'accepted',
  accepted: { reason: 'the shipper drops lines', owner: 'shop team', expires: '2027-01-31' },
} as const

const run = runSchema.parse({
  schemaVersion: 1,
  runId: 'x',
  writtenAt: 0,
  startedAt: null,
  plan: null,
  versions: {},
  environment: { node: '', platform: '', cpus: 1, cpuModel: '', memoryBytes: 0 },
  scenarios: [],
  checks: [late, deviation],
  warnings: [],
  end: null,
  config: null,
})

/** As a reader sees it: without tags. */
const seen = (markup: unknown) =>
  String(markup)
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ')

it('tells what was tried when, what found the same in one line', () => {
  const text = seen(evidence(late, {}, 'x'))
  expect(text).toContain('3 attempts in 900 ms')
  expect(text).toContain('14:00:05.000 connect ECONNREFUSED &lt;b&gt;')
  expect(text).toContain('14:00:05.400 to 14:00:05.900 3 of 4 logged 2 times')
})

it('keeps failures and what is accepted of them apart, and says who answers for it, until when', () => {
  const failures = seen(failuresSection(run, {}, () => ({ red: 'Lines were lost.', lookFirst: 'the shipper' })))
  expect(failures).toContain('Failures 1')
  expect(failures).toContain('Lines were lost. Look first at the shipper.')
  const accepted = seen(acceptedSection(run, {}))
  expect(accepted).toContain('Accepted 1')
  expect(accepted).toContain('the shipper drops lines, by shop team, until 2027-01-31')
  expect(acceptedSection({ ...run, checks: [run.checks[0] ?? run.checks[1]].flatMap((one) => one ?? []) }, {})).toBe(
    undefined,
  )
})
