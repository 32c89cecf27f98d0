import type { LogRecord } from '@opentelemetry/api-logs'
import { expect, test } from 'vitest'
import { Faults, faultNames, leaseRequest } from './faults.ts'
import { Logs } from './logs.ts'

function setUp() {
  const lines: string[] = []
  const records: LogRecord[] = []
  const faults = new Faults(faultNames)
  const otlp = { emit: (record: LogRecord) => void records.push(record), enabled: () => true }
  const logs = new Logs('gateway', { write: (line) => void lines.push(line) }, otlp, faults)
  const lease = (fault: string) => faults.grant(leaseRequest.parse({ fault, ttlMs: 60_000 }))
  return { lines, records, logs, lease }
}
const origin = { requestId: 'r1', spanContext: { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1 } }

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
