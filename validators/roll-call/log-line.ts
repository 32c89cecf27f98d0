import type { Service } from '../config.ts'
import { logsOf } from '../coverage.ts'
import { type LogFact, nameOf, recordOf, valueAt } from '../log-format.ts'

/** What is read of one request line; what is missing, of a wrong type, or not told by such lines is undefined. */
export interface LogLine {
  readonly traceId: string | undefined
  readonly spanId: string | undefined
  readonly level: string | undefined
  readonly method: string | undefined
  readonly route: string | undefined
  /** As it was requested, without the query; told where no line tells the route. */
  readonly path: string | undefined
  readonly status: number | string | undefined
  readonly durationMs: number | undefined
  /** Its own moment, epoch milliseconds. */
  readonly at: number | undefined
}

/**
 * Reads a request line, and says what is wrong with its fields. By hand instead of by a schema: there are as many lines as
 * requests, and a wrong field is a finding, not a failure to read.
 * @returns undefined if it is no request line of this service
 */
export function readLogLine(
  text: string,
  service: Pick<Service, 'logs' | 'requests'>,
): { readonly line: LogLine; readonly faults: readonly string[] } | undefined {
  const { requests } = service
  const logs = logsOf(service)
  const record = recordOf(text, logs.format)
  if (record === undefined) return undefined
  const messageName = nameOf(logs, 'message')
  if (logs.message !== undefined)
    if (messageName === undefined ? !text.includes(logs.message) : valueAt(record, messageName) !== logs.message)
      return undefined
  if (requests.kind === 'queue') {
    const other = Object.entries(requests.matchers).some(([field, value]) => String(record[field]) !== value)
    // A delivery that failed is tried again, and has a line for each attempt.
    if (other) return undefined
  }
  const faults: string[] = []
  const want = <T>(fact: LogFact, words: string, read: (value: unknown) => T | undefined): T | undefined => {
    const name = nameOf(logs, fact)
    if (name === undefined) return undefined
    const found = valueAt(record, name)
    const value = read(found)
    if (value === undefined) faults.push(found === undefined ? `${name} is missing` : `${name} is not ${words}`)
    return value
  }
  const http = requests.kind === 'http'
  // Numbers are texts in whatever is no JSON.
  const number = logs.format === 'json' ? jsonNumber : textNumber
  const seconds = want('duration_s', 'a number', durationIn(1000, number))
  const line: LogLine = {
    traceId: want('trace_id', 'a trace id', hex(32)),
    spanId: want('span_id', 'a span id', hex(16)),
    level: want('level', 'a text', string),
    method: http ? want('method', 'a text', string) : undefined,
    route: http ? want('route', 'a text', string) : undefined,
    path: http ? want('path', 'a text', string)?.replace(/[?#].*$/s, '') : undefined,
    status: http ? want('status', 'a number', number) : want('status', 'a text', string),
    durationMs: seconds ?? want('duration_ms', 'a number', durationIn(1, number)),
    at: want('timestamp', 'a point in time', time),
  }
  return { line, faults }
}

function string(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function jsonNumber(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined
}

function textNumber(value: unknown): number | undefined {
  return typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? Number(value) : undefined
}

const unitsMs: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1000 }

/** A number in the unit that its name says, or a text that says its unit itself; in milliseconds. */
function durationIn(
  unitMs: number,
  number: (value: unknown) => number | undefined,
): (value: unknown) => number | undefined {
  return (value) => {
    const bare = number(value)
    if (bare !== undefined) return bare * unitMs
    const [, amount, unit = ''] = (typeof value === 'string' && /^(\d+(?:\.\d+)?) ?([nuµμm]?s)$/.exec(value)) || []
    return amount === undefined ? undefined : Number(amount) * (unitsMs[unit] ?? 1)
  }
}

/** Without a zone a time is taken for the local one; a comma before the fraction is what Python writes. */
function time(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  const at = typeof value === 'string' ? Date.parse(value.replace(/(:\d\d),(\d)/, '$1.$2')) : Number.NaN
  return Number.isNaN(at) ? undefined : at
}

const hexDigits = { 16: /^[0-9a-f]{16}$/, 32: /^[0-9a-f]{32}$/ } as const

function hex(digits: 16 | 32): (value: unknown) => string | undefined {
  return (value) => (typeof value === 'string' && hexDigits[digits].test(value) ? value : undefined)
}
