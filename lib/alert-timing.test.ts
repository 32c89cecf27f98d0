import { expect, it } from 'vitest'
import {
  boundWords,
  type Crossing,
  deliveredBound,
  endedBound,
  firingBound,
  inactiveBound,
  pendingBound,
  postedBound,
  type RouteTiming,
  type RuleTiming,
  resolvedBound,
  shareCrossing,
} from './alert-timing.ts'

const toleranceMs = 2000

/** A common production setting: scrape and evaluation 15 s, `for` 1 m, group_wait 30 s, group_interval 5 m. */
const production: RuleTiming = {
  scrape: 15_000,
  evaluation: 15_000,
  for: 60_000,
  keepFiringFor: 0,
  crossing: shareCrossing(60_000, 0.05, 0.5),
}
const productionRoute: RouteTiming = { groupWait: 30_000, groupInterval: 300_000, mayJoin: false }
/** The embedded stack's quick setting. */
const quick: RuleTiming = {
  scrape: 1000,
  evaluation: 1000,
  for: 3000,
  keepFiringFor: 0,
  crossing: shareCrossing(10_000, 0.05, 0.3),
}
const quickRoute: RouteTiming = { groupWait: 1000, groupInterval: 2000, mayJoin: false }

it('bounds the first notification by 90 s and by 120 s plus crossing and tolerance', () => {
  const bound = deliveredBound(production, productionRoute, toleranceMs)
  expect(bound.earliestMs).toBe(90_000)
  // The share passes 5 % of a 60 s window after 6 s of 50 % errors.
  expect(bound.latestMs).toBeCloseTo(120_000 + 6000 + toleranceMs)
})

it('holds the times of a trial on a real stack: delivered after 6.4 s, resolved 8.3 s after the end', () => {
  const fire = deliveredBound(quick, quickRoute, toleranceMs)
  const resolve = resolvedBound(quick, quickRoute, toleranceMs)
  expect(fire.earliestMs).toBe(4000)
  expect(fire.latestMs).toBeCloseTo(1666.7 + 6000 + toleranceMs, 0)
  expect(6400).toBeGreaterThan(fire.earliestMs)
  expect(6400).toBeLessThan(fire.latestMs)
  expect(8300).toBeGreaterThan(resolve.earliestMs)
  expect(8300).toBeLessThan(resolve.latestMs)
})

it('bounds the firing in Prometheus without group_wait', () => {
  const [fires, delivered] = [
    firingBound(production, toleranceMs),
    deliveredBound(production, productionRoute, toleranceMs),
  ]
  expect(delivered.earliestMs - fires.earliestMs).toBe(30_000)
  expect(delivered.latestMs - fires.latestMs).toBe(30_000)
})

it('lets the next flush of a group that may exist take the place of group_wait', () => {
  const joining = deliveredBound(production, { ...productionRoute, mayJoin: true }, toleranceMs)
  expect(joining.earliestMs).toBe(60_000)
  expect(joining.latestMs - firingBound(production, toleranceMs).latestMs).toBe(300_000)
  expect(joining.derivation).toContain('its group may exist')
})

it('counts `for` and keep_firing_for in whole evaluations', () => {
  const late = { ...production, for: 61_000 }
  expect(deliveredBound(late, productionRoute, toleranceMs).earliestMs).toBe(75_000 + 30_000)
  const kept = (keepFiringFor: number) => inactiveBound({ ...production, keepFiringFor }, toleranceMs).latestMs
  expect(kept(1) - kept(0)).toBe(15_000)
  expect(kept(16_000) - kept(0)).toBe(30_000)
})

it('lets a rule without `for` fire at once', () => {
  expect(firingBound({ ...production, for: 0 }, toleranceMs).earliestMs).toBe(0)
})

it('makes a weak fault wait for the window to fill', () => {
  const weak = pendingBound({ ...production, crossing: shareCrossing(60_000, 0.05, 0.06) }, toleranceMs)
  expect(weak.latestMs).toBeCloseTo(50_000 + 30_000 + toleranceMs)
  expect(weak.earliestMs).toBe(0)
})

it('allows a resolved notification the 10 s that Alertmanager may hold it back, however short group_interval is', () => {
  expect(resolvedBound(quick, quickRoute, toleranceMs).latestMs).toBe(10_000 + 1000 + 1000 + 10_000 + toleranceMs)
  expect(resolvedBound(production, productionRoute, toleranceMs).latestMs).toBe(
    60_000 + 15_000 + 15_000 + 300_000 + toleranceMs,
  )
})

it('never bounds a time below zero', () => {
  const crossing: Crossing = { crossesMs: 0, clears: { earliestMs: 0, latestMs: 15_000 }, words: 'stated' }
  expect(inactiveBound({ ...production, crossing }, toleranceMs).earliestMs).toBe(0)
})

it('bounds a posted alert by the times of its route alone', () => {
  const [posted, ended] = [postedBound(quickRoute, toleranceMs), endedBound(quickRoute, toleranceMs)]
  expect(boundWords(posted)).toBe('1 s to 3 s')
  expect(boundWords(ended)).toBe('0 s to 12 s')
})

it('derives the bound in words whose terms add up to it', () => {
  for (const { derivation, latestMs } of [
    deliveredBound(production, productionRoute, toleranceMs),
    resolvedBound(production, productionRoute, toleranceMs),
  ]) {
    const terms = derivation
      .replace(/ \([^)]*earliest\)/, '')
      .replace(/max\(group_interval (\S+ s), 10 s\)/, '$1')
      .matchAll(/([\d.]+) s/g)
    const sum = [...terms].reduce((total, [, seconds]) => total + Number(seconds), 0)
    expect(sum * 1000, derivation).toBeCloseTo(latestMs, 0)
  }
})
