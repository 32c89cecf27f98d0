import { expect, test } from 'vitest'
import type { MutationScore } from './examine.ts'
import { mutationResults } from './mutation-results.ts'

const score = (rule: string, killed: number, survivors: readonly string[]): MutationScore => ({
  file: 'a.yml',
  line: 3,
  rule,
  suite: 'own',
  mutants: killed + survivors.length,
  killed,
  survivors,
})
const scores = [score('A', 8, []), score('B', 1, ['threshold 1 -> 2'])]

test('survivors are told, and fail only below the least score', () => {
  const told = mutationResults(scores, undefined)
  expect(told).toMatchObject([{ id: 'alerts.rules.mutation.own', verdict: 'passed' }])
  expect(told[0]?.evidence.details).toEqual(['a.yml:3: B: nothing notices threshold 1 -> 2'])
  expect(mutationResults(scores, 0.9)).toMatchObject([{ verdict: 'passed' }])
  expect(mutationResults(scores, 0.91)).toMatchObject([
    { verdict: 'failed', reason: '9 of 10 mutants noticed, score 0.90, below 0.91' },
  ])
})

test('without a mutant nothing is proven; without a suite nothing is said', () => {
  expect(mutationResults([score('A', 0, [])], 0.5)).toMatchObject([{ verdict: 'no-data' }])
  expect(mutationResults([], 0.5)).toEqual([])
})
