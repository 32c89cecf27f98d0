import type { Service } from '../config.ts'
import { logsOf } from '../coverage.ts'

/** What is read of one request line; a field that is missing or of a wrong type is undefined. */
export interface LogLine {
  readonly traceId: string | undefined
  readonly spanId: string | undefined
  readonly level: string | undefined
  readonly method: string | undefined
  readonly route: string | undefined
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
  const record = parse(text)
  if (record === undefined || record.message !== logsOf(service).message) return undefined
  if (requests.kind === 'queue') {
    const other = Object.entries(requests.matchers).some(([field, value]) => String(record[field]) !== value)
    // A delivery that failed is tried again, and has a line for each attempt.
    if (other) return undefined
  }
  const faults: string[] = []
  const want = <T>(field: string, words: string, read: (value: unknown) => T | undefined): T | undefined => {
    const value = read(record[field])
    if (value === undefined) faults.push(field in record ? `${field} is not ${words}` : `${field} is missing`)
    return value
  }
  const http = requests.kind === 'http'
  const line: LogLine = {
    traceId: want('trace_id', 'a trace id', hex(32)),
    spanId: want('span_id', 'a span id', hex(16)),
    level: want('level', 'a text', string),
    method: http ? want('method', 'a text', string) : undefined,
    route: http ? want('route', 'a text', string) : undefined,
    status: http ? want('status', 'a number', number) : want('status', 'a text', string),
    durationMs: want('duration_ms', 'a number', number),
    at: want('timestamp', 'a point in time', time),
  }
  return { line, faults }
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function string(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined
}

function time(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  const at = typeof value === 'string' ? Date.parse(value) : Number.NaN
  return Number.isNaN(at) ? undefined : at
}

const hexDigits = { 16: /^[0-9a-f]{16}$/, 32: /^[0-9a-f]{32}$/ } as const

function hex(digits: 16 | 32): (value: unknown) => string | undefined {
  return (value) => (typeof value === 'string' && hexDigits[digits].test(value) ? value : undefined)
}
