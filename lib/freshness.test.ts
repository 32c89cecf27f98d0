import { expect, it } from 'vitest'
import { freshnessOf, type Sighting, scrapedAfter } from './freshness.ts'

function after(...values: (number | undefined)[]): Sighting[] {
  return values.map((afterMs, n) => ({
    traceId: `${n}`,
    service: 'gateway',
    resolutionMs: 100 + n,
    ...(afterMs === undefined ? {} : { afterMs }),
  }))
}

it('tells quantiles that were measured', () => {
  const values = Array.from({ length: 100 }, (_, n) => 1000 - n * 10)
  expect(freshnessOf(after(...values))).toEqual({
    count: 100,
    missing: 0,
    p50: 500,
    p95: 950,
    max: 1000,
    resolutionMs: 199,
  })
})

it('takes what was never found for infinitely late, and its resolution for nothing', () => {
  expect(freshnessOf(after(10, 20, undefined))).toEqual({
    count: 3,
    missing: 1,
    p50: 20,
    p95: Number.POSITIVE_INFINITY,
    max: Number.POSITIVE_INFINITY,
    resolutionMs: 101,
  })
  // One in twenty leaves the 95th percentile as it is; the maximum tells of it.
  const oneLost = freshnessOf(after(...Array.from({ length: 19 }, () => 5), undefined))
  expect(oneLost).toMatchObject({ p95: 5, max: Number.POSITIVE_INFINITY, missing: 1 })
})

it('has nothing to tell of nothing', () => {
  expect(freshnessOf([])).toBeUndefined()
})

it.each<[string, number, [number, number][][], number | undefined]>([
  ['the first scrape after the answer', 100, [[[50, 60], [150, 155], [250, 260]]], 55], // biome-ignore format: a row a case
  ['a scrape that began with the answer', 100, [[[100, 107]]], 7],
  ['not one that had begun before', 100, [[[99, 120]]], undefined],
  ['the slowest of the instances', 100, [[[150, 155]], [[190, 195]]], 95],
  ['no instance that died before', 100, [[[150, 155]], [[50, 60]]], 55],
  ['nothing without scrapes', 100, [], undefined],
])('counts to %s', (_, answeredAt, instances, expected) => {
  const scrapes = instances.map((own) => own.map(([from, to]) => ({ from, to })))
  expect(scrapedAfter(answeredAt, scrapes)).toBe(expected)
})
