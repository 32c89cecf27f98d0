import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { XMLValidator } from 'fast-xml-parser'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { z } from 'zod'
import type { RunEvent } from '../lib/event.ts'
import type { PositionFinder } from '../lib/position.ts'
import { gitlabReporter } from './gitlab.ts'
import { greenEnding, redEnding, sampleBeginning, sampleCheck, sampleStart } from './sample-run.test-data.ts'

/** What GitLab asks of an entry: docs.gitlab.com, "Code Quality report format". */
const issues = z.array(
  z.strictObject({
    description: z.string().min(1),
    check_name: z.string().min(1),
    fingerprint: z.string().regex(/^[\da-f]{64}$/),
    severity: z.enum(['info', 'minor', 'major', 'critical', 'blocker']),
    location: z.strictObject({
      path: z.string().regex(/^[^/.]/),
      lines: z.strictObject({ begin: z.number().int().positive() }),
    }),
  }),
)

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-gitlab-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const [beginning] = sampleBeginning()

function opened(positionOf?: PositionFinder) {
  const config = join(folder, 'muster.config.ts')
  return gitlabReporter({ folder, config, positionOf: positionOf ?? (() => ({ file: config, line: 7 })) })
}

async function read() {
  expect(XMLValidator.validate(await readFile(join(folder, 'gl-junit-report.xml'), 'utf8'))).toBe(true)
  return issues.parse(JSON.parse(await readFile(join(folder, 'gl-code-quality-report.json'), 'utf8')))
}

async function told(events: readonly RunEvent[], positionOf?: PositionFinder) {
  const reporter = opened(positionOf)
  for (const event of events) reporter.on(event)
  await reporter.close?.()
  return read()
}

it('writes what does not hold as Code Quality issues, and JUnit beside them', async () => {
  const found = await told([...sampleBeginning(), ...redEnding()])
  expect(
    found.map(({ check_name, severity, location }) => [check_name, severity, location.path, location.lines.begin]),
  ).toEqual([
    ['metrics.request-count', 'critical', 'muster.config.ts', 7],
    ['logs.request-lines', 'critical', 'muster.config.ts', 7],
    ['traces.complete', 'major', 'muster.config.ts', 7],
  ])
  expect(found[0]?.description).toBe(
    'metrics: Every request is counted: basic: The gateway counted 24 requests fewer than k6 sent.',
  )
  expect((await readdir(folder)).sort()).toEqual(['gl-code-quality-report.json', 'gl-junit-report.xml'])
})

it('writes an empty list for a green run', async () => {
  expect(await told([...sampleBeginning(), ...greenEnding()])).toEqual([])
})

it('gives each issue a fingerprint of its own that an edited line or another actual value does not change', async () => {
  const check = (scenario: string, reason: string): RunEvent => ({
    type: 'check',
    at: sampleStart,
    result: sampleCheck('load', 'threshold.x', 'x keeps', 'failed', { scenario, reason }),
  })
  const file = join(folder, 'muster.config.ts')
  const lines =
    (first: number): PositionFinder =>
    ({ scenario }) => ({ file, line: scenario === 'basic' ? first : first + 1 })
  const prints = (found: z.infer<typeof issues>) => found.map(({ fingerprint }) => fingerprint)
  const before = await told([check('basic', '7 ms'), check('spike', '8 ms')], lines(3))
  const after = await told([check('basic', '9 ms'), check('spike', '10 ms')], lines(30))
  expect(new Set(prints(before)).size).toBe(before.length)
  expect(prints(after)).toEqual(prints(before))
})

it('leaves a blocker behind while the run is under way, so that a killed job is red', async () => {
  if (!beginning) throw new Error('the sample run has a beginning')
  opened().on(beginning)
  expect(await read()).toMatchObject([
    { check_name: 'run', severity: 'blocker', location: { path: 'muster.config.ts' } },
  ])
})
