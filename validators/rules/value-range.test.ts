import { expect, test } from 'vitest'
import { parsePromql } from './promql.ts'
import { holdsFor, valueRange } from './value-range.ts'

const inf = Number.POSITIVE_INFINITY

test.each<[string, number, number]>([
  ['up', 0, 1],
  ['1 - avg(up)', 0, 1],
  ['rate(x_total[5m])', 0, inf],
  ['x', -inf, inf],
  ['100 * sum(rate(x_total{a="1"}[5m])) / sum(rate(x_total[5m]))', 0, 100],
  ['100 * (sum(rate(x_total{a="1"}[5m])) / sum(rate(x_total[5m])))', 0, 100],
  ['sum by (a) (rate(h_bucket{le="0.5"}[5m])) / sum by (a) (rate(h_count[5m]))', 0, 1],
  ['sum by (a) (rate(x_total{b="1"}[5m])) / sum(rate(x_total[5m]))', 0, inf],
  ['sum(rate(x_total{a="1"}[5m])) / sum(rate(x_total[10m]))', 0, inf],
  ['sum(rate(good_total[5m])) / (sum(rate(good_total[5m])) + sum(rate(bad_total[5m])))', 0, 1],
  ['clamp_max(x, 3)', -inf, 3],
  ['clamp(x, 1, 3) > 2', 1, 3],
  ['absent(up)', 1, 1],
  ['vector(1)', 1, 1],
  ['count(x) / 2', 0.5, inf],
  ['-up', -1, 0],
  ['x == bool 1', 0, 1],
])('%s lies between %d and %d', (expr, min, max) => {
  const range = valueRange(parsePromql(expr))
  expect([range.min + 0, range.max + 0]).toEqual([min, max])
})

test('a comparison holds for all, none or some values of a range', () => {
  const share = { min: 0, max: 1 }
  expect([holdsFor(share, '>', 1), holdsFor(share, '>=', 1), holdsFor(share, '>=', 0)]).toEqual(['none', 'some', 'all'])
  expect([holdsFor(share, '<', 0), holdsFor(share, '==', 2), holdsFor(share, '!=', 2)]).toEqual(['none', 'none', 'all'])
})
