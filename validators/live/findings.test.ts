import { expect, it } from 'vitest'
import { parseConfig } from '../config.ts'
import { Problems } from '../roll-call/problems.ts'
import { edgesOf } from './edges.ts'
import { countedLogged, lines, loggedTraced } from './findings.ts'
import type { LiveService } from './gather.ts'
import { Meetings } from './meetings.ts'

const service = { job: 'api', requests: { kind: 'http', metric: 'm' }, logs: { selector: '{a="b"}', message: 'done' } }
const config = (traces: object) => ({
  config: parseConfig(
    { services: { api: { ...service, traces: { service: 'api' } } }, scenarios: ['x.ts'], traces },
    'c',
  ),
})

/** What was seen of one instance between its scrapes at 1 s and at 9 s; each number is the moment of one request. */
function seen(counted: number, logged: readonly number[], traced: readonly number[], more: object = {}): LiveService {
  const scrape = (at: number) => ({ at, by: at })
  const instance = { name: 'one', first: scrape(1000), last: scrape(9000), counted, inFlight: undefined, deaths: [] }
  const instances = [{ ...instance, ...more }]
  const edges = edgesOf(instances, { ms: 0, unsureMs: 0 })
  const meetings = new Meetings()
  const note = (kind: 'lines' | 'spans') => (at: number) =>
    meetings.note(kind, { traceId: at.toString(16).padStart(32, '0'), spanId: 'a', at })
  logged.forEach(note('lines'))
  traced.forEach(note('spans'))
  const met = meetings.met(edges, true)
  return {
    counted: { instances, problems: [] },
    seen: { edges, met, malformed: new Problems() },
    attempts: 1,
    elapsedMs: 1,
  }
}
const quiet = [2000, 3000, 4000, 5000]

it('exact where the edges are quiet; two of three say which one is wrong', () => {
  expect(countedLogged(seen(4, quiet, quiet))).toMatchObject({ problems: [], empty: false })
  expect(countedLogged(seen(3, quiet, quiet)).problems[0]).toBe(
    '1 request logged, but not counted: the spans agree with the lines: likely the service, whose counter is wrong',
  )
  expect(countedLogged(seen(4, quiet.slice(1), quiet)).problems[0]).toBe(
    '1 request counted, but not logged: the spans agree with the counter: lines were lost, by the service or on their way',
  )
})

it('requests at the edges, in flight or around a restart make a band', () => {
  const busy = [1000, ...quiet, 9000]
  for (const counted of [4, 5, 6]) expect(countedLogged(seen(counted, busy, busy)).problems).toEqual([])
  for (const counted of [3, 7]) expect(countedLogged(seen(counted, busy, busy)).problems).not.toEqual([])
  const flying = { inFlight: [1, 2] }
  for (const counted of [3, 8]) expect(countedLogged(seen(counted, busy, busy, flying)).problems).toEqual([])
  const restarted = { deaths: [{ after: 2500, by: 4500 }] }
  expect(countedLogged(seen(2, quiet, quiet, restarted)).problems).toEqual([])
  expect(countedLogged(seen(1, quiet, quiet, restarted)).problems).not.toEqual([])
})

it('where traces are sampled, an untraced request is told but not judged', () => {
  const some = seen(4, quiet, quiet.slice(1))
  expect(loggedTraced(some, config({})).problems[0]).toBe('1 request logged, but not traced')
  const sampled = config({ sampling: { by: 'service', share: 0.5 } })
  expect(loggedTraced(some, sampled)).toMatchObject({ problems: [], empty: false })
  expect(loggedTraced(seen(4, quiet.slice(1), quiet), sampled).problems[0]).toBe('1 request traced, but not logged')
})

it('nothing, or nothing but at the edges, proves nothing', () => {
  for (const nothing of [seen(0, [], []), seen(0, [1000], [1000])]) {
    expect(countedLogged(nothing).empty).toBe(true)
    expect(loggedTraced(nothing, config({})).empty).toBe(true)
    expect(lines(nothing).empty).toBe(true)
  }
})
