import { performance } from 'node:perf_hooks'

/** What becomes of the telemetry of one signal inside the process, in records. */
export interface ExportCounts {
  exported: number
  failed: number
  dropped: number
}

interface ExportResult {
  readonly code: number
  readonly error?: Error
}

interface Exporter<Item> {
  export(items: Item[], done: (result: ExportResult) => void): void
  shutdown(): Promise<void>
}

/**
 * Counts what a batch processor takes, hands on and loses. The SDK drops without a word when its queue is full, so its
 * queue length is followed from outside: what was taken and neither handed to the exporter nor dropped.
 */
export class ExportLedger {
  readonly counts: ExportCounts
  readonly #capacity: number
  #queued = 0
  #lastFailure = Number.NEGATIVE_INFINITY

  /**
   * @param capacity the processor's maxQueueSize, in records
   * @param counts where to add; those of another ledger, if two processors share a signal
   */
  constructor(capacity: number, counts: ExportCounts = { exported: 0, failed: 0, dropped: 0 }) {
    this.#capacity = capacity
    this.counts = counts
  }

  /** To be called before the processor is offered a record. */
  taken(): void {
    if (this.#queued >= this.#capacity) this.counts.dropped++
    else this.#queued++
  }

  /** Wraps an exporter so that handed-over records and results are counted; failures are told on stderr, once in 10 s. */
  watch<E extends Exporter<never>>(exporter: E, what: string): E {
    const send = exporter.export.bind(exporter)
    exporter.export = (items, done) => {
      this.#queued = Math.max(0, this.#queued - items.length)
      send(items, (result) => {
        if (result.code === 0) this.counts.exported += items.length
        else {
          this.counts.failed += items.length
          this.#complain(what, items.length, result.error)
        }
        done(result)
      })
    }
    return exporter
  }

  #complain(what: string, records: number, error: Error | undefined): void {
    if (performance.now() - this.#lastFailure < 10_000) return
    this.#lastFailure = performance.now()
    process.stderr.write(`${records} ${what} could not be exported: ${error?.message ?? 'no reason given'}\n`)
  }
}
