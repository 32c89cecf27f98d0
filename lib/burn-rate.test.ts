import { expect, test } from 'vitest'
import {
  burnFactor,
  burnProblems,
  burnThreshold,
  detectionMs,
  resetMs,
  scaledWindows,
  standardPeriodMs,
  standardWindows,
} from './burn-rate.ts'

const hour = 3_600_000
const day = 24 * hour

test('the factors of 30 days are those of the workbook, and follow the period', () => {
  expect(standardWindows.map((one) => burnFactor(one, 30 * day))).toEqual([14.4, 6, 3, 1])
  expect(standardWindows.map((one) => burnFactor(one, 90 * day))).toEqual([43.2, 18, 9, 3])
  expect(burnFactor(standardWindows[0] as (typeof standardWindows)[number], 28 * day)).toBeCloseTo(13.44, 10)
})

test('scaled windows keep the factors', () => {
  const windows = scaledWindows(30 * hour)
  expect(windows.map((one) => burnFactor(one, 30 * hour))).toEqual([14.4, 6, 3, 1])
  expect(windows.map(({ longMs }) => longMs)).toEqual([150_000, 900_000, hour, 3 * hour])
  expect(scaledWindows(standardPeriodMs)).toEqual(standardWindows)
})

test('a total outage of a 99.9 % SLO is detected after 14.4 thousandths of the hour', () => {
  const threshold = burnThreshold(14.4, 0.999)
  expect(threshold).toBeCloseTo(0.0144, 12)
  expect(detectionMs(hour, threshold, 1)).toBeCloseTo(51_840, 6)
  expect(resetMs(hour / 12, threshold, 1)).toBeCloseTo(295_680, 6)
})

test('a ratio at or below the threshold is never detected', () => {
  expect(detectionMs(hour, 0.0144, 0.0144)).toBe(Number.POSITIVE_INFINITY)
})

test('a factor that can never be reached is named with the objective that it needs', () => {
  const [problem, ...others] = burnProblems(standardWindows, 0.93, 30 * day)
  expect(others).toEqual([])
  expect(problem).toContain('burn factor 14.4')
  expect(problem).toContain('above 93.0556 %')
  expect(burnProblems(standardWindows, 0.931, 30 * day)).toEqual([])
})

test('a factor below 1 and windows that are no windows are named', () => {
  expect(burnProblems(standardWindows, 0.999, 7 * day)).toHaveLength(2)
  expect(burnProblems(scaledWindows(7 * day), 0.999, 7 * day)).toEqual([])
  const odd = { urgency: 'page', budgetShare: 0.02, longMs: hour, shortMs: hour } as const
  expect(burnProblems([odd], 0.999, 30 * day)[0]).toContain('must be shorter')
})
