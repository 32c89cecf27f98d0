import { expect, it } from 'vitest'
import type { Run } from '../run-schema.ts'
import { subjectsOf } from './subjects.ts'

const check = (id: string, verdict: Run['checks'][number]['verdict'] = 'failed'): Run['checks'][number] => ({
  id,
  title: id,
  signal: id.startsWith('alerts.') ? 'alerts' : 'logs',
  verdict,
  evidence: { expected: '', actual: '', attempts: 1, elapsedMs: 0 },
})
const window = { from: 0, to: 1 }
const lanes = ['Slow', 'SlowDown'].map((alert) => ({ ...window, alert, trial: 'x', fault: window, stations: [] }))
const checks = [
  check('logs.ids.shop'),
  check('alerts.pending.Slow'),
  check('alerts.pending.SlowDown'),
  check('alerts.delivered.Slow.mail'),
  check('alerts.quiet'),
  check('alerts.firing.Slow', 'passed'),
  check('logs.ids.shop'),
]
const indices = (subjects: ReturnType<typeof subjectsOf>) => subjects.map((reds) => reds.map(({ index }) => index))

it('puts what is red of one alert together, and nothing else', () => {
  expect(indices(subjectsOf({ checks, lanes }))).toEqual([[0], [1, 3], [2], [4], [6]])
})

it('puts together what could not be asked for one reason', () => {
  const unasked = (reason: string) => ({ ...check('logs.ids.shop', 'errored'), reason })
  const all = [unasked('Loki is gone'), check('logs.ids.shop'), unasked('Jaeger is gone'), unasked('Loki is gone')]
  expect(indices(subjectsOf({ checks: all, lanes }))).toEqual([[0, 3], [1], [2]])
})

it('puts together what is said to be alike', () => {
  expect(indices(subjectsOf({ checks, lanes }, (red) => red.check.id))).toEqual([[0, 6], [1, 3], [2], [4]])
})
