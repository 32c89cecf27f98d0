import { expect, it } from 'vitest'
import { Attendance } from './attendance.ts'
import { get, journey, post, testData } from './journey.ts'
import { type Ledger, makeLedger } from './ledger.ts'
import { Roll } from './roll.ts'
import { scenario } from './scenario.ts'
import { type OddLine, type Summary, unexpectedName } from './summary.ts'
import { traceId } from './trace-id.ts'

const both = ['gateway', 'todos']
const setUp = testData(
  2,
  { make: post('/todos', 201, both) },
  () => ({}),
  () => {},
)
const look = journey(
  'look',
  { list: get('/todos', 200, both), login: post('/login', 200, ['gateway']) },
  () => {},
  setUp,
)
const declared = scenario('basic', { profile: 'basic', journeys: [{ journey: look, share: 1 }] })
const plan = { run: 0xc0ffee01, instance: 0, firstNumber: 3 }

function ledgerOf(
  begun: number,
  completed = begun,
  oddLines: readonly OddLine[] = [],
  checks: Summary['checks'] = [],
): Ledger {
  const repeated = oddLines.reduce((sum, { path }) => sum + path.length - 2, 0)
  const counters = {
    'muster_begun{scenario:look}': begun,
    'iterations{scenario:look}': completed,
    'muster_odd{scenario:look}': oddLines.length,
    'http_reqs{part:load,scenario:look,step:list}': begun + repeated,
    'http_reqs{part:load,scenario:look,step:login}': completed,
    'http_reqs{part:setup,journey:look,step:make}': 2,
    http_reqs: begun + repeated + completed + 2,
  }
  const metrics = Object.fromEntries(
    Object.entries(counters).map(([key, count]) => [key, { type: 'counter' as const, values: { count } }]),
  )
  return makeLedger({ scenario: declared, plan, summary: { metrics, checks, testRunDurationMs: 1 }, oddLines })
}

/** Sees every request once. */
function complete(roll: Roll): Attendance {
  const attendance = new Attendance(roll)
  for (const [place] of roll.places()) attendance.mark(roll.id(place))
  return attendance
}

it('gives every request that was sent a place, and no other id', () => {
  const odd: OddLine = { journey: 'look', iteration: 4, path: [0, 0, 0, 1], why: 'left the order' }
  const roll = new Roll(ledgerOf(10, 10, [odd]))
  const places = [...roll.places()].map(([place]) => place)
  expect(places).toHaveLength(24)
  expect(new Set(places).size).toBe(24)
  for (const place of places) expect(roll.place(roll.id(place))).toBe(place)
  const origin = { run: plan.run, instance: 0, scenario: 3, step: 0, repetition: 0, iteration: 9 }
  expect(roll.place(traceId(origin))).toBeGreaterThanOrEqual(0)
  expect(roll.place(traceId({ ...origin, iteration: 10 }))).toBe(-1)
  expect(roll.place(traceId({ ...origin, iteration: 4, repetition: 2 }))).toBeGreaterThanOrEqual(0)
  expect(roll.place(traceId({ ...origin, iteration: 4, repetition: 3 }))).toBe(-1)
  expect(roll.place(traceId({ ...origin, run: 1 }))).toBe(-1)
  expect(roll.place('00000000000000000000000000000001')).toBe(-1)
})

it('knows what another scenario of the run sent from what nobody can have sent', () => {
  const roll = new Roll(ledgerOf(10))
  const origin = { run: plan.run, instance: 0, scenario: 3, step: 0, repetition: 0, iteration: 10 }
  expect(roll.isElsewhere(traceId(origin))).toBe(false)
  expect(roll.isElsewhere(traceId({ ...origin, scenario: 4 }))).toBe(true)
  expect(roll.isElsewhere(traceId({ ...origin, instance: 254 }))).toBe(true)
  expect(roll.isElsewhere(traceId({ ...origin, run: 1 }))).toBe(false)
  const attendance = new Attendance(roll)
  attendance.mark(traceId(origin))
  attendance.mark(traceId({ ...origin, scenario: 4 }))
  expect(attendance.tally(ledgerOf(10), 'gateway').foreign).toBe(1)
})

it('calls a complete roll complete, whatever the size, and names one that is missing, doubled or foreign', () => {
  for (const size of [1, 7, 1000]) {
    const ledger = ledgerOf(size)
    const roll = new Roll(ledger)
    const whole = complete(roll).tally(ledger, 'gateway')
    expect(whole).toMatchObject({ sent: [2 * size + 2, 2 * size + 2], present: 2 * size + 2 })
    expect(whole).toMatchObject({ missing: 0, doubled: 0, foreign: 0, uncalled: 0 })
    const lost = roll.place(traceId({ run: plan.run, instance: 0, scenario: 3, step: 1, repetition: 0, iteration: 0 }))
    const short = complete(roll)
    short.counts[lost] = 0
    expect(short.tally(ledger, 'gateway')).toMatchObject({ missing: 1, missingIds: [roll.id(lost)], doubled: 0 })
    const twice = complete(roll)
    twice.mark(roll.id(lost))
    // As many lines as requests, and yet one is missing.
    twice.counts[0] = lost === 0 ? 2 : 0
    expect(twice.tally(ledger, 'gateway')).toMatchObject({ doubled: 1, doubledIds: [roll.id(lost)] })
    const strange = complete(roll)
    strange.mark('ffffffffffffffffffffffffffffffff')
    expect(strange.tally(ledger, 'gateway')).toMatchObject({ missing: 0, foreign: 1 })
  }
})

it('finds a request at a service that its step does not name', () => {
  const ledger = ledgerOf(5)
  expect(complete(new Roll(ledger)).tally(ledger, 'todos')).toMatchObject({ sent: [7, 7], uncalled: 5 })
})

it('leaves open what was cut off, and excuses no more than were never answered', () => {
  const cut = ledgerOf(10, 8)
  const none = new Attendance(new Roll(cut)).tally(cut, 'gateway')
  expect(none.sent[0]).toBe(2)
  expect(none.missing).toBe(2)
  const checks = [{ name: unexpectedName('load', 'look', 'list', 0, 1050), passes: 0, fails: 3 }]
  const ledger = ledgerOf(10, 10, [], checks)
  const roll = new Roll(ledger)
  const lists = [...roll.places()].filter(([, { step }]) => step === 'list').map(([place]) => place)
  const seen = complete(roll)
  for (const place of lists.slice(0, 3)) seen.counts[place] = 0
  expect(seen.tally(ledger, 'gateway')).toMatchObject({ sent: [19, 22], missing: 0 })
  seen.counts[lists[3] ?? -1] = 0
  expect(seen.tally(ledger, 'gateway')).toMatchObject({ missing: 1 })
})

it('wants what is demanded: what must not be sampled is surplus if it is there', () => {
  const ledger = ledgerOf(4)
  const roll = new Roll(ledger)
  const [first] = [...roll.places()].map(([place]) => place)
  const tally = complete(roll).tally(ledger, 'gateway', (place) => (place === first ? 'never' : 'must'))
  expect(tally).toMatchObject({ missing: 0, uncalled: 1, uncalledIds: [roll.id(first ?? -1)] })
})
