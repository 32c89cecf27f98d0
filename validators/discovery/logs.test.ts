import { expect, it } from 'vitest'
import { logsSchema } from '../log-format.ts'
import { readLogLine } from '../roll-call/log-line.ts'
import { foundIn } from './logs.ts'

const [one, two] = ['1'.repeat(32), '2'.repeat(32)]
const sent = [
  { traceId: one, method: 'GET', route: '/a/:id', path: '/a/7', status: 200 },
  { traceId: two, method: 'GET', route: '/b', path: '/b', status: 404 },
]
const whole = {
  timestamp: '2026-11-21T10:00:00.000Z',
  level: 'info',
  message: 'request completed',
  trace_id: one,
  span_id: '2'.repeat(16),
  method: 'GET',
  route: '/a/:id',
  status: 200,
  duration_ms: 1.5,
}
const other = { ...whole, trace_id: two, route: '/b', status: 404 }
const stream = (service: string, ...lines: readonly unknown[]) => ({
  labels: { service_name: service },
  lines: lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))),
})
const found = (...lines: readonly unknown[]) => foundIn([stream('shop', ...lines)], 'service_name', sent)[0]

it('finds the message of the line that is written once a request, and the fields that every line has', () => {
  const query = { ...whole, message: 'query', duration_ms: undefined }
  expect(found(query, whole, query, other)).toMatchObject({
    service: 'shop',
    told: 2,
    untold: [],
    logs: {
      selector: '{service_name="shop"}',
      format: 'json',
      message: 'request completed',
      names: {},
      fields: ['timestamp', 'level', 'message', 'trace_id', 'span_id'],
      processLogger: false,
    },
  })
})

it('guesses other names, in objects too, and says what no line tells', () => {
  const line = (traceID: string, path: string) => ({
    ...{ time: whole.timestamp, level: 'INFO', msg: 'done', params: { start: 'x' }, traceID, spanID: '3'.repeat(16) },
    ...{ httpRequest: { method: 'GET', path }, stats: { timings: { total: 0.1 } } },
  })
  const result = found(line(one, '/a/7'), line(two, '/b'))
  expect(result).toMatchObject({ told: 2, untold: ['status', 'duration_ms'] })
  expect(result?.logs).toMatchObject({
    message: 'done',
    names: {
      ...{ message: 'msg', trace_id: 'traceID', span_id: 'spanID', timestamp: 'time', method: 'httpRequest.method' },
      ...{ path: 'httpRequest.path', route: false, status: false, duration_ms: false },
    },
    fields: ['time', 'level', 'msg', 'traceID', 'spanID'],
  })
})

it('reads logfmt', () => {
  const line = (id: string, path: string, status: number) =>
    `ts=2026-11-21T10:00:00Z level=info msg="request done" trace_id=${id} method=GET path=${path} status=${status} took=1.5ms`
  expect(found(line(one, '/a/7', 200), line(two, '/b', 404))?.logs).toMatchObject({
    format: 'logfmt',
    message: 'request done',
    names: { message: 'msg', timestamp: 'ts', path: 'path', route: false, duration_ms: 'took', span_id: false },
  })
})

it('finds an expression that reads plain text, and takes the line that tells most', () => {
  const start = (id: string) => `2026-11-21 10:00:00,120 DEBUG worker 4 [${id}] begins`
  const line = (id: string, path: string, status: number) =>
    `2026-11-21 10:00:00,123 INFO worker 4 [${id}] "GET ${path}" ${status} in 1.5 ms`
  const result = found(start(one), line(one, '/a/7', 200), start(two), line(two, '/b', 404))
  expect(result).toMatchObject({ told: 2, untold: ['span_id'] })
  const logs = logsSchema.parse({ ...result?.logs, fields: undefined, processLogger: undefined })
  const requests = { kind: 'http', route: 'route', method: 'method', status: 'status' } as const
  const later = readLogLine(line('c'.repeat(32), '/x/y?q=1', 500).replace('worker 4', 'worker 17'), { logs, requests })
  expect(later).toMatchObject({
    faults: [],
    line: { traceId: 'c'.repeat(32), level: 'INFO', method: 'GET', path: '/x/y', status: 500, durationMs: 1.5 },
  })
  expect(readLogLine(start('c'.repeat(32)), { logs, requests })).toBeUndefined()
})

it('says why the lines of a service will not do', () => {
  const text = `GET ${one} ${two}`
  expect(found(whole, whole)).toMatchObject({
    logs: undefined,
    problem: expect.stringContaining('none of the 2 lines'),
  })
  expect(found(text, text)).toMatchObject({ logs: undefined })
})
