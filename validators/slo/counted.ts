import { type Growth, grow, increase } from '../../lib/rate.ts'
import type { Prometheus, Series } from '../backends/prometheus.ts'
import { type CounterSelector, selectorText } from './selector.ts'
import type { Slo } from './slo.ts'

/** Events and bad ones over a window: as they were counted, and as rate() makes of it; at least and at most. */
export interface Counted {
  readonly events: Estimate
  readonly errors: Estimate
  readonly series: number
  readonly samples: number
  /** From the first sample in the window, epoch milliseconds; undefined without samples. */
  readonly since: number | undefined
}

export interface Estimate {
  /** The counters' own growth between their samples. */
  readonly counted: number
  /** What increase() must say, by the same samples; the last scrape may not have been stored yet when it was evaluated. */
  readonly least: number
  readonly most: number
}

/** Samples that are asked for at a time, and that one window may have: more are Prometheus' own affair. */
const samplesAtOnce = 300_000
export const mostSamples = 3_000_000

/** What is counted: windows that end at `at`, by Prometheus' clock, in milliseconds. */
export interface Counting {
  readonly at: number
  readonly windowsMs: readonly number[]
  readonly scrape: { readonly intervalMs: number; readonly timeoutMs: number }
}

/**
 * Counts an SLO's events over windows (at - window, at] by the raw samples of its counters, which are read once for all.
 * @returns by window; those with more samples than `mostSamples` are missing
 */
export async function countEvents(
  prometheus: Prometheus,
  { sli }: Slo,
  counting: Counting,
  signal: AbortSignal,
): Promise<ReadonlyMap<number, Counted>> {
  const part = sli.kind === 'bad' ? sli.bad : sli.good
  const total = await readCounters(prometheus, sli.total, counting, signal)
  const some = await readCounters(prometheus, part, counting, signal)
  const { at, windowsMs } = counting
  return new Map(
    windowsMs.flatMap((windowMs): [number, Counted][] => {
      const [all, parts] = [total.get(windowMs), some.get(windowMs)]
      if (!all || !parts) return []
      const events = sumOf(all, at - windowMs, at)
      const parted = sumOf(parts, at - windowMs, at)
      const counted: Counted = {
        events,
        errors: sli.kind === 'bad' ? parted : difference(events, parted),
        series: all.length + parts.length,
        samples: [...all, ...parts].reduce((sum, { late }) => sum + (late?.count ?? 0), 0),
        since: all.reduce<number | undefined>(
          (first, { late }) => (late ? Math.min(first ?? late.firstAt, late.firstAt) : first),
          undefined,
        ),
      }
      return [[windowMs, counted]]
    }),
  )
}

/** One counter's growth to the last scrape that was surely stored, and to the very last. */
interface Counter {
  sure: Growth | undefined
  late: Growth | undefined
  last: number
}

/** The counters in each window; of a window with too many samples nothing. */
async function readCounters(
  prometheus: Prometheus,
  of: CounterSelector,
  { at, windowsMs, scrape }: Counting,
  signal: AbortSignal,
): Promise<ReadonlyMap<number, readonly Counter[]>> {
  const selector = selectorText(of)
  // The longest first: what it holds the others hold, too.
  for (const [place, longest] of windowsMs.toSorted((a, b) => b - a).entries()) {
    const range = `${selector}[${Math.ceil(longest)}ms]`
    const [counted] = await prometheus.instantAt(`sum(count_over_time(${range}))`, at, signal)
    const samples = counted?.value ?? 0
    if (samples > mostSamples) continue
    const windows = new Map(
      windowsMs
        .toSorted((a, b) => b - a)
        .slice(place)
        .map((windowMs) => [windowMs, new Map<string, Counter>()]),
    )
    const slices = Math.max(1, Math.ceil(samples / samplesAtOnce))
    for (let slice = 0; slice < slices && samples > 0; slice += 1) {
      const [from, to] = [slice, slice + 1].map((n) => at - longest + (longest * n) / slices)
      for (const series of await prometheus.raw(selector, from ?? at, to ?? at, signal)) {
        for (const [windowMs, counters] of windows) take(counters, series, at - windowMs, at - scrape.timeoutMs)
      }
    }
    return new Map([...windows].map(([windowMs, counters]) => [windowMs, [...counters.values()]]))
  }
  return new Map()
}

/** @param after of older samples nothing is taken */
function take(counters: Map<string, Counter>, { labels, samples }: Series, after: number, sureUntil: number): void {
  const key = JSON.stringify(Object.entries(labels).sort())
  for (const sample of samples) {
    if (sample.at <= after) continue
    let counter = counters.get(key)
    if (!counter) {
      counter = { sure: undefined, late: undefined, last: 0 }
      counters.set(key, counter)
    }
    counter.late = grow(counter.late, sample, counter.last)
    if (sample.at <= sureUntil) counter.sure = counter.late
    counter.last = sample.value
  }
}

function sumOf(counters: readonly Counter[], from: number, to: number): Estimate {
  let [counted, least, most] = [0, 0, 0]
  for (const { sure, late } of counters) {
    const both = [sure, late].map((growth) => (growth ? (increase(growth, from, to) ?? 0) : 0))
    counted += late?.grown ?? 0
    least += Math.min(...both)
    most += Math.max(...both)
  }
  return { counted, least, most }
}

function difference(all: Estimate, part: Estimate): Estimate {
  return {
    counted: all.counted - part.counted,
    least: all.least - part.most,
    most: all.most - part.least,
  }
}
