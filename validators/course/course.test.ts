import { expect, it } from 'vitest'
import type { RunEvent } from '../../lib/event.ts'
import { parseConfig } from '../config.ts'
import type { RunContext } from '../context.ts'
import { connect } from '../preflight.ts'
import { CourseRecorder } from './course.ts'

// Nobody listens there.
const nowhere = { url: 'http://127.0.0.1:1', timeout: '1s' }
const config = parseConfig(
  {
    scenarios: ['basic.ts'],
    target: { url: 'http://127.0.0.1:1' },
    backends: { prometheus: nowhere, loki: nowhere, jaeger: nowhere, alertmanager: nowhere },
    services: {
      shop: {
        job: 'shop',
        requests: { kind: 'http', metric: 'http_requests_total' },
        duration: 'http_request_duration_seconds',
        logs: { selector: '{service_name="shop"}', message: 'done' },
        traces: { service: 'shop' },
      },
    },
  },
  'test',
)

function contextOf(signal: AbortSignal): RunContext {
  if (!config.backends) throw new Error('the config has backends')
  const facts = {
    versions: {},
    scrapeMs: 1000,
    scrapeTimeoutMs: 1000,
    evaluationMs: 1000,
    groupWaitMs: 0,
    groupIntervalMs: 0,
    clockOffsetMs: 0,
    rules: [],
  }
  return { runId: 1, config, secrets: [], backends: connect(config.backends, 4), facts, signal }
}

it('names what could not be read, and fails nothing', async () => {
  const events: RunEvent[] = []
  await new CourseRecorder(contextOf(AbortSignal.timeout(8000)), (event) => events.push(event)).record()
  const [event] = events
  if (event?.type !== 'course') throw new Error('no course was handed out')
  expect(event.course.series).toEqual([])
  expect(event.course.missing).toContainEqual(expect.stringMatching(/^lines of shop: .*127\.0\.0\.1:1/))
  for (const what of ['seen of shop', 'errors', 'latency of shop', 'cpu', 'memory'])
    expect(event.course.missing).toContainEqual(expect.stringMatching(new RegExp(`^${what}: .*127\\.0\\.0\\.1:1`)))
})

it('draws the way of an alert and its fault, whether or not anything can be read', async () => {
  const events: RunEvent[] = []
  const recorder = new CourseRecorder(contextOf(AbortSignal.abort()), (event) => events.push(event))
  const window = { from: 10, to: 20 }
  const lane = { alert: 'High', trial: 'errors', ...window, fault: window, stations: [] }
  const fault = { kind: 'service', service: 'shop', fault: 'error', ratio: 0.3 } as const
  await recorder.trial({ name: 'errors', fault }, [lane])
  expect(events.map(({ type }) => type)).toEqual(['alert-lane', 'course'])
  expect(events[1]).toMatchObject({ course: { bands: [{ kind: 'fault', name: 'errors', ...window }] } })
})
