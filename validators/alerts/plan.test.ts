import { expect, it } from 'vitest'
import { UsageError } from '../../lib/errors.ts'
import type { Rule } from '../backends/prometheus.ts'
import { trial } from './expectation.ts'
import { configuration, planned, rules } from './judgement.test-data.ts'
import { deliveryBounds, longest, planTrial, planWords, stateBounds, type TrialPlan, trialWords } from './plan.ts'
import { readRouting } from './routes.ts'

const routing = readRouting(configuration)

function plan(input: object, of: readonly Rule[] = rules, more: object = {}): TrialPlan {
  const least = {
    name: 'errors',
    load: { scenario: 'smoke.ts' },
    fault: { kind: 'service', service: 'shop', fault: 'error', ratio: 0.3 },
    expect: [{ alert: 'HighErrorRate', reaches: ['slack'] }],
  }
  return planTrial(trial.parse({ ...least, ...input }), of, routing, { scrapeMs: 1000, ...more })
}

function first({ alerts: [alert] }: TrialPlan) {
  if (!alert) throw new Error('no alert')
  return alert
}

it('says in sentences what is waited for, receivers of equal times together', () => {
  const words = planWords(planned())
  expect(words).toHaveLength(2)
  expect(words[0]).toMatch(
    /^HighErrorRate reaches slack, pager after 4 s to 9.67 s: crossing 1.67 s .* \+ tolerance 2 s$/,
  )
  expect(words[1]).toMatch(/^HighErrorRate is reported resolved to slack, pager after 2.17 s to 24 s: clearing 10 s/)
  expect(trialWords(planned().trial)).toBe(
    'errors: error on shop at 30 % after 2s; HighErrorRate reaches slack, pager; inhibits HighLatency',
  )
})

it('says when an alert that reaches nobody fires and is over', () => {
  const words = planWords(plan({ expect: [{ alert: 'HighErrorRate' }] }))
  expect(words.map((one) => one.replace(/ after .*/, ''))).toEqual(['HighErrorRate fires', 'HighErrorRate is inactive'])
})

it('calls an alert of several trials by both names', () => {
  expect(first(plan({}, rules, { repeated: new Set(['HighErrorRate']) })).name).toBe('HighErrorRate@errors')
})

it('waits no longer than is demanded', () => {
  const demanding = { expect: [{ alert: 'HighErrorRate', reaches: ['slack'], within: '5s' }] }
  expect(longest(plan(demanding)).fireMs).toBe(7000)
  expect(longest(plan({})).fireMs).toBeGreaterThan(9000)
})

it('takes the soonest of several rules of one name to fire, and the last of them to end', () => {
  const [rule] = rules
  if (!rule) throw new Error('no rule')
  const slow = { ...rule, forMs: 30_000, keepFiringForMs: 60_000, labels: { ...rule.labels, window: 'long' } }
  const [quick, both] = [plan({}, [rule]), plan({}, [slow, rule])]
  const bounds = (one: TrialPlan) => stateBounds(first(one), one)
  expect(bounds(both)?.firing).toEqual(bounds(quick)?.firing)
  expect((bounds(both)?.inactive.latestMs ?? 0) - (bounds(quick)?.inactive.latestMs ?? 0)).toBe(60_000)
  const long = plan({ expect: [{ alert: 'HighErrorRate', labels: { window: 'long' } }] }, [
    slow,
    { ...rule, labels: { window: 'short' } },
  ])
  expect(bounds(long)?.firing.earliestMs).toBe(30_000)
})

it('has no bounds for a rule that is not there, and for a route without integrations', () => {
  const missing = plan({ expect: [{ alert: 'NoSuchRule', reaches: ['slack'] }] })
  expect(stateBounds(first(missing), missing)).toBeUndefined()
  expect(deliveryBounds(first(missing), 'slack', missing)).toBeUndefined()
})

it('finds whether a receiver is told of resolutions in what Alertmanager says of itself', () => {
  const silent = configuration.replace('channel: c, send_resolved: true', 'channel: c, send_resolved: false')
  const one = planned()
  const other: TrialPlan = { ...one, routing: readRouting(silent) }
  expect(deliveryBounds(first(one), 'slack', one)?.sendResolved).toBe(true)
  expect(deliveryBounds(first(other), 'slack', other)?.sendResolved).toBe(false)
  expect(deliveryBounds(first(other), 'pager', other)?.sendResolved).toBe(true)
})

it.each([
  [
    'a fault that is too weak',
    { fault: { kind: 'service', service: 'shop', fault: 'error', ratio: 0.05 } },
    'can never fire',
  ],
  ['a crossing that cannot be derived', { expect: [{ alert: 'Backlog', reaches: ['slack'] }] }, 'state crosses'],
])('refuses %s', (_, input, message) => {
  const backlog = { ...rules[0], name: 'Backlog', query: 'queue_depth > 10' } as Rule
  expect(() => plan(input, [...rules, backlog])).toThrow(UsageError)
  expect(() => plan(input, [...rules, backlog])).toThrow(message)
})

it('takes a stated crossing where it could not derive one', () => {
  const backlog = { ...rules[0], name: 'Backlog', query: 'queue_depth > 10' } as Rule
  const stated = { alert: 'Backlog', crosses: { within: '20s', clearsWithin: '5s' } }
  const one = plan({ expect: [stated] }, [backlog])
  expect(stateBounds(first(one), one)?.pending.latestMs).toBe(20_000 + 1000 + 1000 + 2000)
})

const drill = (labels: object, label = 'drill') => ({
  fault: { kind: 'synthetic', drill: label, labels: { alertname: 'HighErrorRate', ...labels } },
})

it('lets a synthetic alert go where only drills go', () => {
  const one = plan(drill({ severity: 'critical', drill: 'yes' }))
  expect(deliveryBounds(first(one), 'drill', one)?.delivered).toMatchObject({ earliestMs: 1000, latestMs: 3000 })
})

it.each([
  ['without the label of drills', drill({ severity: 'critical' }), 'has no label drill'],
  [
    'whose label no route asks for',
    drill({ severity: 'critical', test: '1' }, 'test'),
    'would go to critical by route.routes[1]',
  ],
  ['that falls through', drill({ drill: 'no' }), 'would go to unrouted by route'],
])('posts no synthetic alert %s', (_, input, message) => {
  expect(() => plan(input)).toThrow(UsageError)
  expect(() => plan(input)).toThrow(message)
})

it('refuses a fault that could be switched on but not lifted', () => {
  const call = { url: 'http://127.0.0.1:1/break' }
  const lift = { url: 'http://127.0.0.1:1/mend', headersEnv: { token: 'MUSTER_TEST_IS_NOT_SET' } }
  const fault = { kind: 'call', call, lift, ratio: 0.3 }
  expect(() => plan({ fault })).toThrow(
    'wants the environment variable MUSTER_TEST_IS_NOT_SET for the header token of its lift',
  )
})
