import { expect, it } from 'vitest'
import { type Bucket, histogramQuantile } from './histogram.ts'

const buckets = (...pairs: [upper: number, count: number][]): Bucket[] =>
  pairs.map(([upper, count]) => ({ upper, count }))
const infinite = Number.POSITIVE_INFINITY

/** 50 up to 0.1 s, 40 more up to 0.5 s, 8 up to 1 s, 2 beyond. */
const requests = buckets([0.1, 50], [0.5, 90], [1, 98], [infinite, 100])

it.each([
  // Worked by hand: lower + width * (rank - count below) / count inside.
  [0.25, 0.05],
  [0.5, 0.1],
  [0.7, 0.1 + (0.4 * 20) / 40],
  [0.9, 0.5],
  [0.95, 0.5 + (0.5 * 5) / 8],
  [0.98, 1],
])('interpolates the quantile %d linearly within its bucket', (quantile, seconds) => {
  expect(histogramQuantile(quantile, requests)).toBeCloseTo(seconds, 12)
})

it('says the last finite bound for a quantile beyond it, as Prometheus does', () => {
  expect(histogramQuantile(0.99, requests)).toBe(1)
  expect(histogramQuantile(0.95, buckets([0.5, 0], [infinite, 10]))).toBe(0.5)
})

it('does not care for the order of the buckets', () => {
  expect(histogramQuantile(0.95, [...requests].reverse())).toBe(histogramQuantile(0.95, requests))
})

it('skips buckets in which nothing was observed', () => {
  expect(histogramQuantile(0.5, buckets([0.1, 0], [0.2, 0], [0.4, 10], [infinite, 10]))).toBeCloseTo(0.3, 12)
})

it('is no number without observations or buckets', () => {
  expect(histogramQuantile(0.95, [])).toBeNaN()
  expect(histogramQuantile(0.95, buckets([0.1, 0], [infinite, 0]))).toBeNaN()
})

it('is no number, never zero, where Prometheus has none: no infinite or no finite bucket', () => {
  expect(histogramQuantile(0.95, buckets([infinite, 10]))).toBeNaN()
  expect(histogramQuantile(0.95, buckets([0.1, 5], [0.5, 10]))).toBeNaN()
})
