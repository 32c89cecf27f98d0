import { expect, it } from 'vitest'
import type { ExitCode } from '../lib/errors.ts'
import type { Verdict } from '../lib/verdict.ts'
import { verdictSentence } from './verdict-sentence.ts'

it.each<[ExitCode, Verdict[], string]>([
  [0, ['passed', 'passed'], 'All 2 checks hold.'],
  [0, ['passed', 'passed', 'skipped'], 'All 2 checks hold; 1 was skipped.'],
  [1, ['passed', 'failed', 'skipped'], '1 of 2 checks does not hold.'],
  [1, ['passed', 'failed', 'no-data', 'errored'], '3 of 4 checks do not hold.'],
  [3, ['passed', 'errored'], '1 of 2 checks could not be asked; no other failed.'],
  [4, ['failed'], 'The load was not as declared: nothing else counts.'],
  [1, ['skipped'], 'No check was put, so nothing is proven.'],
])('exit code %i after %j is told as "%s"', (exitCode, verdicts, sentence) => {
  expect(verdictSentence(exitCode, verdicts)).toBe(sentence)
})
