import { expect, it } from 'vitest'
import { foundIn } from './logs.ts'

const whole = {
  timestamp: '2026-11-21T10:00:00.000Z',
  level: 'info',
  message: 'request completed',
  trace_id: '1'.repeat(32),
  span_id: '2'.repeat(16),
  method: 'GET',
  route: '/a',
  status: 200,
  duration_ms: 1.5,
}
const stream = (service: string, ...lines: readonly unknown[]) => ({
  labels: { service_name: service },
  lines: lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))),
})

it('finds the message of the whole line, and the fields that every line has', () => {
  const other = { ...whole, message: 'query', duration_ms: undefined, logger: 'db' }
  const [found] = foundIn([stream('shop', other, whole)], 'service_name')
  expect(found).toMatchObject({
    service: 'shop',
    selector: '{service_name="shop"}',
    request: { message: 'request completed', fields: ['timestamp', 'level', 'message', 'trace_id', 'span_id'] },
  })
})

it('says why the lines of a service will not do', () => {
  const [half, plain] = foundIn(
    [stream('half', { ...whole, duration_ms: 'long' }), stream('plain', `GET /a 200 ${whole.trace_id}`)],
    'service_name',
  )
  expect(half).toMatchObject({ request: undefined, problem: 'none of its lines is whole: duration_ms is not a number' })
  expect(plain).toMatchObject({ request: undefined, problem: 'its lines hold the trace id, but are no JSON' })
})
