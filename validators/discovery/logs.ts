import { eventually } from '../../lib/poll.ts'
import type { Loki, LokiStream } from '../backends/loki.ts'
import { literal } from '../backends/prometheus.ts'
import { type LogFact, type Logs, recordOf, tells } from '../log-format.ts'
import { readLogLine } from '../roll-call/log-line.ts'
import { namesOf, type Sent } from './line-names.ts'
import { patternsOf } from './line-pattern.ts'

/** The lines that one service wrote of the probes. */
export interface FoundLogs {
  /** What the label says. */
  readonly service: string
  /** How its request lines are read; absent: no line would do. */
  readonly logs: Logs | undefined
  /** Probes of which there is one such line. */
  readonly told: number
  /** What no such line tells. */
  readonly untold: readonly LogFact[]
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
const messageNames = ['message', 'msg', 'event', 'body']
/** More than this are no messages, but texts that say something else of every request. */
const mostMessages = 20
const patienceMs = 12_000
const mostLines = 1000

/**
 * Finds the lines that hold the trace ids of probes, and the label that tells services apart.
 * @throws BackendError if Loki cannot be asked
 */
export async function discoverLogs(
  loki: Loki,
  sent: readonly Sent[],
  since: number,
  signal: AbortSignal,
): Promise<FoundLogs[]> {
  const labels = await loki.labelNames(since, signal)
  const label = serviceLabels.find((name) => labels.includes(name))
  if (label === undefined) return []
  const query = `{${label}=~".+"} |~ ${literal(sent.map(({ traceId }) => traceId).join('|'))}`
  let before = -1
  const polled = await eventually(
    (attempt) => loki.streams(query, mostLines, since, Date.now() + 1000, attempt),
    (streams) => {
      const count = streams.reduce((sum, { lines }) => sum + lines.length, 0)
      const grew = count !== before
      before = count
      return count >= sent.length && !grew
    },
    { withinMs: patienceMs, signal, firstPauseMs: 500, longestPauseMs: 2000 },
  )
  if (polled.value === undefined) throw polled.error
  return foundIn(polled.value, label, sent)
}

interface Line {
  readonly text: string
  readonly sent: Sent
}

/** What the lines of each value of a label are good for. */
export function foundIn(streams: readonly LokiStream[], label: string, sent: readonly Sent[]): FoundLogs[] {
  const services = new Set(streams.flatMap(({ labels }) => labels[label] ?? []))
  return [...services].sort().map((service) => {
    const texts = streams.filter(({ labels }) => labels[label] === service).flatMap((stream) => stream.lines)
    const lines = texts.flatMap((text): Line[] => {
      const whose = sent.find(({ traceId }) => text.includes(traceId))
      return whose === undefined ? [] : [{ text, sent: whose }]
    })
    const selector = `{${label}=${literal(service)}}`
    const best = [...recordCandidates(selector, lines), ...textCandidates(selector, lines)]
      .map((logs) => ({ logs, told: toldOnce(logs, lines), untold: untoldBy(logs) }))
      .filter(({ told }) => told > 0)
      .sort((one, other) => other.told - one.told || one.untold.length - other.untold.length)[0]
    if (best !== undefined) return { service, ...best, problem: undefined }
    const problem = `none of the ${lines.length} lines that hold an id of a request could be read`
    return { service, logs: undefined, told: 0, untold: [], problem }
  })
}

/** What the checks of lines rest on, besides the trace id. */
function untoldBy(logs: Logs): LogFact[] {
  const wanted = [
    ['span_id'],
    ['level'],
    ['method'],
    ['route', 'path'],
    ['status'],
    ['duration_ms', 'duration_s'],
  ] as const
  return wanted.flatMap((facts) => (tells(logs, ...facts) ? [] : [facts[0]]))
}

/** How many requests have exactly one line that is read so; 0 if any line that is read so is faulty. */
function toldOnce(logs: Logs, lines: readonly Line[]): number {
  const requests = { kind: 'http', route: 'route', method: 'method', status: 'status' } as const
  const seen = new Map<string, number>()
  for (const { text, sent } of lines) {
    const read = readLogLine(text, { logs, requests })
    if (read === undefined) continue
    if (read.faults.length > 0 || read.line.traceId !== sent.traceId) return 0
    seen.set(sent.traceId, (seen.get(sent.traceId) ?? 0) + 1)
  }
  return [...seen.values()].filter((count) => count === 1).length
}

/** Lines with fields, by the message that they have in common. */
function recordCandidates(selector: string, lines: readonly Line[]): Logs[] {
  return (['json', 'logfmt'] as const).flatMap((format) => {
    const read = lines.flatMap(({ text, sent }) => {
      const fields = recordOf(text, format)
      return fields === undefined ? [] : [{ fields, sent }]
    })
    return messageNames.flatMap((messageName) => {
      const messages = new Set(read.map(({ fields }) => fields[messageName]).filter((one) => typeof one === 'string'))
      if (messages.size > mostMessages) return []
      return [...messages].map((message): Logs => {
        const alike = read.filter(({ fields }) => fields[messageName] === message)
        const names = { ...namesOf(alike), ...(messageName === 'message' ? {} : { message: messageName }) }
        const usual = (['timestamp', 'level', 'message', 'trace_id', 'span_id'] as const).map(
          (fact) => names[fact] ?? fact,
        )
        const has = (field: string) => read.every(({ fields }) => fields[field] !== undefined)
        const fields = [...usual, 'logger'].filter((field) => field !== false).filter(has)
        return {
          selector,
          message,
          format,
          names,
          fields,
          processLogger: fields.includes('logger') ? 'process' : false,
        }
      })
    })
  })
}

function textCandidates(selector: string, lines: readonly Line[]): Logs[] {
  return patternsOf(lines).map((pattern) => ({
    selector,
    format: { pattern },
    names: {},
    fields: [],
    processLogger: false,
  }))
}
