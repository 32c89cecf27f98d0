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

/**
 * Counts an SLO's events over (at - window, at] by the raw samples of its counters.
 * @param at the evaluation's time, by Prometheus' clock
 * @param scrape interval and timeout in milliseconds
 * @returns undefined if there are more samples than `mostSamples`
 */
export async function countEvents(
  prometheus: Prometheus,
  { sli }: Slo,
  { at, windowMs, scrape }: { at: number; windowMs: number; scrape: { intervalMs: number; timeoutMs: number } },
  signal: AbortSignal,
): Promise<Counted | undefined> {
  const part = sli.kind === 'bad' ? sli.bad : sli.good
  const read = (of: CounterSelector) => readCounters(prometheus, of, { at, windowMs, scrape }, signal)
  const [total, some] = [await read(sli.total), await read(part)]
  if (!total || !some) return undefined
  const events = sumOf(total, at - windowMs, at)
  const parted = sumOf(some, at - windowMs, at)
  return {
    events,
    errors: sli.kind === 'bad' ? parted : difference(events, parted),
    series: total.length + some.length,
    samples: [...total, ...some].reduce((sum, { late }) => sum + (late?.count ?? 0), 0),
    since: total.reduce<number | undefined>(
      (first, { late }) => (late ? Math.min(first ?? late.firstAt, late.firstAt) : first),
      undefined,
    ),
  }
}

/** One counter's growth to the last scrape that was surely stored, and to the very last. */
interface Counter {
  readonly sure: Growth | undefined
  readonly late: Growth | undefined
}

async function readCounters(
  prometheus: Prometheus,
  of: CounterSelector,
  { at, windowMs, scrape }: { at: number; windowMs: number; scrape: { intervalMs: number; timeoutMs: number } },
  signal: AbortSignal,
): Promise<readonly Counter[] | undefined> {
  const selector = selectorText(of)
  const [present] = await prometheus.instantAt(
    `count(last_over_time(${selector}[${Math.ceil(windowMs)}ms]))`,
    at,
    signal,
  )
  if (!present) return []
  const [counted] = await prometheus.instantAt(
    `sum(count_over_time(${selector}[${Math.ceil(windowMs)}ms]))`,
    at,
    signal,
  )
  const samples = counted?.value ?? 0
  if (samples > mostSamples) return undefined
  const slices = Math.max(1, Math.ceil(samples / samplesAtOnce))
  const counters = new Map<string, { sure: Growth | undefined; late: Growth | undefined; last: number }>()
  for (let slice = 0; slice < slices; slice += 1) {
    const from = at - windowMs + (windowMs * slice) / slices
    for (const one of await prometheus.raw(selector, from, at - windowMs + (windowMs * (slice + 1)) / slices, signal)) {
      take(counters, one, at - scrape.timeoutMs)
    }
  }
  return [...counters.values()]
}

function take(
  counters: Map<string, { sure: Growth | undefined; late: Growth | undefined; last: number }>,
  { labels, samples }: Series,
  sureUntil: number,
): void {
  const key = JSON.stringify(Object.entries(labels).sort())
  const counter = counters.get(key) ?? { sure: undefined, late: undefined, last: 0 }
  counters.set(key, counter)
  for (const sample of samples) {
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
