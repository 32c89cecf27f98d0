import { expect, it } from 'vitest'
import { readLogLine } from './log-line.ts'

const logs = { selector: '{a="b"}', message: 'request completed', fields: [], processLogger: 'process' }
const http = {
  logs,
  requests: { kind: 'http' as const, metric: 'm', route: 'route', method: 'method', status: 'status' },
}
const queue = {
  logs: { ...logs, message: 'delivery completed' },
  requests: { kind: 'queue' as const, metric: 'm', matchers: { status: 'delivered' } },
}
const sound = {
  timestamp: '2026-01-02T03:04:05.678Z',
  level: 'info',
  message: 'request completed',
  trace_id: 'c0ffee01000300001111111100000001',
  span_id: '00f067aa0ba902b7',
  method: 'GET',
  route: '/todos',
  status: 200,
  duration_ms: 1.25,
}
const faults = (change: object) => readLogLine(JSON.stringify({ ...sound, ...change }), http)?.faults

it('reads a sound line and finds no fault', () => {
  const read = readLogLine(JSON.stringify(sound), http)
  expect(read?.faults).toEqual([])
  expect(read?.line).toMatchObject({ traceId: sound.trace_id, status: 200, durationMs: 1.25, route: '/todos' })
})

it('names a field that is missing, and one of a wrong type', () => {
  expect(faults({ trace_id: undefined })).toEqual(['trace_id is missing'])
  expect(faults({ trace_id: 'C0FFEE' })).toEqual(['trace_id is not a trace id'])
  expect(faults({ status: '200', duration_ms: -1 })).toEqual(['status is not a number', 'duration_ms is not a number'])
  expect(faults({ timestamp: 'yesterday' })).toEqual(['timestamp is not a point in time'])
})

it('passes over other lines, text that is no JSON, and attempts to deliver that will be made again', () => {
  expect(readLogLine('{"message":"request failed"}', http)).toBeUndefined()
  expect(readLogLine('request completed', http)).toBeUndefined()
  expect(readLogLine('null', http)).toBeUndefined()
  const line = { ...sound, message: 'delivery completed', status: 'failed' }
  expect(readLogLine(JSON.stringify(line), queue)).toBeUndefined()
  expect(readLogLine(JSON.stringify({ ...line, status: 'delivered' }), queue)?.faults).toEqual([])
})
