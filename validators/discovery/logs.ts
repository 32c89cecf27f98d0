import { z } from 'zod'
import { eventually } from '../../lib/poll.ts'
import type { Loki, LokiStream } from '../backends/loki.ts'
import { literal } from '../backends/prometheus.ts'
import { readLogLine } from '../roll-call/log-line.ts'

/** The lines that one service wrote of the probes. */
export interface FoundLogs {
  /** What the label says. */
  readonly service: string
  readonly selector: string
  /** The message of the line that is whole, and the fields that every line has; absent: no line would do. */
  readonly request: { readonly message: string; readonly fields: readonly string[] } | undefined
  /** Why no line would do. */
  readonly problem: string | undefined
}

/** Labels that name a service, the likeliest first. */
const serviceLabels = [
  'service_name',
  'service',
  'app',
  'app_kubernetes_io_name',
  'job',
  'container',
  'compose_service',
]
const usualFields = ['timestamp', 'level', 'logger', 'message', 'trace_id', 'span_id']
const patienceMs = 12_000
const mostLines = 1000

/**
 * Finds the lines that hold the trace ids of probes, and the label that tells services apart.
 * @throws BackendError if Loki cannot be asked
 */
export async function discoverLogs(
  loki: Loki,
  ids: readonly string[],
  since: number,
  signal: AbortSignal,
): Promise<FoundLogs[]> {
  const labels = await loki.labelNames(since, signal)
  const label = serviceLabels.find((name) => labels.includes(name))
  if (label === undefined) return []
  const query = `{${label}=~".+"} |~ ${literal(ids.join('|'))}`
  let before = -1
  const polled = await eventually(
    (attempt) => loki.streams(query, mostLines, since, Date.now() + 1000, attempt),
    (streams) => {
      const count = streams.reduce((sum, { lines }) => sum + lines.length, 0)
      const grew = count !== before
      before = count
      return count >= ids.length && !grew
    },
    { withinMs: patienceMs, signal, firstPauseMs: 500, longestPauseMs: 2000 },
  )
  if (polled.value === undefined) throw polled.error
  return foundIn(polled.value, label)
}

const record = z.record(z.string(), z.unknown())

/** What the lines of each value of a label are good for. */
export function foundIn(streams: readonly LokiStream[], label: string): FoundLogs[] {
  const services = new Set(streams.flatMap(({ labels }) => labels[label] ?? []))
  return [...services].sort().map((service) => {
    const lines = streams.filter(({ labels }) => labels[label] === service).flatMap((stream) => stream.lines)
    const selector = `{${label}=${literal(service)}}`
    const records = lines.flatMap((line) => {
      try {
        return [record.parse(JSON.parse(line))]
      } catch {
        return []
      }
    })
    if (records.length < lines.length)
      return { service, selector, request: undefined, problem: 'its lines hold the trace id, but are no JSON' }
    const messages = new Set(records.flatMap(({ message }) => (typeof message === 'string' ? [message] : [])))
    const faults: string[] = []
    for (const message of messages) {
      const logs = { selector, message, fields: [], processLogger: 'process' }
      const requests = { kind: 'http', route: 'route', method: 'method', status: 'status' } as const
      const read = lines.flatMap((line) => readLogLine(line, { logs, requests }) ?? [])
      if (read.length > 0 && read.every((one) => one.faults.length === 0)) {
        const fields = usualFields.filter((field) => records.every((one) => one[field] !== undefined))
        return { service, selector, request: { message, fields }, problem: undefined }
      }
      faults.push(...read.flatMap((one) => one.faults))
    }
    const why = messages.size === 0 ? 'message is missing' : [...new Set(faults)].join(', ')
    return { service, selector, request: undefined, problem: `none of its lines is whole: ${why}` }
  })
}
