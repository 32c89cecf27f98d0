import { randomInt } from 'node:crypto'
import { eventually } from '../../lib/poll.ts'
import type { Span } from '../../lib/span.ts'
import { sentinelInstance, traceId, traceparent } from '../../lib/trace-id.ts'
import type { TraceSource } from '../backends/trace-source.ts'

/** One request that changes nothing. */
export interface ProbeRequest {
  /** Below the base URL, with its query. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface Probed {
  readonly traceId: string
  /** 0: no answer. */
  readonly status: number
}

const timeoutMs = 10_000
/** Exported every few seconds where nobody is in a hurry, then indexed. */
const patienceMs = 15_000

/** Sends each request once, one after the other, as part of a trace that is known. */
export async function probe(
  baseUrl: string,
  requests: readonly ProbeRequest[],
  signal: AbortSignal,
): Promise<Probed[]> {
  const run = randomInt(1, 2 ** 32 - 1)
  const probed: Probed[] = []
  for (const [index, { path, headers }] of requests.entries()) {
    const origin = {
      run,
      instance: sentinelInstance,
      scenario: index >> 8,
      step: index & 255,
      repetition: 0,
      iteration: 0,
    }
    const status = await fetch(`${baseUrl}${path}`, {
      headers: { ...headers, traceparent: traceparent(origin) },
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    }).then(
      async (response) => {
        await response.body?.cancel()
        return response.status
      },
      () => 0,
    )
    signal.throwIfAborted()
    probed.push({ traceId: traceId(origin), status })
  }
  return probed
}

/**
 * The traces of probes, by id, once all are there or have had their time. The last answer of a source that still fails is
 * thrown as BackendError.
 */
export async function tracesOf(
  source: TraceSource,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly Span[]>> {
  let before = -1
  const polled = await eventually(
    async (attempt) => {
      const found = new Map<string, readonly Span[]>()
      await source.lookUp(
        ids,
        (trace) => {
          if (trace[0]) found.set(trace[0].traceId, trace)
        },
        attempt,
      )
      return found
    },
    (found) => {
      // Spans of one trace arrive service by service: it is whole when it has stopped growing.
      const spans = [...found.values()].reduce((sum, trace) => sum + trace.length, 0)
      const grew = spans !== before
      before = spans
      return found.size === ids.length && !grew
    },
    { withinMs: patienceMs, signal, firstPauseMs: 500, longestPauseMs: 2000 },
  )
  if (polled.value === undefined) throw polled.error
  return polled.value
}

/** Services that a trace entered as a server, in the order in which they were reached; queues are left out. */
export function serversOf(trace: readonly Span[]): string[] {
  const servers = trace.filter(({ kind }) => kind === 'server').sort((one, other) => one.startedAt - other.startedAt)
  return [...new Set(servers.map(({ service }) => service))]
}
