import { describe, expect, it } from 'vitest'
import { deathsOf, growth, growthOverLives, type Sample } from './counter.ts'

/** Samples one second apart, the first at 1000 ms. */
const samples = (...values: number[]): Sample[] => values.map((value, index) => ({ at: 1000 * (index + 1), value }))

it('grows by the last sample minus the last one before the window', () => {
  expect(growth(samples(10, 12, 15, 22), 2500, true)).toMatchObject({ known: true, growth: 10, until: 4000 })
})

it('takes a sample exactly at the edge as one before the window', () => {
  expect(growth(samples(10, 12, 15), 2000, true)).toMatchObject({ known: true, growth: 3 })
})

it('needs no proof of absence when there is a sample before the window', () => {
  expect(growth(samples(10, 12), 1000, false)).toMatchObject({ known: true, growth: 2 })
})

it('counts from zero if the series was proven absent before', () => {
  expect(growth(samples(7, 9), 500, true)).toMatchObject({ known: true, growth: 9, until: 2000 })
})

it('does not guess when the target was not scraped before the window', () => {
  expect(growth(samples(7, 9), 500, false)).toEqual({
    known: false,
    why: 'no sample before the load, and its target was not scraped then',
  })
})

it('does not guess after a reset, even if the counter ends above its beginning', () => {
  expect(growth(samples(10, 3, 40), 1000, true)).toEqual({ known: false, why: 'the counter fell once' })
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

describe('over several lives of a process', () => {
  const died = { after: 2000, by: 3000 }

  it('counts each life from zero, even if the value rose above where it was', () => {
    // Measured: 100 counted, 50 unscraped, killed, 300 counted by the next.
    expect(growthOverLives(samples(100, 100, 300, 300), 1000, true, [died])).toEqual({
      known: true,
      growth: 300,
      until: 4000,
      deaths: [died],
    })
  })

  it('adds what the first life counted in the window', () => {
    expect(growthOverLives(samples(10, 14, 5, 7), 1000, true, [died])).toMatchObject({ growth: 4 + 7, deaths: [died] })
  })

  it('takes a fall for a death of its own', () => {
    expect(growthOverLives(samples(10, 14, 5, 7), 1000, true, [])).toMatchObject({
      growth: 11,
      deaths: [{ after: 2000, by: 3000 }],
    })
  })

  it('counts a series that the next life alone has from zero', () => {
    expect(growthOverLives([{ at: 4000, value: 6 }], 1000, true, [died])).toMatchObject({ growth: 6, deaths: [died] })
  })

  it('adds up three lives', () => {
    const deaths = [died, { after: 4000, by: 5000 }]
    expect(growthOverLives(samples(1, 5, 8, 9, 9, 12), 1000, true, deaths)).toMatchObject({
      growth: 4 + 9 + 12,
      deaths,
    })
  })

  it('does not mind a death before the window', () => {
    expect(growthOverLives(samples(100, 3, 5), 2000, true, [{ after: 1000, by: 2000 }])).toEqual({
      known: true,
      growth: 2,
      until: 3000,
      deaths: [],
    })
  })
})

describe('deaths', () => {
  it('are told by a changed start time', () => {
    expect(deathsOf(samples(100, 100, 100))).toEqual([])
    const starts = [
      { at: 101_000, value: 50 },
      { at: 102_000, value: 50 },
      { at: 103_000, value: 102 },
    ]
    expect(deathsOf(starts)).toEqual([{ after: 102_000, by: 103_000 }])
  })

  it('lie before the start of the next process, however long it was not scraped', () => {
    const starts = [
      { at: 100_000, value: 50 },
      { at: 130_000, value: 105 },
    ]
    expect(deathsOf(starts)).toEqual([{ after: 100_000, by: 107_000 }])
  })
})
