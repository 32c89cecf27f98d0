import { expect, it } from 'vitest'
import { get, journey } from './journey.ts'
import { makeLedger } from './ledger.ts'
import { scenario } from './scenario.ts'
import { formatOdd, type OddLine, parseOdd, type Summary, unexpectedName } from './summary.ts'
import { sentinelInstance } from './trace-id.ts'

const look = journey(
  'look',
  { list: get('/todos', 200, ['gateway', 'todos']), read: get('/todos/:id', 200, ['gateway']) },
  () => {},
)
const declared = scenario('basic', { profile: 'basic', journeys: [{ journey: look, share: 1 }] })
const plan = { run: 1, instance: 0, firstNumber: 0 }

function books(counts: Record<string, number>, oddLines: OddLine[] = [], checks: Summary['checks'] = []) {
  const entries = Object.entries(counts).map(([key, count]) => [key, { type: 'counter' as const, values: { count } }])
  const summary: Summary = { metrics: Object.fromEntries(entries), checks, testRunDurationMs: 1 }
  return makeLedger({ scenario: declared, plan, summary, oddLines })
}
const counts = (begun: number, completed: number, odd: number, list: number, read: number, total = list + read) => ({
  'muster_begun{scenario:look}': begun,
  'iterations{scenario:look}': completed,
  'muster_odd{scenario:look}': odd,
  'http_reqs{part:load,scenario:look,step:list}': list,
  'http_reqs{part:load,scenario:look,step:read}': read,
  http_reqs: total,
})
const odd = (iteration: number, path: number[]): OddLine => ({ journey: 'look', iteration, path, why: 'threw boo: ha' })

it('enumerates calm and odd iterations', () => {
  const ledger = books(counts(3, 3, 1, 4, 2), [odd(1, [0, 0])])
  expect(ledger.problems).toEqual([])
  const ids = [...ledger.sent()].map(({ origin, must }) => ({ ...origin, must }))
  expect(ids.map(({ iteration, step, repetition }) => [iteration, step, repetition])).toEqual([
    [0, 0, 0],
    [0, 1, 0],
    [1, 0, 0],
    [1, 0, 1],
    [2, 0, 0],
    [2, 1, 0],
  ])
  expect(ids.every(({ must }) => must)).toBe(true)
})

it('notices lost odd lines, requests of no step, and iterations that do not add up', () => {
  expect(books(counts(3, 3, 1, 3, 2)).problems).toEqual([
    'look: 1 odd iterations were counted, but 0 lines arrived',
    'look/read: k6 counted 2 requests, the iterations account for 3',
  ])
  expect(books(counts(3, 3, 0, 3, 3, 7))).toMatchObject({
    remainder: 1,
    problems: [expect.stringContaining('k6 counted 7')],
  })
})

it('makes bands of what was cut off', () => {
  const ledger = books(counts(3, 2, 0, 3, 2))
  expect(ledger.problems).toEqual([])
  expect(ledger.requests).toEqual([5, 6])
  expect([...ledger.sent()].every(({ must }) => !must)).toBe(true)
  expect(ledger.expected('todos')).toMatchObject([
    { status: 200, count: [3, 3] },
    { status: undefined, count: [0, 1] },
  ])
})

it('is sure of unexpected answers at the first service only', () => {
  const checks = [
    { name: unexpectedName('load', 'look', 'list', 500, 0), passes: 0, fails: 2 },
    { name: unexpectedName('load', 'look', 'list', 0, 1050), passes: 0, fails: 1 },
  ]
  const ledger = books(counts(9, 9, 0, 9, 9), [], checks)
  expect(ledger.unanswered).toBe(1)
  expect(ledger.expected('gateway').filter(({ step }) => step === 'list')).toMatchObject([
    { status: 200, count: [6, 6] },
    { status: 500, count: [2, 2] },
    { status: undefined, count: [0, 1] },
  ])
  expect(ledger.expected('todos')).toMatchObject([
    { status: 200, count: [6, 6] },
    { status: undefined, count: [0, 3] },
  ])
  expect(ledger.expected('webhooks')).toEqual([])
})

it('takes what muster itself sent as part of what was sent, but not of what k6 counted', () => {
  const declared = get('/todos', 200, ['gateway', 'todos'])
  const request = { step: 'list', number: 0, declared, repetition: 0, answeredAt: 0 }
  const summary: Summary = { metrics: {}, checks: [], testRunDurationMs: 1 }
  const ledger = makeLedger({
    scenario: scenario('basic', { profile: 'basic', journeys: [{ journey: look, share: 1 }] }),
    plan,
    summary,
    oddLines: [],
    sentinels: [
      { ...request, iteration: 0, status: 200 },
      { ...request, iteration: 1, status: 503 },
      { ...request, iteration: 2, status: 0 },
    ],
  })
  expect(ledger.problems).toEqual([])
  expect(ledger.requests).toEqual([0, 0])
  expect([...ledger.sent()].map(({ origin }) => [origin.instance, origin.iteration])).toEqual([
    [sentinelInstance, 0],
    [sentinelInstance, 1],
    [sentinelInstance, 2],
  ])
  expect(ledger.expected('gateway').filter(({ part }) => part === 'sentinel')).toMatchObject([
    { part: 'sentinel', status: 200, count: [1, 1] },
    { status: 503, count: [1, 1] },
    { status: undefined, count: [0, 1] },
  ])
})

it('writes and reads odd lines', () => {
  for (const line of [odd(7, [0, 1, 1]), odd(0, [])]) expect(parseOdd(formatOdd(line))).toEqual(line)
  expect(parseOdd('odd one out')).toBeUndefined()
})
