const beatMs = 100
/** A process that is kept waiting for so long cannot tell who is late. */
const stallMs = 1000

/** Notices when this process, and so its sinks, did not get to run. */
export class Pulse {
  readonly #timer: NodeJS.Timeout
  #last = performance.now()
  /** When it was noticed, by the monotonic clock. */
  #stalledAt = Number.NEGATIVE_INFINITY

  constructor() {
    this.#timer = setInterval(() => this.#beat(), beatMs)
    this.#timer.unref()
  }

  /** True if a stall was noticed since. @param since of performance.now() */
  stalledSince(since: number): boolean {
    this.#beat()
    return this.#stalledAt >= since
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #beat(): void {
    const now = performance.now()
    if (now - this.#last > beatMs + stallMs) this.#stalledAt = now
    this.#last = now
  }
}
