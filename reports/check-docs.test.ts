import { expect, it } from 'vitest'
import type { CheckResult } from '../lib/verdict.ts'
import { evidenceLines } from './evidence.ts'
import { githubReporter } from './github.ts'
import { failuresSection } from './html/failures.ts'
import { readMeanings } from './html/meanings.ts'
import { RunFacts } from './run-facts.ts'
import { asRead } from './run-record.ts'

const failed: CheckResult = {
  id: 'metrics.request-count.todos',
  title: 'todos counted exactly the requests it was sent',
  signal: 'metrics',
  scenario: 'basic',
  verdict: 'failed',
  reason: 'GET /todos 200: 433 sent, 432 counted',
  evidence: { expected: '433 requests', actual: '432 requests', attempts: 1, elapsedMs: 3 },
}
const command = 'muster explain metrics.request-count'

it('the evidence of a red check, which terminal, JUnit and summaries show, names the command that explains it', () => {
  expect(evidenceLines(failed)).toContainEqual({ label: 'explained', text: command, kind: 'command' })
})

it('a green check, and one that is written of nowhere, name none', () => {
  const labels = (check: CheckResult) => evidenceLines(check).map(({ label }) => label)
  expect(labels({ ...failed, verdict: 'passed' })).not.toContain('explained')
  expect(labels({ ...failed, id: 'other.thing' })).not.toContain('explained')
})

it("GitHub's annotation names it", () => {
  const written: string[] = []
  const stream = { isTTY: false, write: (text: string) => written.push(text) > 0 }
  const reporter = githubReporter({ stream, environment: {}, positionOf: () => undefined })
  reporter.on({ type: 'check', at: 0, result: failed })
  reporter.close?.()
  expect(written.join('')).toMatch(/^::error [^\n]*%0Aexplained by muster explain metrics\.request-count$/m)
})

it('the story in report.html names it', () => {
  const facts = new RunFacts()
  facts.add({ type: 'check', at: 0, result: failed })
  const run = asRead(facts, { runId: 'c0ffee01', config: null })
  expect(String(failuresSection(run, {}, readMeanings()))).toContain(`<code>${command}</code>`)
})
