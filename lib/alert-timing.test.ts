import { expect, it } from 'vitest'
import { type AlertTiming, firingBound, pendingBound, resolvingBound } from './alert-timing.ts'

/** What scraping, evaluating, delivering and looking take themselves. */
const slackMs = 2000

/** A common production setting: scrape and evaluation 15 s, `for` 1 m, group_wait 30 s, group_interval 5 m. */
const production: AlertTiming = {
  scrape: 15_000,
  evaluation: 15_000,
  for: 60_000,
  keepFiringFor: 0,
  groupWait: 30_000,
  groupInterval: 300_000,
  rateWindow: 60_000,
  threshold: 0.05,
  injected: 0.5,
}
/** The embedded stack's quick setting. */
const quick: AlertTiming = {
  scrape: 1000,
  evaluation: 1000,
  for: 3000,
  keepFiringFor: 0,
  groupWait: 1000,
  groupInterval: 2000,
  rateWindow: 10_000,
  threshold: 0.05,
  injected: 0.3,
}

it('bounds the first notification by 90 s and by 120 s plus crossing and slack', () => {
  const bound = firingBound(production)
  expect(bound.earliestMs).toBe(90_000)
  // The share passes 5 % of a 60 s window after 6 s of 50 % errors.
  expect(bound.latestMs).toBeCloseTo(120_000 + 6000 + slackMs)
})

it('holds the times of a trial on a real stack: delivered after 6.4 s, resolved 8.3 s after the end', () => {
  const [fire, resolve] = [firingBound(quick), resolvingBound(quick)]
  expect(fire.earliestMs).toBe(4000)
  expect(fire.latestMs).toBeCloseTo(1666.7 + 6000 + slackMs, 0)
  expect(6400).toBeGreaterThan(fire.earliestMs)
  expect(6400).toBeLessThan(fire.latestMs)
  expect(8300).toBeGreaterThan(resolve.earliestMs)
  expect(8300).toBeLessThan(resolve.latestMs)
})

it('counts `for` and keep_firing_for in whole evaluations', () => {
  expect(firingBound({ ...production, for: 61_000 }).earliestMs).toBe(75_000 + 30_000)
  const kept = (keepFiringFor: number) => resolvingBound({ ...production, keepFiringFor }).latestMs
  expect(kept(1) - kept(0)).toBe(15_000)
  expect(kept(16_000) - kept(0)).toBe(30_000)
})

it('lets a rule without `for` fire at once', () => {
  expect(firingBound({ ...production, for: 0 }).earliestMs).toBe(30_000)
})

it('makes a weak fault wait for the window to fill', () => {
  const weak = pendingBound({ ...production, injected: 0.06 })
  expect(weak.latestMs).toBeCloseTo(50_000 + 30_000 + slackMs)
  expect(weak.earliestMs).toBe(0)
})

it('allows a resolved notification the 10 s that Alertmanager may hold it back, however short group_interval is', () => {
  expect(resolvingBound(quick).latestMs).toBe(10_000 + 1000 + 1000 + 10_000 + slackMs)
  expect(resolvingBound(production).latestMs).toBe(60_000 + 15_000 + 15_000 + 300_000 + slackMs)
})

it('never bounds a time below zero', () => {
  expect(resolvingBound({ ...production, rateWindow: 15_000 }).earliestMs).toBe(0)
})

it('derives the bound in words whose terms add up to it', () => {
  const { derivation, latestMs } = firingBound(production)
  const [, ...terms] = derivation.replace('(0 at the earliest)', '').split(/(?<= )(?=\d)/)
  const seconds = [...derivation.matchAll(/([\d.]+) s/g)].map(([, number]) => Number(number))
  expect(terms.length).toBe(6)
  expect(seconds.reduce((sum, one) => sum + one, 0) * 1000).toBeCloseTo(latestMs, 0)
})
