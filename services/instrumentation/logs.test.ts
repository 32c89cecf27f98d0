import type { LogRecord } from '@opentelemetry/api-logs'
import { expect, test, vi } from 'vitest'
import { Faults, faultNames, leaseRequest } from './faults.ts'
import { Logs } from './logs.ts'

function setUp() {
  const lines: string[] = []
  const records: LogRecord[] = []
  const faults = new Faults(faultNames)
  const otlp = { emit: (record: LogRecord) => void records.push(record), enabled: () => true }
  const logs = new Logs('gateway', { write: (line) => void lines.push(line) }, otlp, faults)
  const lease = (fault: string, more: object = {}) =>
    faults.grant(leaseRequest.parse({ fault, ttlMs: 60_000, ...more }))
  const request = () => logs.write('info', 'http', 'request completed', {}, origin)
  return { lines, records, logs, lease, request }
}
const origin = { requestId: 'r1', spanContext: { traceId: 'a1'.repeat(16), spanId: 'b'.repeat(16), traceFlags: 1 } }

test('a line has its fields, and its OTLP record says the same', () => {
  const { lines, records, logs } = setUp()
  logs.write('warn', 'http', 'request completed', { status: 200 }, origin)
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    level: 'warn',
    logger: 'http',
    message: 'request completed',
    timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
    request_id: 'r1',
    trace_id: origin.spanContext.traceId,
    span_id: origin.spanContext.spanId,
    status: 200,
  })
  expect(records[0]).toMatchObject({ body: lines[0]?.trimEnd(), severityText: 'warn' })
})

test('secrets are redacted in both', () => {
  const { lines, records, logs } = setUp()
  const secrets = { password: 'hush', token: 'hush', authorization: 'hush' }
  logs.write('info', 'login', 'tried', { ...secrets, body: secrets, headers: secrets }, origin)
  expect(lines.join() + JSON.stringify(records.map(({ body }) => body))).not.toContain('hush')
})

test('the sabotages take lines or their trace away', () => {
  const { lines, logs, lease } = setUp()
  lease('logs-without-trace')
  logs.write('info', 'http', 'x', {}, origin)
  expect(lines[0]).not.toMatch(/trace_id|span_id/)
  lease('logs-off')
  logs.write('info', 'http', 'x', {}, origin)
  expect(lines).toHaveLength(1)
})

test.each([
  ['drop-logs', 6],
  ['logs-without-trace', 6],
  ['wrong-trace-id', 6],
])('%s strikes every third request, and no other line', (fault, whole) => {
  const { lines, logs, lease, request } = setUp()
  lease(fault, { ratio: 1 / 3 })
  for (let n = 0; n < 9; n++) {
    logs.write('debug', 'login', 'login accepted', {}, origin)
    request()
  }
  const withTrace = lines.filter((line) => line.includes(origin.spanContext.traceId))
  expect(withTrace).toHaveLength(9 + whole)
})

test('a level is missing', () => {
  const { lines, logs, lease, request } = setUp()
  lease('drop-level', { level: 'error' })
  request()
  logs.write('error', 'http', 'request failed', {}, origin)
  expect(lines).toHaveLength(1)
})

test('a doubled line has another timestamp', () => {
  vi.useFakeTimers({ now: 1_000_000 })
  try {
    const { lines, records, lease, request } = setUp()
    lease('double-logs')
    request()
    vi.advanceTimersByTime(10)
    expect(records.map(({ timestamp }) => timestamp)).toEqual([1_000_000, 1_000_005])
    expect(new Set(lines).size).toBe(2)
  } finally {
    vi.useRealTimers()
  }
})

test('a delayed line says when it was due', () => {
  vi.useFakeTimers({ now: 1_000_000 })
  try {
    const { records, lease, request } = setUp()
    lease('delay-logs', { ms: 500 })
    request()
    vi.advanceTimersByTime(499)
    expect(records).toEqual([])
    vi.advanceTimersByTime(1)
    expect(records[0]?.timestamp).toBe(1_000_000)
  } finally {
    vi.useRealTimers()
  }
})

test('the clock is off in the line and in its record', () => {
  const { lines, records, lease, request } = setUp()
  lease('clock-skew', { ms: -5000 })
  request()
  const { timestamp } = JSON.parse(lines[0] ?? '')
  expect(Date.now() - Date.parse(timestamp)).toBeGreaterThanOrEqual(5000)
  expect(records[0]?.timestamp).toBe(Date.parse(timestamp))
})
