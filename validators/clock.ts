import { eventually } from '../lib/poll.ts'
import { BackendError, isFinal } from './backends/http.ts'
import type { Prometheus } from './backends/prometheus.ts'

/** How far Prometheus' clock is ahead of ours, and by how much that may be wrong; milliseconds. */
export interface ClockOffset {
  readonly ms: number
  readonly unsureMs: number
}

const asks = 8

/**
 * Compares clocks by several answers: each was given between question and answer, so each bounds the offset from both
 * sides, and the bounds of all hold. A busy machine widens them; it does not make up an offset, as a mean would.
 * @throws BackendError if Prometheus does not answer
 */
export async function clockOffset(prometheus: Prometheus, signal: AbortSignal): Promise<ClockOffset> {
  const bounds: [number, number][] = []
  while (bounds.length < asks) {
    const polled = await eventually(
      async (attempt) => {
        const before = Date.now()
        const theirs = await prometheus.now(attempt)
        // Both clocks are read in whole milliseconds.
        const bound: [number, number] = [theirs - Date.now() - 1, theirs - before + 1]
        return bound
      },
      () => true,
      { withinMs: 6000, signal, isFinal },
    )
    if (polled.outcome !== 'held' || polled.value === undefined)
      throw (
        polled.error ?? new BackendError('transport', `Prometheus at ${prometheus.client.url} does not tell its time.`)
      )
    bounds.push(polled.value)
  }
  return offsetWithin(bounds)
}

/** The offset that all bounds allow which is nearest to none. */
export function offsetWithin(bounds: readonly (readonly [number, number])[]): ClockOffset {
  const least = Math.max(...bounds.map(([low]) => low))
  const most = Math.min(...bounds.map(([, high]) => high))
  // A clock that was set in between leaves bounds that exclude each other.
  const [low, high] = [Math.min(least, most), Math.max(least, most)]
  const ms = Math.min(high, Math.max(low, 0))
  return { ms, unsureMs: Math.max(high - ms, ms - low) }
}
