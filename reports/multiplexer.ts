import type { Reporter, RunEvent } from '../lib/event.ts'

/**
 * One reporter that passes every event to many, in order. Each is on its own: a slow one delays no other, and one that
 * throws stops no other. It still gets the later events (a full disk may have room again), but only its first error is
 * told.
 * @param onError called at most once for each reporter
 * @param options.closeWithinMs how long each may take for what is left to tell at the end; who takes longer is left behind
 */
export function multiplex(
  reporters: readonly Reporter[],
  onError: (reporter: string, error: unknown) => void,
  { closeWithinMs = 10_000 }: { readonly closeWithinMs?: number } = {},
): Reporter {
  const lanes = reporters.map((reporter) => new Lane(reporter, onError, closeWithinMs))
  let closed: Promise<void> | undefined
  return {
    name: 'multiplexer',
    on: (event) => {
      if (closed === undefined) for (const lane of lanes) lane.send(event)
    },
    close: () => {
      closed ??= Promise.all(lanes.map((lane) => lane.close())).then(() => undefined)
      return closed
    },
  }
}

/** The events of one reporter, one after the other. */
class Lane {
  private readonly reporter: Reporter
  private readonly onError: (reporter: string, error: unknown) => void
  private pending: Promise<void> | undefined
  private readonly closeWithinMs: number
  private reported = false

  constructor(reporter: Reporter, onError: (reporter: string, error: unknown) => void, closeWithinMs: number) {
    this.reporter = reporter
    this.onError = onError
    this.closeWithinMs = closeWithinMs
  }

  send(event: RunEvent): void {
    this.enqueue(() => this.reporter.on(event))
  }

  async close(): Promise<void> {
    this.enqueue(() => this.reporter.close?.())
    if (this.pending === undefined) return
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), this.closeWithinMs)
    })
    const outcome = await Promise.race([this.pending, late])
    clearTimeout(timer)
    if (outcome === 'late') this.report(new Error(`it did not end within ${this.closeWithinMs / 1000} s`))
  }

  /** Runs at once where nothing is under way: what is printed stays in step with what happens. */
  private enqueue(task: () => void | Promise<void>): void {
    if (this.pending === undefined) {
      try {
        const result = task()
        if (result !== undefined) this.follow(result)
      } catch (error) {
        this.report(error)
      }
      return
    }
    this.follow(this.pending.then(task))
  }

  private follow(promise: Promise<void>): void {
    const pending = promise
      .catch((error: unknown) => this.report(error))
      .then(() => {
        if (this.pending === pending) this.pending = undefined
      })
    this.pending = pending
  }

  private report(error: unknown): void {
    if (this.reported) return
    this.reported = true
    try {
      this.onError(this.reporter.name, error)
    } catch {
      // Whoever listens may be as broken as the reporter; the run goes on.
    }
  }
}
