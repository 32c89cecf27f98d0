import { expect, test } from 'vitest'
import { Faults, faultNames, leaseRequest } from './faults.ts'

function setUp() {
  const clock = { now: 0 }
  return { clock, faults: new Faults(faultNames, () => clock.now) }
}
const lease = (fields: object) => leaseRequest.parse({ ttlMs: 1000, ...fields })

test('a lease ends by itself', () => {
  const { clock, faults } = setUp()
  const { id } = faults.grant(lease({ fault: 'stall' }))
  clock.now = 999
  expect(faults.isOn('stall')).toBe(true)
  clock.now = 1000
  expect(faults.isOn('stall')).toBe(false)
  expect(faults.active()).toEqual([])
  expect(faults.lift(id)).toBe(false)
})

test('a lifted lease is off, and the earlier one of the same fault is back', () => {
  const { faults } = setUp()
  faults.grant(lease({ fault: 'latency', ms: 10 }))
  const { id } = faults.grant(lease({ fault: 'latency', ms: 20 }))
  expect(faults.get('latency')?.ms).toBe(20)
  expect(faults.lift(id)).toBe(true)
  expect(faults.get('latency')?.ms).toBe(10)
})

test('an error ratio is kept, also among every fifth request', () => {
  const { faults } = setUp()
  faults.grant(lease({ fault: 'error', ratio: 0.3 }))
  const struck = Array.from({ length: 1000 }, () => faults.strikes('error'))
  const share = (hits: readonly boolean[]) => hits.filter(Boolean).length / hits.length
  expect(share(struck)).toBeCloseTo(0.3, 2)
  for (let step = 0; step < 5; step++) expect(share(struck.filter((_, n) => n % 5 === step))).toBeCloseTo(0.3, 1)
})

test('one in 200 is exactly one in 200', () => {
  const { faults } = setUp()
  faults.grant(lease({ fault: 'skip-counter', ratio: 1 / 200 }))
  const skipped = Array.from({ length: 1000 }, () => faults.strikesEveryNth('skip-counter'))
  expect(skipped.flatMap((hit, n) => (hit ? [n + 1] : []))).toEqual([200, 400, 600, 800, 1000])
})

test.each([
  [{ fault: 'none', ttlMs: 1 }],
  [{ fault: 'error' }],
  [{ fault: 'error', ttlMs: 600_001 }],
  [{ fault: 'error', ttlMs: 1, ratio: 1.1 }],
  [{ fault: 'latency', ttlMs: 1 }],
  [{ fault: 'clock-skew', ttlMs: 1 }],
  [{ fault: 'delay-logs', ttlMs: 1, ms: -1 }],
  [{ fault: 'drop-level', ttlMs: 1, level: 'loud' }],
])('%j is refused', (request) => {
  expect(leaseRequest.safeParse(request).success).toBe(false)
})
