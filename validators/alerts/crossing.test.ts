import { expect, it } from 'vitest'
import { crossingOf } from './crossing.ts'
import type { Fault } from './expectation.ts'

const errors: Fault = { kind: 'service', service: 'gateway', fault: 'error', ratio: 0.3 }
const none: ReadonlyMap<string, string> = new Map()
const ratio = 'sum(rate(bad{code=~"5.."}[10s])) / sum(rate(all[10s])) > 0.05'

function crossed(query: string, fault: Fault = errors, recorded = none) {
  return crossingOf(query, fault, undefined, recorded)
}

it('derives when a share crosses its threshold: window x threshold / injected share', () => {
  const crossing = crossed(ratio)
  expect(crossing).toMatchObject({ words: '10 s x 0.05 / 0.3', clears: { latestMs: 10_000 } })
  expect(crossing && 'crossesMs' in crossing ? crossing.crossesMs : 0).toBeCloseTo(1666.7, 0)
})

it('reads the constant on either side, and arithmetic on constants', () => {
  expect(crossed('2 * 0.025 < sum(rate(bad[10s])) / sum(rate(all[10s]))')).toEqual(crossed(ratio))
})

it('looks through recording rules', () => {
  const recorded = new Map([['errors:ratio', 'sum(rate(bad[10s])) / sum(rate(all[10s]))']])
  expect(crossed('errors:ratio > 0.05', errors, recorded)).toEqual(crossed(ratio))
})

it('derives a quantile from the share of slow requests', () => {
  const latency: Fault = { kind: 'service', service: 'gateway', fault: 'latency', ratio: 0.5, ms: 900 }
  const query = 'histogram_quantile(0.95, sum by (le) (rate(seconds_bucket[10s]))) > 0.5'
  expect(crossed(query, latency)).toMatchObject({ words: '10 s x 0.05 / 0.5' })
  expect(crossed(query, { ...latency, ms: 400 })).toEqual({
    never: "the fault's 400 ms are not above the expression's 500 ms",
  })
})

it('takes the later crossing of both sides of `and`, the sooner of `or`', () => {
  const long = 'sum(rate(bad[60s])) / sum(rate(all[60s])) > 0.05'
  expect(crossed(`${ratio} and ${long}`)).toMatchObject({ words: '60 s x 0.05 / 0.3', clears: { latestMs: 10_000 } })
  expect(crossed(`${ratio} or ${long}`)).toMatchObject({ words: '10 s x 0.05 / 0.3', clears: { latestMs: 60_000 } })
})

it('lets a comparison without a window cross with the next scrape', () => {
  expect(crossed('up{job="gateway"} == 0')).toMatchObject({ crossesMs: 0, clears: { latestMs: 0 } })
})

it('lets the sooner of `up == 0` and `absent` decide', () => {
  expect(crossed('absent(up{job="gateway"})')).toMatchObject({ crossesMs: 300_000 })
  expect(crossed('max by (job) (up) == 0 or absent(up{job="a"}) or absent(up{job="b"})')).toMatchObject({
    crossesMs: 0,
  })
})

it('says that a weak fault never crosses', () => {
  expect(crossed(ratio, { ...errors, ratio: 0.05 })).toEqual({
    never: 'the fault strikes 5 % of requests, and the expression wants more than 5 %',
  })
})

it.each([
  ['a gauge that has to fill', 'queue_depth > 10000'],
  ['a rate that is no share', 'sum(rate(errors[10s])) > 5'],
  ['a share of anything but rates', 'errors / requests[10s] > 0.05'],
  ['a subquery', 'max_over_time((sum(rate(bad[10s])) / sum(rate(all[10s])))[1m:]) > 0.05'],
  ['a threshold from above', 'sum(rate(ok[10s])) / sum(rate(all[10s])) < 0.95'],
  ['a computed threshold', 'sum(rate(bad[10s])) / sum(rate(all[10s])) > scalar(limit)'],
])('does not guess for %s', (_, query) => {
  expect(crossed(query)).toBeUndefined()
})

it('takes what the config states', () => {
  expect(crossingOf('queue_depth > 10000', errors, { within: '20s', clearsWithin: '40s' }, none)).toEqual({
    crossesMs: 20_000,
    clears: { earliestMs: 0, latestMs: 40_000 },
    words: 'as the config states',
  })
})
