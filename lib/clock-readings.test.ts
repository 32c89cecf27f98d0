import { expect, test } from 'vitest'
import { outliersOf, toleranceOf } from './clock-readings.ts'

test('one reading may be an outlier, and one more in each thousand', () => {
  expect([0, 1, 999, 1000, 10_500].map(outliersOf)).toEqual([1, 1, 1, 2, 11])
})

test('short durations may differ by 50 ms, long ones by a tenth', () => {
  expect([0, 100, 500, 2000].map(toleranceOf)).toEqual([50, 50, 50, 200])
})
