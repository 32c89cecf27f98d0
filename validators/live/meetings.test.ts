import { expect, it } from 'vitest'
import { offsetWithin } from '../clock.ts'
import type { Scrape } from './counted.ts'
import { edgesOf, placeOf } from './edges.ts'
import { Meetings } from './meetings.ts'

const scrape = (at: number): Scrape => ({ at, by: at + 10 })
const instance = (first: number, last: number, deaths: { after: number; by: number }[] = []) => ({
  name: 'one',
  first: scrape(first),
  last: scrape(last),
  counted: 0,
  inFlight: undefined,
  deaths,
})
const exact = { ms: 0, unsureMs: 0 }
const edges = edgesOf([instance(1000, 9000)], exact)
const id = (n: number) => n.toString(16).padStart(32, '0')

it('an edge reaches 50 ms before a scrape and 50 ms beyond its end', () => {
  const places = [949, 950, 1060, 1061, 8949, 8950, 9060, 9061].map((at) => placeOf(at, edges))
  expect(places).toEqual(['outside', 'edge', 'edge', 'inside', 'inside', 'edge', 'edge', 'outside'])
})

it('of several instances an edge reaches from the first to the last scrape; clocks move and widen it', () => {
  const two = edgesOf([instance(1000, 9000), instance(1600, 8500)], { ms: 100, unsureMs: 5 })
  expect(two).toMatchObject({ begins: { from: 845, by: 1565 }, ends: { from: 8345, by: 8965 }, slackMs: 55 })
})

it('a clock that may be ours is taken for ours; the bounds of all answers hold', () => {
  expect(
    offsetWithin([
      [-3, 500],
      [-400, 2],
    ]),
  ).toEqual({ ms: 0, unsureMs: 3 })
  expect(
    offsetWithin([
      [240, 260],
      [245, 300],
    ]),
  ).toEqual({ ms: 245, unsureMs: 15 })
  expect(offsetWithin([[-300, -250]])).toEqual({ ms: -250, unsureMs: 50 })
})

it('what meets inside or at the edge is whole; what does not is named', () => {
  const meetings = new Meetings()
  const note = (kind: 'lines' | 'spans', n: number, at: number, spanId = 'a') =>
    meetings.note(kind, { traceId: id(n), spanId, at })
  note('lines', 1, 5000)
  note('spans', 1, 5001)
  // A line at the edge whose span lies inside, and the other way round.
  note('lines', 2, 1059)
  note('spans', 2, 1062)
  note('lines', 3, 8949)
  note('spans', 3, 8951)
  // Lost: a span, a line, one of two spans of a trace that came twice. At an edge or outside nothing can be said.
  note('lines', 4, 5000)
  note('spans', 5, 5000)
  for (const spanId of ['a', 'b']) note('lines', 6, 5000, spanId)
  note('spans', 6, 5000)
  note('lines', 7, 1000)
  note('lines', 8, 500)
  const met = meetings.met(edges, true)
  expect(met.untraced.texts).toEqual([id(4), id(6)])
  expect(met.unlogged.texts).toEqual([id(5)])
  expect(met.logged).toEqual({ inside: 5, edge: 2, gap: 0 })
  expect(met.traced).toEqual({ inside: 4, edge: 1, gap: 0 })
})

it('what was written twice is counted once, and named; a source that hides doubled spans is not asked', () => {
  const meetings = new Meetings()
  for (const at of [5005, 5000]) meetings.note('lines', { traceId: id(1), spanId: 'a', at })
  for (const at of [5000, 5000]) meetings.note('spans', { traceId: id(1), spanId: 'a', at })
  meetings.note('lines', { traceId: undefined, spanId: undefined, at: 5000 })
  const met = meetings.met(edges, true)
  expect(met.logged.inside).toBe(2)
  expect(met.traced.inside).toBe(1)
  expect(met.doubledLines.texts).toEqual([id(1)])
  expect(met.doubledSpans.texts).toEqual([id(1)])
  expect(meetings.met(edges, false).doubledSpans.count).toBe(0)
})

it('lines in the time of a restart are told', () => {
  const meetings = new Meetings()
  for (const at of [3000, 4100, 4600]) meetings.note('lines', { traceId: id(at), spanId: 'a', at })
  const restarted = edgesOf([instance(1000, 9000, [{ after: 4000, by: 4500 }])], exact)
  expect(meetings.met(restarted, true).logged).toEqual({ inside: 3, edge: 0, gap: 1 })
})
