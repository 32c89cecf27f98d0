import { expect, test } from 'vitest'
import { type Growth, grow, increase } from './rate.ts'

function growthOf(values: readonly number[], stepMs = 1000): Growth {
  let growth: Growth | undefined
  values.forEach((value, index) => {
    growth = grow(growth, { at: (index + 1) * stepMs, value }, values[index - 1] ?? 0)
  })
  if (!growth) throw new Error('no sample')
  return growth
}

test('a window full of samples is extrapolated to its edges', () => {
  expect(increase(growthOf([100, 110, 120, 130, 140]), 0, 5000)).toBeCloseTo(50, 9)
})

test('where no sample would be expected it is half an interval', () => {
  expect(increase(growthOf([100, 110, 120]), -60_000, 63_000)).toBeCloseTo(30, 9)
})

test('a counter is not extrapolated to below zero', () => {
  expect(increase(growthOf([0, 10, 20]), 0, 3000)).toBeCloseTo(20, 9)
  expect(increase(growthOf([5, 15, 25]), 0, 3000)).toBeCloseTo(25, 9)
})

test('a fall is a reset, from which it counts from zero', () => {
  expect(growthOf([100, 120, 5, 10]).grown).toBe(30)
})

test('one sample has no increase', () => {
  expect(increase(growthOf([100]), 0, 1000)).toBeUndefined()
})
