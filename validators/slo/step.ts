import type { BurnWindow } from '../../lib/burn-rate.ts'
import type { Slo } from './slo.ts'

const minuteMs = 60_000

/** Scrapes that a short window should hold: with fewer, one evaluation is a large part of the time to reset. */
const scrapesInShortWindow = 8

/** The scrape and evaluation interval that a proof assumes if it is told none: a minute, or a fifth of the shortest window. */
export function defaultInterval({ windows }: Pick<Slo, 'windows'>): number {
  return Math.min(minuteMs, ...windows.map(({ shortMs }) => Math.floor(shortMs / 5)))
}

/**
 * The interval at which one alert is simulated. Where its windows are long, wider than the real one: the formulas know no
 * interval, and thirty days of minutes take long.
 */
export function stepFor({ shortMs }: BurnWindow, intervalMs: number): number {
  return Math.max(intervalMs, Math.floor(shortMs / scrapesInShortWindow))
}
