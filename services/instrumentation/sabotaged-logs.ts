import type { Faults } from './faults.ts'
import type { Line } from './logs.ts'

/** One writing of a line: `at` is its timestamp in epoch ms, `afterMs` the wait until it is written. */
export interface Writing {
  readonly line: Line
  readonly at: number
  readonly afterMs: number
}

/** How much later a doubled line says that it was written: Loki merges lines of one timestamp. */
const doubledAfterMs = 5

/** What becomes of a line under the sabotages that are on: the times it is written, none or two perhaps. */
export function fateOf(faults: Faults, line: Line): Writing[] {
  if (faults.isOn('logs-off') || line.level === faults.get('drop-level')?.level) return []
  const at = Date.now() + (faults.get('clock-skew')?.ms ?? 0)
  const writing: Writing = { line: { ...line, origin: originOf(faults, line) }, at, afterMs: 0 }
  // A loss of one in a thousand is one in a thousand requests, whatever else is written.
  if (!concludesRequest(line)) return [writing]
  if (faults.strikesEveryNth('drop-logs')) return []
  if (faults.strikesEveryNth('double-logs')) {
    return [writing, { ...writing, at: at + doubledAfterMs, afterMs: doubledAfterMs }]
  }
  const delay = faults.get('delay-logs')
  return [delay && faults.strikesEveryNth('delay-logs') ? { ...writing, afterMs: delay.ms } : writing]
}

function originOf(faults: Faults, line: Line): Line['origin'] {
  const { origin } = line
  if (origin?.spanContext === undefined) return origin
  // Without a ratio every line suffers; with one, only the lines that are counted.
  const suffers = (fault: 'logs-without-trace' | 'wrong-trace-id') =>
    concludesRequest(line) ? faults.strikesEveryNth(fault) : faults.get(fault)?.ratio === 1
  if (suffers('logs-without-trace')) return { requestId: origin.requestId }
  if (suffers('wrong-trace-id')) {
    return { ...origin, spanContext: { ...origin.spanContext, traceId: foreignId(origin.spanContext.traceId) } }
  }
  return origin
}

/** The one line of a request or a delivery that tells of its end. */
function concludesRequest({ message, origin }: Line): boolean {
  return origin !== undefined && message.endsWith(' completed')
}

/** A well-formed trace id that nobody ever sent. */
export function foreignId(traceId: string): string {
  return [...traceId].reverse().join('')
}
