import { expect, test } from 'vitest'
import { BurnEvaluator } from './burn-evaluator.ts'

const minute = 60_000
const steady = { good: 100, bad: 0 }

test('fires when both windows are above the threshold, and ends with the short one', () => {
  const evaluator = new BurnEvaluator([{ longMs: 60 * minute, shortMs: 5 * minute, threshold: 0.1 }], minute)
  for (let n = 0; n < 120; n += 1) expect(evaluator.observe(steady)).toEqual([false])
  const during = Array.from({ length: 20 }, () => evaluator.observe({ good: 50, bad: 50 })[0])
  // 0.1 * 60 / 0.5 = 12 scrapes, one more or less for the sample that the open window leaves out.
  const detected = during.indexOf(true)
  expect(detected + 1).toBeGreaterThanOrEqual(11)
  expect(detected + 1).toBeLessThanOrEqual(13)
  const after = Array.from({ length: 20 }, () => evaluator.observe(steady)[0])
  // 5 * (1 - 0.1 / 0.5) = 4.
  expect(Math.abs(after.indexOf(false) + 1 - 4)).toBeLessThanOrEqual(1)
})

test('a window holds nothing to judge until it has two scrapes, and never without traffic', () => {
  const evaluator = new BurnEvaluator([], minute)
  evaluator.observe({ good: 5, bad: 5 })
  expect(evaluator.ratio(5 * minute)).toBeUndefined()
  evaluator.observe({ good: 0, bad: 0 })
  expect(evaluator.ratio(5 * minute)).toBeUndefined()
  evaluator.observe({ good: 1, bad: 1 })
  expect(evaluator.ratio(5 * minute)).toBe(0.5)
})

test('a counter that begins at zero is not extrapolated to below zero, one that does not is', () => {
  const evaluator = new BurnEvaluator([], minute)
  for (let n = 0; n < 10; n += 1) evaluator.observe({ good: 100, bad: 0 })
  for (let n = 0; n < 4; n += 1) evaluator.observe({ good: 0, bad: 100 })
  // (9m, 14m] holds the samples at 9 to 13: good stands still; bad grew by 400 from 0 and gets nothing for the fifth minute.
  expect(evaluator.ratio(5 * minute)).toBe(1)
  const level = new BurnEvaluator([], minute)
  for (let n = 0; n < 10; n += 1) level.observe({ good: 100, bad: 0 })
  for (let n = 0; n < 4; n += 1) level.observe({ good: 100, bad: 100 })
  expect(level.ratio(5 * minute)).toBeCloseTo(400 / (400 + 500), 12)
})
