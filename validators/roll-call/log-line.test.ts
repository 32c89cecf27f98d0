import { expect, it } from 'vitest'
import { logsSchema } from '../log-format.ts'
import { readLogLine } from './log-line.ts'

const logs = logsSchema.parse({ selector: '{a="b"}', message: 'request completed' })
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

const reading = (logs: object) => ({ ...http, logs: logsSchema.parse({ selector: '{a="b"}', ...logs }) })

it('reads JSON under other names, in objects too, and asks nothing of what is not told', () => {
  const service = reading({
    message: 'done',
    names: {
      ...{ trace_id: 'traceID', span_id: false, message: 'msg', method: 'http.method', path: 'http.url', route: false },
      ...{ status: false, duration_s: 'took', duration_ms: false, timestamp: 'time' },
    },
  })
  const line = {
    ...{ level: 'info', msg: 'done', traceID: sound.trace_id, http: { method: 'GET', url: '/a/7?b=1' } },
    ...{ took: 0.25, time: sound.timestamp },
  }
  const read = readLogLine(JSON.stringify(line), service)
  expect(read?.faults).toEqual([])
  expect(read?.line).toMatchObject({ traceId: sound.trace_id, method: 'GET', path: '/a/7', durationMs: 250 })
  expect(readLogLine(JSON.stringify({ ...line, http: {} }), service)?.faults).toContain('http.url is missing')
})

it('reads logfmt, whose numbers are texts and whose durations have units', () => {
  const names = { message: 'msg', trace_id: 'traceID', timestamp: 'ts', duration_ms: 'duration', span_id: false }
  const service = reading({ format: 'logfmt', message: 'request "done"', names })
  const text = `ts=2026-01-02T03:04:05Z level=info msg="request \\"done\\"" traceID=${sound.trace_id} method=GET route=/todos status=200 duration=850µs`
  const read = readLogLine(text, service)
  expect(read?.faults).toEqual([])
  expect(read?.line).toMatchObject({ traceId: sound.trace_id, status: 200, durationMs: 0.85, route: '/todos' })
  expect(readLogLine(text.replace('status=200', 'status=ok'), service)?.faults).toEqual(['status is not a number'])
  expect(readLogLine('Traceback (most recent call last):', service)).toBeUndefined()
})

it('reads text by the groups of an expression', () => {
  const pattern = String.raw`(?<level>[A-Z]+) \[(?<trace_id>[0-9a-f]{32})\] "(?<method>[A-Z]+) (?<path>\S+)" (?<status>\d{3}) (?<duration_ms>\S+)`
  const service = reading({ format: { pattern } })
  const read = readLogLine(`10:00:00,123 INFO [${sound.trace_id}] "GET /todos/7?a=b" 200 3.5ms`, service)
  expect(read?.faults).toEqual([])
  expect(read?.line).toMatchObject({ level: 'INFO', method: 'GET', path: '/todos/7', status: 200, durationMs: 3.5 })
  expect(readLogLine(`INFO [${sound.trace_id}] started`, service)).toBeUndefined()
  const odd = readLogLine(`INFO [${sound.trace_id}] "GET /a" 200 soon`, service)
  expect(odd?.faults).toEqual(['duration_ms is not a number'])
})
