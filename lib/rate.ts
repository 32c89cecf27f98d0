import type { Sample } from './counter.ts'

/** What `rate` and `increase` need to know of a counter's samples in a window; times in milliseconds. */
export interface Growth {
  readonly count: number
  readonly firstAt: number
  readonly firstValue: number
  readonly lastAt: number
  /** From the first sample to the last; a fall is a reset, from which it counts from zero. */
  readonly grown: number
}

/** Takes the next sample in; begin with undefined. */
export function grow(so: Growth | undefined, { at, value }: Sample, previous: number): Growth {
  if (!so) return { count: 1, firstAt: at, firstValue: value, lastAt: at, grown: 0 }
  const by = value < previous ? value : value - previous
  return { ...so, count: so.count + 1, lastAt: at, grown: so.grown + by }
}

/** Prometheus' increase() over (from, to], of which rate() is a second's part; undefined without two samples. */
export function increase({ count, firstAt, firstValue, lastAt, grown }: Growth, from: number, to: number) {
  if (count < 2) return undefined
  const sampled = lastAt - firstAt
  return extrapolated(grown, firstValue, sampled, sampled / (count - 1), firstAt - from, to - lastAt)
}

/**
 * A counter's growth, extrapolated to the window's edges where a sample would be expected there, by half an interval where
 * none would, and not to below zero. Numbers alone, since evaluators call it by the million.
 * Source: extrapolatedRate in promql/functions.go of Prometheus 3, for floats without start timestamps.
 * @param between the mean interval between samples, in milliseconds as all other times
 * @param before from the window's beginning to the first sample; `after`: from the last to its end
 */
export function extrapolated(
  grown: number,
  firstValue: number,
  sampled: number,
  between: number,
  before: number,
  after: number,
): number {
  let toStart = before >= between * 1.1 ? between / 2 : before
  if (grown > 0 && firstValue >= 0) toStart = Math.min(toStart, sampled * (firstValue / grown))
  const toEnd = after >= between * 1.1 ? between / 2 : after
  return (grown * (sampled + toStart + toEnd)) / sampled
}
