import { expect, test } from 'vitest'
import { parsePrometheusDuration } from './prometheus-duration.ts'

test.each([
  ['30s', 30_000],
  ['1h30m', 5_400_000],
  ['1y2w', 32_745_600_000],
  ['0', 0],
  ['5ms', 5],
])('%s is %d ms', (text, ms) => {
  expect(parsePrometheusDuration(text)).toBe(ms)
})

test.each(['', '5', '1.5h', '30m1h', '-1s', '1h 30m'])('%j is no duration', (text) => {
  expect(parsePrometheusDuration(text)).toBeUndefined()
})
