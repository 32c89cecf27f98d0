import { expect, it } from 'vitest'
import { get, journey } from './journey.ts'
import { drivenJourneys, scenario, setupIteration } from './scenario.ts'

const look = journey('look', { list: get('/todos', 200, ['gateway']) }, (visit) => {
  visit.list()
})
const other = journey('other', look.steps, (visit) => {
  visit.list()
})

it('makes parts of the shares and milliseconds of the times', () => {
  const made = scenario('basic', {
    profile: 'basic',
    duration: '1m',
    journeys: [
      { journey: look, share: 3 },
      { journey: other, share: 1 },
    ],
  })
  expect(made).toMatchObject({ durationMs: 60_000, timeoutMs: 10_000, journeys: [{ share: 0.75 }, { share: 0.25 }] })
  const driven = drivenJourneys(made, { firstNumber: 4, rate: 20 })
  expect(driven.map(({ number, load }) => [number, load.peakRate])).toEqual([
    [4, 15],
    [5, 5],
  ])
})

it('names every mistake at once', () => {
  const journeys = [
    { journey: look, share: 0 },
    { journey: look, share: 1 },
  ]
  expect(() => scenario('a b', { profile: 'basic', rate: -1, duration: 'soon', journeys })).toThrow(
    /duration "soon".*letters, digits.*rate must be above 0.*share above 0.*there twice/,
  )
})

it('keeps the number of set-up free', () => {
  const made = scenario('basic', { profile: 'basic', journeys: [{ journey: look, share: 1 }] })
  expect(drivenJourneys(made, { firstNumber: 254 })).toHaveLength(1)
  expect(() => drivenJourneys(made, { firstNumber: 255 })).toThrow(/255 journeys/)
})

it('numbers set-up requests without overlap', () => {
  const numbers = [0, 254].flatMap((n) =>
    [0, 1, 2 ** 23 - 1].flatMap((c) => [setupIteration(n, 'setup', c), setupIteration(n, 'teardown', c)]),
  )
  expect(new Set(numbers).size).toBe(12)
  expect(numbers.every((n) => Number.isInteger(n) && n >= 0 && n < 2 ** 32)).toBe(true)
})
