import { expect, it } from 'vitest'
import { mean, median, quantile } from './statistics.ts'

it('interpolates between neighbours', () => {
  expect(quantile([40, 10, 30, 20], 0.95)).toBeCloseTo(38.5)
  expect(median([3, 1, 2])).toBe(2)
  expect(mean([1, 2])).toBe(1.5)
})

it('knows nothing without values', () => {
  expect([quantile([], 0.5), median([]), mean([])]).toEqual([undefined, undefined, undefined])
})
