import { describe, expect, it } from 'vitest'
import { type Bucket, bucketHolding, disagreements, histogramFaults, histogramQuantile } from './histogram.ts'

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

it('finds nothing wrong with a histogram that adds up', () => {
  expect(histogramFaults(requests, 100)).toEqual([])
})

it('names buckets that fall, a +Inf that is not the count, and one that is missing', () => {
  expect(histogramFaults(buckets([0.1, 50], [0.5, 40], [infinite, 60]), 60)).toEqual([
    '50 observations up to 0.1, but 40 up to 0.5',
  ])
  expect(histogramFaults(requests, 101)).toEqual(['100 observations up to +Inf, but _count says 101'])
  expect(histogramFaults(buckets([0.1, 50]), 50)).toEqual(['it has no bucket +Inf'])
})

it('tells the bucket that holds a quantile', () => {
  expect(bucketHolding(0.5, requests)).toEqual([Number.NEGATIVE_INFINITY, 0.1])
  expect(bucketHolding(0.95, requests)).toEqual([0.5, 1])
  expect(bucketHolding(0.99, requests)).toEqual([1, infinite])
  expect(bucketHolding(0.95, [])).toBeUndefined()
})

describe('against the single values', () => {
  const observed = buckets([0.1, 2], [0.5, 3], [infinite, 4])

  it('agrees', () => {
    expect(disagreements(observed, [0.05, 0.1, Number.NaN, 0.3, 0.7], 0)).toEqual([])
  })

  it('forgives what lies within the tolerance of an edge', () => {
    expect(disagreements(observed, [0.05, 0.101, 0.3, 0.7], 0)).toHaveLength(1)
    expect(disagreements(observed, [0.05, 0.101, 0.3, 0.7], 0.002)).toEqual([])
  })

  it('leaves a difference of the totals to others', () => {
    expect(disagreements(observed, [0.05, 0.3, 0.7], 0)).toEqual([])
    expect(disagreements(observed, [0.05, 0.06, 0.3, 0.7, 0.8], 0)).toEqual([])
  })

  it('forgives as many others as it is told to', () => {
    expect(disagreements(observed, [0.05, 0.2, 0.3, 0.7], 0)).toHaveLength(1)
    expect(disagreements(observed, [0.05, 0.2, 0.3, 0.7], 0, 1)).toEqual([])
  })

  it('sees another unit', () => {
    const inMilliseconds = buckets([0.1, 0], [0.5, 0], [infinite, 4])
    expect(disagreements(inMilliseconds, [0.05, 0.1, 0.3, 0.7], 0.001)).toEqual([
      { upper: 0.1, count: 0, least: 1, most: 2 },
      { upper: 0.5, count: 0, least: 3, most: 3 },
    ])
  })
})
