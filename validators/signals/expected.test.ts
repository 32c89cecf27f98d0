import { expect, it } from 'vitest'
import { del, get, journey, post } from '../../lib/journey.ts'
import { type Ledger, makeLedger } from '../../lib/ledger.ts'
import { scenario } from '../../lib/scenario.ts'
import { type Summary, unexpectedName } from '../../lib/summary.ts'
import { parseConfig, type Service } from '../config.ts'
import { compare, type Expectation, expectedOf, inWords } from './expected.ts'

const all = ['gateway', 'todos', 'webhooks']
const look = journey(
  'look',
  {
    list: get('/todos', 200, ['gateway', 'todos']),
    create: post('/todos', 201, all),
    remove: del('/todos/:id', 204, all),
  },
  () => {},
)
const declared = scenario('basic', { profile: 'basic', journeys: [{ journey: look, share: 1 }] })
const run = 0xc0ffee01

/** The ledger of so many iterations, the last few of them cut off after `list`. */
function ledgerOf(begun: number, completed = begun, checks: Summary['checks'] = []): Ledger {
  const counters = {
    'muster_begun{scenario:look}': begun,
    'iterations{scenario:look}': completed,
    'http_reqs{part:load,scenario:look,step:list}': begun,
    'http_reqs{part:load,scenario:look,step:create}': completed,
    'http_reqs{part:load,scenario:look,step:remove}': completed,
    http_reqs: begun + 2 * completed,
  }
  const metrics = Object.fromEntries(
    Object.entries(counters).map(([key, count]) => [key, { type: 'counter' as const, values: { count } }]),
  )
  return makeLedger({
    scenario: declared,
    plan: { run, instance: 0, firstNumber: 3 },
    summary: { metrics, checks, testRunDurationMs: 1 },
    oddLines: [],
  })
}

const logs = { selector: '{a="b"}', message: 'm' }
const parsed = parseConfig(
  {
    scenarios: ['basic.ts'],
    services: {
      gateway: { job: 'g', requests: { kind: 'http', metric: 'requests_total' }, logs, traces: { service: 'g' } },
      todos: { job: 't', requests: { kind: 'http', metric: 'requests_total' }, logs, traces: { service: 't' } },
      webhooks: { job: 'w', requests: { kind: 'queue', metric: 'deliveries_total' }, logs, traces: { service: 'w' } },
    },
  },
  'test',
)
function service(name: string): Service {
  const found = parsed.services[name]
  if (!found) throw new Error(name)
  return found
}
const expectation = (ledger: Ledger, name: string) => expectedOf(ledger, name, service(name))

/** What a service saw that saw exactly what was expected. */
const exactly = ({ rows }: Expectation) => new Map([...rows].map(([key, { min }]) => [key, min]))

it('expects every declared request of a calm load, by method, route and status', () => {
  expect([...expectation(ledgerOf(7), 'gateway').rows]).toEqual([
    ['GET /todos 200', { min: 7, max: 7 }],
    ['POST /todos 201', { min: 7, max: 7 }],
    ['DELETE /todos/:id 204', { min: 7, max: 7 }],
  ])
})

it('expects one delivery per step that reaches the queue, under the metric of the consumer', () => {
  expect([...expectation(ledgerOf(7), 'webhooks').rows]).toEqual([['deliveries_total', { min: 14, max: 14 }]])
})

it('is green if exactly what was sent was seen, and red if any one count is off by one', () => {
  for (const iterations of [1, 2, 17, 1000]) {
    const ledger = ledgerOf(iterations)
    for (const name of Object.keys(parsed.services)) {
      const wanted = expectation(ledger, name)
      const seen = exactly(wanted)
      expect(wanted.rows.size).toBeGreaterThan(0)
      expect(compare(wanted, seen, 'counted')).toMatchObject({ problems: [], empty: false, hopeless: false })
      for (const [key, count] of seen) {
        const short = compare(wanted, new Map(seen).set(key, count - 1), 'counted')
        expect(short.problems, `${name}: ${key} - 1`).toEqual([`${key}: ${count} sent, ${count - 1} counted`])
        // More may still arrive.
        expect(short.hopeless).toBe(false)
        const over = compare(wanted, new Map(seen).set(key, count + 1), 'counted')
        expect(over.problems, `${name}: ${key} + 1`).toEqual([`${key}: ${count} sent, ${count + 1} counted`])
        // What was seen too often no wait can mend.
        expect(over.hopeless).toBe(true)
      }
    }
  }
})

it('names what was never sent: another status, or a raw path for a route', () => {
  const wanted = expectation(ledgerOf(5), 'gateway')
  const strange = compare(wanted, new Map([...exactly(wanted), ['GET /todos/42 200', 1]]), 'logged')
  expect(strange.problems).toEqual(['GET /todos/42 200: none sent, 1 logged: foreign traffic, or a wrong label'])
  expect(strange.hopeless).toBe(true)
})

it('finds a swap of two statuses although the sum is right', () => {
  const wanted = expectation(ledgerOf(5), 'gateway')
  const seen = exactly(wanted).set('GET /todos 200', 4).set('GET /todos 500', 1)
  expect(compare(wanted, seen, 'counted').problems).toHaveLength(2)
})

it('has no data, rather than a failure of a count, if nothing at all was seen', () => {
  const wanted = expectation(ledgerOf(5), 'gateway')
  expect(compare(wanted, new Map(), 'counted')).toMatchObject({ empty: true, actual: 'nothing counted' })
  expect(compare(expectation(ledgerOf(0), 'gateway'), new Map(), 'counted').empty).toBe(false)
})

it('leaves open how many of the requests that were cut off arrived, under whatever status, but no more of them', () => {
  const wanted = expectation(ledgerOf(10, 8), 'gateway')
  const seen = exactly(wanted)
  expect(inWords(wanted)).toContain('POST /todos: up to 2 more, unanswered or cut off')
  const verdict = (key: string, count: number) => compare(wanted, new Map(seen).set(key, count), 'counted').problems
  expect(verdict('POST /todos 201', 8)).toEqual([])
  expect(verdict('POST /todos 201', 10)).toEqual([])
  expect(verdict('POST /todos 499', 2)).toEqual([])
  expect(verdict('POST /todos 201', 11)).toHaveLength(1)
  expect(verdict('POST /todos 201', 7)).toHaveLength(1)
  expect(verdict('POST /todos 499', 3)).toHaveLength(1)
})

it('spends what is open once, not once per status', () => {
  const wanted = expectation(ledgerOf(10, 8), 'gateway')
  const seen = exactly(wanted).set('POST /todos 201', 10).set('POST /todos 500', 1)
  expect(compare(wanted, seen, 'counted').problems).toHaveLength(1)
})

it('expects an unexpected answer at the service that gave it, and does not know what happened behind it', () => {
  const checks = [{ name: unexpectedName('load', 'look', 'create', 503, 0), passes: 0, fails: 2 }]
  const ledger = ledgerOf(10, 10, checks)
  expect(expectation(ledger, 'gateway').rows.get('POST /todos 503')).toEqual({ min: 2, max: 2 })
  expect(expectation(ledger, 'gateway').rows.get('POST /todos 201')).toEqual({ min: 8, max: 8 })
  expect(expectation(ledger, 'todos').unsure.get('POST /todos')).toBe(2)
})
