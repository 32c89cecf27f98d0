import { expect, it } from 'vitest'
import { isSampled, isScatterSampled } from './sampling.ts'
import { traceId, traceparents } from './trace-id.ts'

const step = { run: 0xdecade01, instance: 1, scenario: 3, step: 2 }

it('takes all at 1 and none at 0', () => {
  for (const scatter of [0, 1, 2 ** 31, 2 ** 32 - 1]) {
    expect(isScatterSampled(scatter, 1)).toBe(true)
    expect(isScatterSampled(scatter, 0)).toBe(false)
  }
})

it.each([0.001, 0.1, 0.5, 0.9])(
  'takes a share of %d, within the noise of fair draws, and both sides agree',
  (share) => {
    const header = traceparents(step, share)
    const count = 20_000
    let taken = 0
    for (let iteration = 0; iteration < count; iteration++) {
      const repetition = iteration % 2
      const id = traceId({ ...step, repetition, iteration })
      const sampled = isSampled(id, share)
      if (sampled) taken++
      const said = header(repetition, iteration)
      if (said.slice(3, 35) !== id || said.endsWith('-01') !== sampled) throw new Error(`${id}: not agreed upon`)
    }
    // Five standard deviations.
    expect(Math.abs(taken - count * share)).toBeLessThan(5 * Math.sqrt(count * share * (1 - share)))
  },
)

it('keeps what a smaller share took', () => {
  for (let iteration = 0; iteration < 1_000; iteration++) {
    const id = traceId({ ...step, repetition: 0, iteration })
    if (isSampled(id, 0.1)) expect(isSampled(id, 0.2)).toBe(true)
  }
})
