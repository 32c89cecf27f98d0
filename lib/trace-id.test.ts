import { describe, expect, it } from 'vitest'
import {
  decodeTraceId,
  hex8,
  type Origin,
  parentId,
  setupScenario,
  traceId,
  traceparent,
  traceparents,
} from './trace-id.ts'

const origin: Origin = { run: 0xfedcba98, instance: 3, scenario: 200, step: 17, repetition: 255, iteration: 0xffffffff }

describe('trace ids', () => {
  it('are valid W3C and readable', () => {
    expect(traceId(origin)).toMatch(/^fedcba9803c811ff[0-9a-f]{8}ffffffff$/)
    expect(traceparent(origin)).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
    const zero = { run: 0, instance: 0, scenario: 0, step: 0, repetition: 0, iteration: 0 }
    expect(traceId(zero)).not.toMatch(/^0+$/)
    expect(parentId(zero)).not.toMatch(/^0+$/)
  })

  it('decode to their origin', () => {
    const samples = [origin, { ...origin, run: 0 }, { ...origin, iteration: 0 }, { ...origin, scenario: setupScenario }]
    for (const one of samples) expect(decodeTraceId(traceId(one))).toEqual(one)
  })

  it('made elsewhere are recognised', () => {
    const id = traceId(origin)
    expect(decodeTraceId(`${id.slice(0, 31)}0`)).toBeUndefined()
    expect(decodeTraceId(`${id.slice(0, 7)}0${id.slice(8, 31)}e`)).toBeUndefined()
    expect(decodeTraceId('4bf92f3577b34da6a3ce929d0e0e4736')).toBeUndefined()
    expect(decodeTraceId(id.toUpperCase())).toBeUndefined()
  })

  it('are the same when a step has worked out its constant half', () => {
    const header = traceparents(origin)
    for (const repetition of [0, 1, 255]) {
      for (const iteration of [0, 1, 77, 2 ** 31, 2 ** 32 - 1]) {
        expect(header(repetition, iteration)).toBe(traceparent({ ...origin, repetition, iteration }))
      }
    }
  })

  // All fields but the scatter stand in the id itself. So ids are unique if the digits of a field are: that is checked for
  // 10^7 iterations as k6 makes them, by the digits that come out and not by what went in.
  it('are unique over ten million', () => {
    const seen = new Uint8Array(10_000_000)
    let doubles = 0
    for (let iteration = 0; iteration < seen.length; iteration++) {
      const digits = hex8(iteration)
      let value = 0
      for (let n = 0; n < 8; n++) {
        const code = digits.charCodeAt(n)
        value = value * 16 + (code < 58 ? code - 48 : code - 87)
      }
      if (seen[value] !== 0) doubles++
      seen[value] = 1
    }
    expect(doubles).toBe(0)
    expect(seen.indexOf(0)).toBe(-1)
  })

  it('differ in every field', () => {
    const ids = new Set<string>()
    for (const run of [0, 1, 0xffffffff])
      for (const instance of [0, 1, 255])
        for (const scenario of [0, 1, 255])
          for (const step of [0, 1, 255])
            for (const repetition of [0, 1, 255])
              for (const iteration of [0, 1, 0xffffffff])
                ids.add(traceId({ run, instance, scenario, step, repetition, iteration }))
    expect(ids.size).toBe(3 ** 6)
  })

  // OpenTelemetry JS xors the four words, others read the low eight bytes or the seven lowest.
  it.each([
    ['the low 8 bytes', (id: string) => Number.parseInt(id.slice(16, 24), 16) / 2 ** 32],
    ['the low 7 bytes', (id: string) => Number.parseInt(id.slice(18, 24), 16) / 2 ** 24],
    ['all words, xored', (id: string) => words(id) / 2 ** 32],
  ])('are fair to a ratio sampler that reads %s', (_, place) => {
    for (const [run, step] of [
      [1, 0],
      [0xdeadbeef, 3],
    ] as const) {
      const count = 20_000
      let taken = 0
      for (let iteration = 0; iteration < count; iteration++) {
        if (place(traceId({ run, instance: 0, scenario: 0, step, repetition: 0, iteration })) < 0.1) taken++
      }
      // Six standard deviations of a fair draw.
      expect(Math.abs(taken - count * 0.1)).toBeLessThan(6 * Math.sqrt(count * 0.1 * 0.9))
    }
  })
})

function words(id: string): number {
  let result = 0
  for (let at = 0; at < 32; at += 8) result ^= Number.parseInt(id.slice(at, at + 8), 16)
  return result >>> 0
}
