import { truncate } from './text.ts'

/** The part of a stream that output needs; `process.stdout` fits. */
export interface OutputStream {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
  on?(event: 'error', listener: (error: Error) => void): unknown
}

/** Lines that stay, and below them progress. */
export interface Output {
  /** Lines that stay. */
  print(lines: readonly string[]): void
  /** What goes on now, in one line. */
  progress(line: () => string): void
  /** Takes progress away. */
  stop(): void
}

/** On a terminal: the last line, redrawn in place each second and at every change. */
export function liveOutput(stream: OutputStream, columns: () => number): Output {
  let current: (() => string) | undefined
  let timer: NodeJS.Timeout | undefined
  const erase = '\r\x1b[2K'
  // One column is left free: a full last column makes some terminals wrap, and the line could not be erased.
  const draw = () => {
    if (current !== undefined) stream.write(erase + truncate(current(), columns() - 1))
  }
  return {
    print(lines) {
      if (current !== undefined) stream.write(erase)
      if (lines.length > 0) stream.write(`${lines.join('\n')}\n`)
      draw()
    },
    progress(line) {
      current = line
      timer ??= setInterval(draw, 1000).unref()
      draw()
    },
    stop() {
      clearInterval(timer)
      timer = undefined
      if (current !== undefined) stream.write(erase)
      current = undefined
    },
  }
}

/** In a log: a plain line for progress, never more often than the interval; the last state is never lost. */
export function plainOutput(stream: OutputStream, intervalMs: number): Output {
  let current: (() => string) | undefined
  let timer: NodeJS.Timeout | undefined
  let shownAt = Number.NEGATIVE_INFINITY
  const show = () => {
    timer = undefined
    shownAt = performance.now()
    if (current !== undefined) stream.write(`${current()}\n`)
  }
  return {
    print(lines) {
      if (lines.length > 0) stream.write(`${lines.join('\n')}\n`)
    },
    progress(line) {
      current = line
      if (timer !== undefined) return
      const wait = shownAt + intervalMs - performance.now()
      if (wait <= 0) show()
      else timer = setTimeout(show, wait).unref()
    },
    stop() {
      clearTimeout(timer)
      timer = undefined
      current = undefined
    },
  }
}

/** For --quiet: lines that stay, no progress. */
export function silentOutput(stream: OutputStream): Output {
  return {
    print: (lines) => {
      if (lines.length > 0) stream.write(`${lines.join('\n')}\n`)
    },
    progress: () => undefined,
    stop: () => undefined,
  }
}
