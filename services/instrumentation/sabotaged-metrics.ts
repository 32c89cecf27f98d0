import type { Faults, Lease } from './faults.ts'
import { foreignId } from './sabotaged-logs.ts'

/** How an event is counted: honestly `count` 1, `unit` 1 and its own trace. */
export interface Counting {
  /** By how much the counter grows. */
  readonly count: number
  /** What a second is written as in the histogram. */
  readonly unit: number
  /** The exemplar's trace. */
  readonly traceId: string
}

type RequestLabels = Readonly<Record<'method' | 'route' | 'status', string>>

/** Until a buffer of counts is flushed, in ms, unless the lease says otherwise. */
const usualFlush = 2000

/** What the sabotages make of counters, histograms and their exposition. */
export class SabotagedMetrics {
  readonly #faults: Faults
  readonly #seen = new Set<string>()
  #seenUnder: Lease | undefined
  #buffer: (() => void)[] = []
  #stopping = false

  constructor(faults: Faults) {
    this.#faults = faults
  }

  /** @param series what names the counter's series */
  counting(series: string, traceId: string): Counting {
    const faults = this.#faults
    const lost = faults.strikesEveryNth('skip-counter') || this.#isFirst(series)
    return {
      count: lost ? 0 : faults.strikesEveryNth('double-counter') ? 2 : 1,
      unit: faults.isOn('histogram-in-ms') ? 1000 : 1,
      traceId: faults.strikesEveryNth('bad-exemplar') ? foreignId(traceId) : traceId,
    }
  }

  /** The labels of a request as its series will have them. */
  labels(labels: RequestLabels): Partial<RequestLabels> {
    const { method, ...others } = labels
    const told = this.#faults.isOn('label-missing') ? others : labels
    return this.#faults.strikesEveryNth('status-wrong') ? { ...told, status: '200' } : told
  }

  /** Counts now, or with the next flush of a buffer that nobody flushes at the end of the process. */
  apply(count: () => void): void {
    const late = this.#faults.get('lost-at-shutdown')
    if (!late) {
      count()
      return
    }
    this.#buffer.push(count)
    if (this.#buffer.length === 1) setTimeout(() => this.#flush(), late.ms || usualFlush).unref()
  }

  /** The process is told to end: what is buffered now, or from now on, never arrives. */
  stop(): void {
    this.#stopping = true
  }

  /** The exposition as it will be scraped. */
  exposition(text: string): string {
    let told = text
    if (this.#faults.isOn('missing-bucket')) told = told.replaceAll(/^\w+_bucket\{.*\ble="0\.5".*\n/gm, '')
    // A series whose first increment can be lost unseen is one that was not there at zero before.
    if (this.#faults.isOn('first-increment-lost')) {
      told = told.replaceAll(/^(?:http_requests|webhook_deliveries)_total\{.*\} 0(?: # .*)?\n/gm, '')
    }
    return told
  }

  /** Whether this is the series' first event since the lease began, which is to be lost. */
  #isFirst(series: string): boolean {
    const lease = this.#faults.get('first-increment-lost')
    if (lease !== this.#seenUnder) this.#seen.clear()
    this.#seenUnder = lease
    if (!lease || this.#seen.has(series)) return false
    this.#seen.add(series)
    return true
  }

  #flush(): void {
    if (this.#stopping) return
    const counts = this.#buffer
    this.#buffer = []
    for (const count of counts) count()
  }
}
