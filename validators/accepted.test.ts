import { expect, it } from 'vitest'
import type { CheckResult, Verdict } from '../lib/verdict.ts'
import { Acceptances, acceptedEntry } from './accepted.ts'
import { put } from './check.ts'
import { exitCodeOf } from './run.ts'

const entry = {
  check: 'metrics.request-count.todos',
  reason: 'retries are counted twice until SHOP-12',
  owner: 'todos',
  expires: '2027-01-31',
}
const lastMoment = Date.parse('2027-01-31T23:59:59.999Z')

function result(verdict: Verdict, id = entry.check, scenario = 'basic'): CheckResult {
  const evidence = { expected: '5', actual: '6', attempts: 1, elapsedMs: 1 }
  const reason = verdict === 'passed' ? {} : { reason: '5 sent, 6 counted' }
  return { id, title: 'counted', signal: 'metrics', scenario, verdict, ...reason, evidence }
}

async function verdictsOf(acceptances: Acceptances, partial = false) {
  const checks = acceptances.checks(partial)
  return Promise.all(checks.map((check) => put(check, new AbortController().signal)))
}

it('turns a failure into a counted exception, whose words remain, to the last moment of its day', async () => {
  const acceptances = new Acceptances([entry], lastMoment)
  const applied = acceptances.apply(result('failed'))
  expect(applied).toMatchObject({
    verdict: 'accepted',
    accepted: { owner: 'todos', expires: '2027-01-31', reason: entry.reason },
    reason: `todos accepts it until 2027-01-31: ${entry.reason}; what failed: 5 sent, 6 counted`,
  })
  const [own] = await verdictsOf(acceptances)
  expect(own).toMatchObject({ id: 'stack.accepted.metrics.request-count.todos', verdict: 'passed' })
  expect(exitCodeOf([applied, result('passed', 'a.b')])).toBe(0)
})

it('is red a moment later: for the failure and for the entry', async () => {
  const acceptances = new Acceptances([entry], lastMoment + 1)
  expect(acceptances.apply(result('failed')).verdict).toBe('failed')
  const [own] = await verdictsOf(acceptances)
  expect(own).toMatchObject({ verdict: 'failed', reason: expect.stringContaining('it expired after 2027-01-31') })
})

it.each<Verdict>(['no-data', 'errored', 'skipped', 'passed'])('leaves %s as it is', (verdict) => {
  expect(new Acceptances([entry], 0).apply(result(verdict)).verdict).toBe(verdict)
})

it('does not make green what has nothing but exceptions', () => {
  expect(exitCodeOf([new Acceptances([entry], 0).apply(result('failed'))])).toBe(1)
})

it.each<[string, CheckResult[], boolean, Verdict, string]>([
  ['passes again', [result('passed')], false, 'failed', 'passes: take the entry out of accepted'],
  ['is not there at all', [], false, 'failed', 'there is no check metrics.request-count.todos'],
  ['was left out of the run', [], true, 'skipped', 'was not put in this run'],
  ['had no data', [result('no-data')], false, 'skipped', 'could not be judged'],
  ['failed once of two', [result('passed'), result('failed')], false, 'passed', ''],
])('judges an entry whose check %s', async (_, results, partial, verdict, reason) => {
  const acceptances = new Acceptances([entry], 0)
  for (const one of results) acceptances.apply(one)
  const [own] = await verdictsOf(acceptances, partial)
  expect(own?.verdict).toBe(verdict)
  expect(own?.reason ?? '').toContain(reason)
})

it('accepts in one scenario alone, and by the beginning of an id, what it says and nothing beside it', () => {
  const [scoped, wide] = [
    new Acceptances([{ ...entry, scenario: 'stress' }], 0),
    new Acceptances([{ ...entry, check: 'metrics.request-count.*' }], 0),
  ]
  expect(scoped.apply(result('failed')).verdict).toBe('failed')
  expect(scoped.apply(result('failed', entry.check, 'stress')).verdict).toBe('accepted')
  expect(wide.apply(result('failed', 'metrics.request-count.a.b')).verdict).toBe('accepted')
  expect(wide.apply(result('failed', 'metrics.request-counted')).verdict).toBe('failed')
})

it.each([
  ['a whole signal', { ...entry, check: 'metrics.*' }],
  ['everything', { ...entry, check: '*' }],
  ['what makes the run invalid', { ...entry, check: 'load.books' }],
  ['a signal that there is not', { ...entry, check: 'metric.request-count.todos' }],
  ['no owner', { ...entry, owner: ' ' }],
  ['no day', { ...entry, expires: '2027-02-30' }],
])('refuses an entry with %s', (_, raw) => {
  expect(acceptedEntry.safeParse(raw).success).toBe(false)
})

it('never accepts that the load was another', () => {
  const acceptances = new Acceptances([{ ...entry, check: 'load.dropped.*' }], 0)
  expect(acceptances.apply(result('failed', 'load.dropped')).verdict).toBe('failed')
})
