import { expect, it } from 'vitest'
import { histogramQuantileBounds, mean, median, quantile } from './statistics.ts'

it('interpolates between neighbours', () => {
  expect(quantile([40, 10, 30, 20], 0.95)).toBeCloseTo(38.5)
  expect(median([3, 1, 2])).toBe(2)
  expect(mean([1, 2])).toBe(1.5)
})

it('knows nothing without values', () => {
  expect([quantile([], 0.5), median([]), mean([])]).toEqual([undefined, undefined, undefined])
})

it('bounds the quantile of a histogram by its bucket', () => {
  const buckets = [
    { le: 0.5, count: 95 },
    { le: 1, count: 99 },
    { le: Number.POSITIVE_INFINITY, count: 100 },
  ]
  expect(histogramQuantileBounds(buckets, 0.95)).toEqual([0, 0.5])
  expect(histogramQuantileBounds(buckets, 0.96)).toEqual([0.5, 1])
  expect(histogramQuantileBounds(buckets, 1)).toEqual([1, Number.POSITIVE_INFINITY])
  expect(histogramQuantileBounds([], 0.5)).toBeUndefined()
})
