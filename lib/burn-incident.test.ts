import { expect, test } from 'vitest'
import { generateIncidents, stepsOf, worstRatio } from './burn-incident.ts'
import { standardWindows } from './burn-rate.ts'

test('the worst ratio of a window is exact, whether the incident fits into it or not', () => {
  const incident = [
    { steps: 100, badRatio: 0 },
    { steps: 10, badRatio: 0.5 },
    { steps: 100, badRatio: 0 },
  ]
  expect(worstRatio(incident, 5)).toBeCloseTo(0.5, 12)
  expect(worstRatio(incident, 50)).toBeCloseTo(0.1, 12)
})

test('two bursts count together in a window that holds both', () => {
  const burst = { steps: 2, badRatio: 1 }
  const incident = [{ steps: 50, badRatio: 0 }, burst, { steps: 6, badRatio: 0 }, burst, { steps: 50, badRatio: 0 }]
  expect(worstRatio(incident, 10)).toBeCloseTo(0.4, 12)
  expect(worstRatio(incident, 9)).toBeCloseTo(3 / 9, 12)
})

test('the same seed makes the same incidents, of many kinds, after a clean longest window', () => {
  const options = { windows: standardWindows, thresholds: [0.0144, 0.006, 0.003, 0.001], stepMs: 60_000 }
  const incidents = generateIncidents(50, 3, options)
  expect(generateIncidents(50, 3, options)).toEqual(incidents)
  expect(generateIncidents(50, 4, options)).not.toEqual(incidents)
  expect(new Set(incidents.map(({ length }) => length)).size).toBeGreaterThan(4)
  for (const incident of incidents) {
    expect(incident[0]).toEqual({ steps: 4320, badRatio: 0 })
    expect(stepsOf(incident)).toBeGreaterThan(4320)
    expect(incident.every(({ badRatio }) => badRatio >= 0 && badRatio <= 1)).toBe(true)
  }
})
