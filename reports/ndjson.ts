import { appendFileSync, writeFileSync } from 'node:fs'
import type { Reporter, RunEvent } from '../lib/event.ts'
import { eventVersion } from './event-schema.ts'
import type { OutputStream } from './live-line.ts'

/**
 * For machines: every event as a line of JSON when it happens; `eventSchema` reads it back.
 * @param target a file, which is emptied first, or a stream
 */
export function ndjsonReporter(target: string | OutputStream): Reporter {
  const write = typeof target === 'string' ? fileWriter(target) : streamWriter(target)
  return { name: 'ndjson', on: (event) => write(lineOf(event)) }
}

function lineOf(event: RunEvent): string {
  return `${JSON.stringify({ v: eventVersion, ...event })}\n`
}

/** Synchronous: what was told before a signal or a crash is there. */
function fileWriter(path: string): (line: string) => void {
  let begun = false
  return (line) => {
    // At the first event, so that what goes wrong is an error of this reporter alone.
    if (!begun) writeFileSync(path, '')
    begun = true
    appendFileSync(path, line)
  }
}

function streamWriter(stream: OutputStream): (line: string) => void {
  // Whoever reads may leave early (`| head`); the run and its other reports go on.
  stream.on?.('error', () => undefined)
  return (line) => void stream.write(line)
}
