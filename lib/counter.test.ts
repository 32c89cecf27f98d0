import { expect, it } from 'vitest'
import { growth, type Sample } from './counter.ts'

/** Samples one second apart, the first at 1000 ms. */
const samples = (...values: number[]): Sample[] => values.map((value, index) => ({ at: 1000 * (index + 1), value }))

it('grows by the last sample minus the last one before the window', () => {
  expect(growth(samples(10, 12, 15, 22), 2500, true)).toEqual({ known: true, growth: 10, until: 4000 })
})

it('takes a sample exactly at the edge as one before the window', () => {
  expect(growth(samples(10, 12, 15), 2000, true)).toMatchObject({ known: true, growth: 3 })
})

it('needs no proof of absence when there is a sample before the window', () => {
  expect(growth(samples(10, 12), 1000, false)).toMatchObject({ known: true, growth: 2 })
})

it('counts from zero if the series was proven absent before, and says so', () => {
  expect(growth(samples(7, 9), 500, true)).toEqual({
    known: true,
    growth: 9,
    until: 2000,
    note: 'the series began in the window',
  })
})

it('does not guess when the target was not scraped before the window', () => {
  expect(growth(samples(7, 9), 500, false)).toEqual({
    known: false,
    why: 'no sample before the load, and its target was not scraped then',
  })
})

it('does not guess after a reset, even if the counter ends above its beginning', () => {
  expect(growth(samples(10, 3, 40), 1000, true)).toEqual({ known: false, why: 'the counter fell from 10 to 3' })
})

it('forgives a reset that lies before the window', () => {
  expect(growth(samples(100, 3, 5), 2000, true)).toMatchObject({ known: true, growth: 2 })
})

it('knows nothing of a series without samples', () => {
  expect(growth([], 0, true)).toEqual({ known: false, why: 'no sample' })
})

it('has not grown if nothing was scraped since', () => {
  expect(growth(samples(10, 12), 9000, true)).toMatchObject({ known: true, growth: 0, until: 2000 })
})
