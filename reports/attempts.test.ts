import { expect, it } from 'vitest'
import { attemptLine, attemptsOf } from './attempts.ts'

const at = Date.UTC(2026, 10, 21, 14, 0, 5)
const tried = (...found: string[]) => found.map((text, n) => ({ at: at + n * 100, found: text }))

it('tells attempts that found the same in one line', () => {
  const tries = tried('2 of 4', '3 of 4', '3 of 4', '3 of 4', 'refused')
  expect(attemptsOf({ attempts: 5, tries }).map(attemptLine)).toEqual([
    '14:00:05.000 2 of 4',
    '14:00:05.100 to 14:00:05.300, 3 times: 3 of 4',
    '14:00:05.400 refused',
  ])
})

it('says how many attempts lie between the first five and the last', () => {
  const tries = tried(...Array<string>(10).fill('3 of 4'))
  expect(attemptsOf({ attempts: 42, tries }).map(attemptLine)).toEqual([
    '14:00:05.000 to 14:00:05.400, 5 times: 3 of 4',
    '… 32 more between',
    '14:00:05.500 to 14:00:05.900, 5 times: 3 of 4',
  ])
})

it('tells nothing where nothing was noted', () => {
  expect(attemptsOf({ attempts: 3 })).toEqual([])
})
