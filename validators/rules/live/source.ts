import type { Prometheus } from '../../backends/prometheus.ts'
import { PrometheusCatalogue } from '../../backends/prometheus-catalogue.ts'
import type { ParsedRule, Recordings } from '../recordings.ts'

/** How far back a series may have ended and still counts as live: it covers jobs that push or run now and then. */
const recentMs = 3_600_000

/** Asks each question once, also while its answer is under way. */
class Once<T> {
  readonly #answers = new Map<string, Promise<T>>()
  of(key: string, ask: () => Promise<T>): Promise<T> {
    const answer = this.#answers.get(key) ?? ask()
    this.#answers.set(key, answer)
    return answer
  }
}

/** A Prometheus that holds the series which rules select. */
export class LiveSource {
  readonly prometheus: Prometheus
  readonly catalogue: PrometheusCatalogue
  readonly signal: AbortSignal
  /** Its clock when the questions began, epoch milliseconds. */
  readonly now: number
  readonly #counts = new Once<number>()
  readonly #ever = new Once<boolean>()
  readonly #lists = new Once<readonly string[]>()

  constructor(prometheus: Prometheus, now: number, signal: AbortSignal) {
    this.prometheus = prometheus
    this.catalogue = new PrometheusCatalogue(prometheus.client)
    this.now = now
    this.signal = signal
  }

  /** How many series a selector matches, or has matched within the last hour. */
  count(selector: string): Promise<number> {
    return this.#counts.of(selector, async () => (await this.value(countQuery(selector))) ?? 0)
  }

  /** The value of a query with one result at most; undefined if it has none. */
  async value(query: string): Promise<number | undefined> {
    return (await this.prometheus.instantAt(query, this.now, this.signal))[0]?.value
  }

  hasEverMatched(selector: string): Promise<boolean> {
    return this.#ever.of(selector, () => this.catalogue.hasEverMatched(selector, this.signal))
  }

  labelNames(selector: string): Promise<readonly string[]> {
    return this.#lists.of(selector, () => this.catalogue.labelNames(selector, this.now - recentMs, this.signal))
  }

  labelValues(label: string, selector: string, limit: number): Promise<readonly string[]> {
    return this.#lists.of(`${label} ${limit} ${selector}`, () =>
      this.catalogue.labelValues(label, selector, this.now - recentMs, limit, this.signal),
    )
  }
}

/** Counts the series of a selector that live, or have lived within the last hour. */
export function countQuery(selector: string): string {
  return `count(last_over_time(${selector}[${recentMs / 1000}s]))`
}

/** What the questions of live series are put about. */
export interface LiveContext {
  readonly rules: readonly ParsedRule[]
  readonly recordings: Recordings
  /** A stable name for each rule. */
  readonly keys: ReadonlyMap<ParsedRule, string>
  readonly source: LiveSource
}
