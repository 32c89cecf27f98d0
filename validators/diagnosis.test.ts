import { expect, it } from 'vitest'
import { parseConfig } from './config.ts'
import type { Facts } from './context.ts'
import { edgeAdvice, lineOf, timing } from './diagnosis.ts'

const config = parseConfig(
  {
    services: { shop: { job: 'shop' } },
    scenarios: ['first.ts'],
    freshness: { sentinel: 'sentinel.ts', p95: { metrics: '3s', logs: '3s', traces: '3s' } },
  },
  'muster.config.ts',
)
const facts: Facts = {
  versions: {},
  scrapeMs: 15_000,
  scrapeTimeoutMs: 10_000,
  evaluationMs: 15_000,
  rules: [],
  groupWaitMs: 0,
  groupIntervalMs: 0,
  clockOffsetMs: 0,
}

it('says what does not fit the scrape interval, and what would', () => {
  const advice = timing({ config, facts, scenarios: new Map([['first', 10_000]]) })
  expect(advice).toMatchObject([
    { rank: 2, path: ['scenarios'], write: "duration: '60s'" },
    { rank: 1, path: ['freshness', 'p95', 'metrics'], write: "metrics: '18s'" },
  ])
  expect(timing({ config, facts: { ...facts, scrapeMs: 1000 }, scenarios: new Map([['first', 10_000]]) })).toEqual([])
})

it('says by how much clocks differ once it is more than traces may', () => {
  const at = (clockOffsetMs: number) =>
    timing({ config, facts: { ...facts, scrapeMs: 1000, clockOffsetMs }, scenarios: new Map() })
  expect(at(-250)).toEqual([])
  expect(at(-400)).toMatchObject([{ text: expect.stringContaining('400 ms behind'), write: "skew: '600ms'" }])
})

it('proposes the edge that is nearest to the limit of the p95', () => {
  expect(edgeAdvice(config, 'm', [0.1, 0.4, 1, Number.POSITIVE_INFINITY])).toMatchObject([{ write: "p95: '400ms'" }])
  expect(edgeAdvice(config, 'm', [0.1, 0.5, 1])).toEqual([])
})

it('finds the line on which a setting stands', () => {
  const text = [
    'export default {',
    '  // job: is said below',
    '  services: {',
    "    a: { job: 'a' },",
    "    'b-c': {",
    "      job: 'b',",
    '      requests: {',
    "        metric: 'x' } } } }",
  ].join('\n')
  expect(lineOf(text, ['services', 'a', 'job'])).toBe(4)
  expect(lineOf(text, ['services', 'b-c', 'requests', 'metric'])).toBe(8)
  expect(lineOf(text, ['services', 'b-c', 'logs', 'selector'])).toBe(5)
  expect(lineOf(text, ['freshness'])).toBeUndefined()
})
