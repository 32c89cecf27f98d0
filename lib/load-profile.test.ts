import { describe, expect, it } from 'vitest'
import { loadPlan, offeredRate, profileNames } from './load-profile.ts'

const timeouts = [10_000, 10_000]

describe.each(profileNames)('%s', (name) => {
  const plan = loadPlan(name, { timeouts })
  it('covers its whole time with phases', () => {
    expect(plan.phases[0]?.fromMs).toBe(0)
    expect(plan.phases.at(-1)?.toMs).toBe(plan.durationMs)
    for (const [n, phase] of plan.phases.entries()) if (n > 0) expect(phase.fromMs).toBe(plan.phases[n - 1]?.toMs)
  })
  it('waits for the longest iteration there can be', () => expect(plan.gracefulStopMs).toBeGreaterThan(20_000))
  it('gives k6 whole numbers and enough virtual users', () => {
    const { k6 } = plan
    const rates =
      k6.executor === 'constant-arrival-rate' ? [k6.rate] : [k6.startRate, ...k6.stages.map(({ target }) => target)]
    expect(rates.every((rate) => Number.isInteger(rate) && rate > 0)).toBe(true)
    expect(Math.max(...rates)).toBe(plan.peakRate * 60)
    expect(k6.maxVUs).toBeGreaterThanOrEqual(k6.preAllocatedVUs)
  })
})

it('basic keeps its rate', () => {
  expect(loadPlan('basic', { timeouts })).toMatchObject({ peakRate: 40, durationMs: 15_000, expectedIterations: 600 })
})

it('takes a share, a rate and a duration', () => {
  const plan = loadPlan('basic', { timeouts, rate: 1, share: 0.25, durationMs: 60_000 })
  expect(plan).toMatchObject({ peakRate: 0.25, expectedIterations: 15, k6: { rate: 15, timeUnit: '1m' } })
})

it('spike bursts tenfold and recovers', () => {
  const { phases, k6, expectedIterations } = loadPlan('spike', { timeouts })
  expect(phases.map(({ name, toMs }) => [name, toMs])).toEqual([
    ['baseline', 6_000],
    ['burst', 11_000],
    ['recovery', 20_000],
  ])
  expect(k6).toMatchObject({
    startRate: 900,
    stages: [
      { target: 900, duration: '6000ms' },
      { target: 9000, duration: '0s' },
      { target: 9000, duration: '5000ms' },
      { target: 900, duration: '0s' },
      { target: 900, duration: '9000ms' },
    ],
  })
  expect(expectedIterations).toBe(90 + 750 + 135)
})

it('offers at every moment the rate of the phase', () => {
  const spike = loadPlan('spike', { rate: 100, share: 0.5, durationMs: 20_000, timeouts: [1000] })
  const rates = [-1, 0, 5_999, 6_000, 10_999, 11_000, 19_999, 20_000].map((at) => offeredRate(spike, at))
  expect(rates).toEqual([0, 5, 5, 50, 50, 5, 5, 0])
  const basic = loadPlan('basic', { rate: 7, durationMs: 1000, timeouts: [1000] })
  expect([0, 999, 1000].map((at) => offeredRate(basic, at))).toEqual([7, 7, 0])
})
