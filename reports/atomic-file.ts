import { renameSync, rmSync, writeFileSync } from 'node:fs'

/** Replaces a file in one step: a reader sees the old or the new text, never a part. */
function writeAtomically(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.tmp`
  try {
    writeFileSync(temporary, text)
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

/**
 * A file that is rewritten as a whole, again and again, but not more often than every so many milliseconds. Writing is
 * synchronous: what was written before a signal or a crash is there, whatever happens to the event loop.
 */
export class RewrittenFile {
  private readonly path: string
  private readonly render: () => string
  private readonly intervalMs: number
  private writtenAt = Number.NEGATIVE_INFINITY
  private timer: NodeJS.Timeout | undefined
  private failure: { readonly error: unknown } | undefined

  constructor(path: string, render: () => string, intervalMs: number) {
    this.path = path
    this.render = render
    this.intervalMs = intervalMs
  }

  /** Writes soon. Throws what an earlier delayed write met with, since nobody else would hear of it. */
  touch(): void {
    this.rethrow()
    if (this.timer !== undefined) return
    const wait = this.writtenAt + this.intervalMs - performance.now()
    if (wait <= 0) this.flush()
    else this.timer = setTimeout(() => this.writeLate(), wait).unref()
  }

  /** Writes now. */
  flush(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    this.writtenAt = performance.now()
    writeAtomically(this.path, this.render())
  }

  private writeLate(): void {
    try {
      this.flush()
    } catch (error) {
      this.failure = { error }
    }
  }

  private rethrow(): void {
    const { failure } = this
    this.failure = undefined
    if (failure !== undefined) throw failure.error
  }
}
