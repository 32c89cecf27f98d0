import type { BurnWindow } from './burn-rate.ts'
import { extrapolated } from './rate.ts'

/** What arrived between two scrapes. */
export interface Arrivals {
  readonly good: number
  readonly bad: number
}

/** A burn alert as its rule has it. */
export interface BurnAlert extends Pick<BurnWindow, 'longMs' | 'shortMs'> {
  /** Both windows' bad ratio must be above it. */
  readonly threshold: number
}

/**
 * Evaluates burn-rate alerts over two counters, good and bad, that are scraped at 0, S, 2S, … and evaluated at the same moments,
 * as Prometheus evaluates `sum(rate(bad[w])) / sum(rate(all[w])) > threshold`. Incremental: an evaluation costs the same
 * however long the windows are. As in Prometheus windows are open on the left, and `rate` extrapolates (lib/rate.ts).
 */
export class BurnEvaluator {
  readonly #stepMs: number
  readonly #alerts: readonly BurnAlert[]
  readonly #startsAt: number
  readonly #good: number[] = []
  readonly #bad: number[] = []

  /**
   * @param stepMs the scrape and evaluation interval
   * @param startsAt what both counters stand at before the first scrape
   */
  constructor(alerts: readonly BurnAlert[], stepMs: number, startsAt = 0) {
    this.#alerts = alerts
    this.#startsAt = startsAt
    this.#stepMs = stepMs
  }

  /** Takes the next scrape in, and tells of each alert whether it fires at its evaluation. */
  observe({ good, bad }: Arrivals): boolean[] {
    this.#good.push((this.#good.at(-1) ?? this.#startsAt) + good)
    this.#bad.push((this.#bad.at(-1) ?? this.#startsAt) + bad)
    return this.#alerts.map(
      ({ longMs, shortMs, threshold }) => this.#above(longMs, threshold) && this.#above(shortMs, threshold),
    )
  }

  /** The bad ratio over a window that ends now; undefined without two scrapes or without traffic in it. */
  ratio(windowMs: number): number | undefined {
    const bad = this.#increase(this.#bad, windowMs)
    const good = this.#increase(this.#good, windowMs)
    if (bad === undefined || good === undefined || bad + good === 0) return undefined
    return bad / (bad + good)
  }

  #above(windowMs: number, threshold: number): boolean {
    const ratio = this.ratio(windowMs)
    return ratio !== undefined && ratio > threshold
  }

  /** Prometheus' increase() of a counter over (now - window, now]. */
  #increase(counter: readonly number[], windowMs: number): number | undefined {
    const last = counter.length - 1
    const reach = Math.ceil(windowMs / this.#stepMs) - 1
    const first = Math.max(0, last - reach)
    const begin = counter[first]
    const end = counter[last]
    if (begin === undefined || end === undefined || first === last) return undefined
    const sampled = (last - first) * this.#stepMs
    return extrapolated(end - begin, begin, sampled, this.#stepMs, windowMs - sampled, 0)
  }
}
