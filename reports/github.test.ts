import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { RunEvent } from '../lib/event.ts'
import type { PositionFinder } from '../lib/position.ts'
import type { CheckResult } from '../lib/verdict.ts'
import { githubReporter } from './github.ts'
import {
  greenEnding,
  redEnding,
  sampleBeginning,
  sampleCheck,
  sampleRunId,
  sampleStart,
} from './sample-run.test-data.ts'

let folder: string
let summaryFile: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-github-'))
  summaryFile = join(folder, 'summary.md')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const onLine7: PositionFinder = () => ({ file: join(folder, 'load', 'muster.config.ts'), line: 7 })

async function told(events: readonly RunEvent[], positionOf: PositionFinder = onLine7) {
  const lines: string[] = []
  const reporter = githubReporter({
    stream: { write: (text) => lines.push(...text.trimEnd().split('\n')) },
    environment: { GITHUB_STEP_SUMMARY: summaryFile, GITHUB_WORKSPACE: folder },
    positionOf,
  })
  const before = lines.splice(0)
  for (const event of events) reporter.on(event)
  expect(lines).toEqual([])
  await reporter.close?.()
  const [resumed, ...annotations] = lines
  return { before, resumed, annotations, summary: await readFile(summaryFile, 'utf8') }
}

const ended = (exitCode: number): RunEvent => ({
  type: 'run-ended',
  at: sampleStart,
  end: { runId: sampleRunId, exitCode, verdict: 'Some verdict.', startedAt: sampleStart, endedAt: sampleStart + 5 },
})
const run = (checks: readonly CheckResult[]): RunEvent[] => [
  ...sampleBeginning(),
  ...checks.map((result): RunEvent => ({ type: 'check', at: sampleStart, result })),
  ended(1),
]
const red = (n: number, more: Parameters<typeof sampleCheck>[4] = {}) =>
  sampleCheck('metrics', `count.${n}`, `Request ${n} is counted`, 'failed', { reason: `${n} is missing`, ...more })

/** What GitHub's runner makes of a workflow command: actions/runner, ActionCommand.TryParseV2. */
function parsed(line: string) {
  const [, name, listed = '', data = ''] = /^::(\S+)(?: (.*?))?::(.*)$/.exec(line) ?? []
  const back = (text: string) =>
    text
      .replaceAll('%0D', '\r')
      .replaceAll('%0A', '\n')
      .replaceAll('%3A', ':')
      .replaceAll('%2C', ',')
      .replaceAll('%25', '%')
  const properties = listed.split(',').map((pair) => pair.split('='))
  return {
    name,
    message: back(data),
    ...Object.fromEntries(properties.map(([key, ...rest]) => [key, back(rest.join('='))])),
  }
}

describe('annotations', () => {
  it('name the line that states the expectation, relative to the checkout', async () => {
    const { annotations } = await told(run([red(1)]))
    expect(annotations.map(parsed)).toEqual([
      {
        name: 'error',
        file: 'load/muster.config.ts',
        line: '7',
        title: 'metrics: Request 1 is counted',
        message: 'basic: 1 is missing\ncheck metrics.count.1',
      },
    ])
  })

  it('are one for an expectation that fails in several scenarios', async () => {
    const again = red(1, { scenario: 'stress' })
    const otherwise = red(1, { scenario: 'spike', reason: 'all are missing' })
    const { annotations } = await told(run([red(1), again, otherwise]))
    expect(annotations.map((line) => parsed(line).message)).toEqual([
      'basic, stress: 1 is missing\nspike: all are missing\ncheck metrics.count.1',
    ])
  })

  it('are ten at most, the last of which counts the rest', async () => {
    const { annotations } = await told(run(Array.from({ length: 40 }, (_, n) => red(n))))
    expect(annotations).toHaveLength(10)
    expect(parsed(annotations[8] ?? '').title).toBe('metrics: Request 8 is counted')
    expect(parsed(annotations[9] ?? '').message).toBe('31 more expectations do not hold: see the summary of the step.')
    expect((await told(run(Array.from({ length: 10 }, (_, n) => red(n))))).annotations).toHaveLength(10)
  })

  it('carry the nastiest texts in one line, and back', async () => {
    const text = '100%, a:b, %0A ::error file=x::y\r\n::set-output name=a::b'
    const { annotations } = await told(
      run([sampleCheck('logs', 'nasty', text, 'failed', { reason: `\x1b[31m${text}` })]),
    )
    expect(annotations).toHaveLength(1)
    expect(parsed(annotations[0] ?? '')).toMatchObject({
      title: 'logs: 100%, a:b, %0A ::error file=x::y ::set-output name=a::b',
      message: 'basic: 100%, a:b, %0A ::error file=x::y\n::set-output name=a::b\ncheck logs.nasty',
    })
  })

  it('have no file where none states it, or it is outside the checkout', async () => {
    for (const finder of [() => undefined, () => ({ file: '/elsewhere/muster.config.ts', line: 3 })]) {
      const { annotations } = await told(run([red(1)]), finder)
      expect(parsed(annotations[0] ?? '')).not.toHaveProperty('file')
    }
  })

  it('tell what ended a run without a verdict, and nothing of a green one', async () => {
    const { annotations } = await told([ended(3)])
    expect(annotations.map(parsed)).toMatchObject([{ title: 'muster: COULD NOT ASK', message: 'Some verdict.' }])
    expect((await told([])).annotations.map(parsed)).toMatchObject([{ title: 'muster: CUT OFF' }])
    expect((await told([...sampleBeginning(), ...greenEnding()])).annotations).toEqual([])
  })

  it('are the only commands: before them GitHub is told to take none, with a token of its own for each run', async () => {
    const first = await told(run([red(1)]))
    const second = await told(run([red(1)]))
    expect(first.before).toEqual([expect.stringMatching(/^::stop-commands::[\da-f-]{36}$/)])
    expect(first.resumed).toBe(`::${first.before[0]?.split('::')[2]}::`)
    expect(first.before).not.toEqual(second.before)
  })
})

describe('the summary of the step', () => {
  it('tells of a run what the terminal tells', async () => {
    const { summary } = await told([...sampleBeginning(), ...redEnding()])
    await expect(summary).toMatchFileSnapshot('./__snapshots__/github-summary.md')
  })

  it('is below 1 MiB however many fail and however much they say, and counts what it leaves out', async () => {
    await writeFile(summaryFile, 'x'.repeat(100_000))
    const long = red(0, { seen: { actual: '日'.repeat(1_000_000) } })
    const checks = [long, ...Array.from({ length: 5000 }, (_, n) => red(n + 1, { reason: '😀'.repeat(500) }))]
    const { summary } = await told(run(checks))
    const bytes = Buffer.byteLength(summary)
    expect(bytes).toBeLessThan(1024 * 1024)
    expect(bytes).toBeGreaterThan(1_000_000)
    const shown = summary.match(/<details>/g)?.length ?? 0
    expect(summary.match(/<\/details>/g)).toHaveLength(shown)
    expect(summary).toContain(`… and ${(5001 - shown).toLocaleString('en-US')} more, for which there is no room here`)
  })

  it('is left alone where an earlier command of the step has filled it', async () => {
    const full = 'x'.repeat(1024 * 1024 - 500)
    await writeFile(summaryFile, full)
    expect((await told(run([red(1)]))).summary).toBe(full)
  })

  it('shows outside texts as they are, not as Markdown or HTML', async () => {
    const nasty = '</summary><script>alert(1)</script> | **b** [x](javascript:y) `c`'
    const check = red(1, { title: nasty, reason: '```\n</details>\n# head\n````' })
    const { summary } = await told([...run([check]), { type: 'warning', at: 0, text: nasty }])
    expect(summary).not.toContain('<script>')
    expect(summary).toContain('\\*\\*b\\*\\* \\[x\\](javascript\\:y) \\`c\\`')
    // The block's fence is longer than any in it.
    expect(summary).toMatch(/\n`````text\n[\s\S]*\n`````\n/)
  })
})
