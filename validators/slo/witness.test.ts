import { expect, test } from 'vitest'
import { slosSchema } from './slo.ts'
import { witnessesOf } from './witness.ts'

function of(sli: unknown) {
  const [slo] = slosSchema.parse([{ name: 'a', service: 's', objective: 0.99, sli }])
  if (!slo) throw new Error('no SLO')
  return witnessesOf(slo.sli)
}

test('series of good, bad and excluded events, with values that services have', () => {
  const found = of({ total: 'r_total{job="a"}', bad: 'r_total{job="a",status=~"5.."}', exclude: { route: '/health' } })
  expect(found).toMatchObject({
    good: ['r_total{job="a",status="200"}'],
    bad: ['r_total{job="a",status="500"}'],
    excluded: [
      {
        label: 'route',
        good: ['r_total{job="a",route="/health",status="200"}'],
        bad: ['r_total{job="a",route="/health",status="500"}'],
      },
    ],
  })
  expect(typeof found === 'string' ? [] : found.otherGood.flat()).toContain('r_total{job="a",status="404"}')
})

test('each label that leaves something out is tried by itself', () => {
  const found = of({
    total: 'r_total',
    bad: 'r_total{status=~"5.."}',
    exclude: { route: '/health', method: 'OPTIONS' },
  })
  const left = typeof found === 'string' ? [] : found.excluded.map(({ good }) => good)
  expect(left).toEqual([['r_total{route="/health",status="200"}'], ['r_total{method="OPTIONS",status="200"}']])
})

test('with two counters an event counts up the one, or both', () => {
  expect(of({ total: 'all_total', bad: 'errors_total' })).toMatchObject({
    good: ['all_total{}'],
    bad: ['all_total{}', 'errors_total{}'],
  })
})

test('selectors that contradict each other are told apart', () => {
  expect(of({ total: 'r_total{a="1",a="2"}', bad: 'r_total{b="1"}' })).toContain('no series can match')
  expect(of({ total: 'r_total{a="1"}', bad: 'r_total{a="1"}' })).toContain('matches every series')
})
