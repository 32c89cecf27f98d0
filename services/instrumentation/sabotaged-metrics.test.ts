import { expect, onTestFinished, test, vi } from 'vitest'
import { Faults, faultNames, leaseRequest } from './faults.ts'
import { Metrics } from './metrics.ts'

const labels = { method: 'GET', route: '/x', status: '500' }
const traceId = 'a1'.repeat(16)

function setUp() {
  const faults = new Faults(faultNames)
  const none = { exported: 0, failed: 0, dropped: 0 }
  const known = [{ method: 'GET', route: '/x', statuses: [500] }]
  const metrics = new Metrics(known, { counts: { spans: none, logs: none } }, faults)
  const exposition = async () => (await metrics.expose('application/openmetrics-text')).body
  return {
    lease: (fault: string, more: object = {}) => faults.grant(leaseRequest.parse({ fault, ttlMs: 60_000, ...more })),
    request: (traceFlags = 1) => metrics.observe(labels, 0.02, { traceId, spanId: 'b'.repeat(16), traceFlags }),
    exposition,
    stop: () => metrics.stop(),
    /** Lines of the counter, its name left out. */
    counter: async () =>
      [...(await exposition()).matchAll(/^http_requests_total(\{.*?\} [\d.]+)/gm)].map(([, series]) => series),
  }
}
const series = (value: number, status = '500') => `{method="GET",route="/x",status="${status}"} ${value}`

test.each([
  ['none', 9],
  ['skip-counter', 6],
  ['double-counter', 12],
])('%s at one in three makes %i of nine', async (fault, counted) => {
  const { lease, request, counter, exposition } = setUp()
  if (fault !== 'none') lease(fault, { ratio: 1 / 3 })
  for (let n = 0; n < 9; n++) request()
  expect(await counter()).toEqual([series(counted)])
  expect(await exposition()).toContain('http_request_duration_seconds_count{method="GET",route="/x",status="500"} 9')
})

test('a new series is not there at zero, and its first increment is lost', async () => {
  const { lease, request, counter } = setUp()
  expect(await counter()).toEqual([series(0)])
  lease('first-increment-lost')
  expect(await counter()).toEqual([])
  request()
  expect(await counter()).toEqual([])
  request()
  expect(await counter()).toEqual([series(1)])
})

test('what is buffered arrives with the flush, or never', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const { lease, request, counter, stop } = setUp()
  lease('lost-at-shutdown', { ms: 2000 })
  request()
  vi.advanceTimersByTime(1999)
  expect(await counter()).toEqual([series(0)])
  vi.advanceTimersByTime(1)
  expect(await counter()).toEqual([series(1)])
  request()
  stop()
  request()
  vi.advanceTimersByTime(5000)
  expect(await counter()).toEqual([series(1)])
})

test('labels are wrong or missing', async () => {
  const { lease, request, counter } = setUp()
  lease('status-wrong', { ratio: 1 / 2 })
  for (let n = 0; n < 4; n++) request()
  expect(await counter()).toEqual([series(2), series(2, '200')])
  lease('label-missing')
  request()
  expect(await counter()).toContain('{route="/x",status="500"} 1')
})

test('milliseconds are observed as seconds, and an edge is gone', async () => {
  const { lease, request, exposition } = setUp()
  lease('histogram-in-ms')
  request()
  expect(await exposition()).toContain('http_request_duration_seconds_sum{method="GET",route="/x",status="500"} 20')
  expect(await exposition()).toMatch(/_bucket\{le="0\.5",/)
  lease('missing-bucket')
  expect(await exposition()).not.toMatch(/le="0\.5"/)
})

test('exemplars name sampled traces, by sabotage another', async () => {
  const { lease, request, exposition } = setUp()
  request(0)
  expect(await exposition()).not.toContain('trace_id')
  request()
  expect(await exposition()).toContain(`trace_id="${traceId}"`)
  lease('bad-exemplar')
  request()
  expect(await exposition()).toContain(`trace_id="${'1a'.repeat(16)}"`)
})
