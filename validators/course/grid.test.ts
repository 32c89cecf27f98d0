import { expect, it } from 'vitest'
import { gridOf } from '../../lib/course.ts'
import { merged, onGrid, rateOnGrid } from './grid.ts'

const grid = { from: 10_000, to: 14_000, stepMs: 1000, length: 5 }

it('counts what happened in the stretch in which the window ends', () => {
  const grid = { from: 0, to: 5000, stepMs: 1000, length: 6 }
  const counts: [number, number][] = [
    [2500, 4],
    [3200, 3],
  ]
  expect(rateOnGrid(grid, counts, { from: 2000, to: 3300 })).toEqual([null, null, 0, 4, 3, null])
})

it('a course of any length has no more places than allowed, whole seconds apart', () => {
  expect(gridOf({ from: 0, to: 90_000 }, 900)).toEqual({ stepMs: 1000, length: 91 })
  const long = gridOf({ from: 0, to: 30 * 60_000 + 123 }, 900)
  expect(long.stepMs % 1000).toBe(0)
  expect(long.length).toBeLessThanOrEqual(900)
  expect(gridOf({ from: 5, to: 5 }, 900)).toEqual({ stepMs: 1000, length: 1 })
})

it('samples stand at the nearest place, the largest of several; what lies outside or is no number is left out', () => {
  const samples = [
    { at: 9000, value: 9 },
    { at: 10_400, value: 1 },
    { at: 12_100, value: 2 },
    { at: 11_900, value: 3 },
    { at: 13_000, value: Number.NaN },
    { at: 99_000, value: 9 },
  ]
  expect(onGrid(grid, samples)).toEqual([1, null, 3, null, null])
})

it('events are counted in the stretch before each place, and not outside of the window', () => {
  const counts = [
    [10_500, 2],
    [10_900, 2],
    [12_500, 1],
  ] as const
  expect(rateOnGrid(grid, counts, { from: 10_000, to: 13_000 })).toEqual([0, 4, 0, 1, null])
  expect(rateOnGrid({ ...grid, stepMs: 2000, length: 3 }, counts, { from: 10_000, to: 14_000 })).toEqual([0, 2, 0.5])
})

it('of several series the first value counts', () => {
  expect(
    merged(3, [
      [null, 1, null],
      [2, 3, null],
    ]),
  ).toEqual([2, 1, null])
})
