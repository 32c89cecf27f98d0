import { del, get, journey, post, testData } from '../../lib/journey.ts'
import { scenario } from '../../lib/scenario.ts'

const services = ['gateway']

const made = testData(
  3,
  { make: post('/things', 201, services), drop: del('/things/:id', 204, services) },
  (visit) => ({ id: visit.make({ body: { of: visit.user.name } }).json<{ id: number }>().id }),
  (visit) => {
    visit.drop(visit.data)
  },
)

const calm = journey(
  'calm',
  {
    list: get('/things', 200, services),
    missing: get('/missing', 404, services),
    read: get('/things/:id', 200, services),
  },
  (visit) => {
    visit.list()
    visit.missing()
    visit.read({ id: visit.data.id })
  },
  made,
)

const throwing = journey(
  'throwing',
  { first: get('/things', 200, services), second: get('/things', 200, services) },
  (visit) => {
    visit.first()
    if (visit.user.iteration % 10 === 3) throw new Error('one in ten\nthrows')
    visit.second()
  },
)

const looping = journey(
  'looping',
  { poll: get('/things', 200, services), end: get('/things', 200, services) },
  (visit) => {
    for (let n = 0; n <= visit.user.iteration % 3; n++) visit.poll()
    visit.end()
  },
)

const branching = journey(
  'branching',
  { coin: get('/coin', 200, services), heads: get('/things', 200, services), tails: get('/things', 200, services) },
  (visit) => {
    if (visit.coin().json<{ heads: boolean }>().heads) visit.heads()
    visit.tails()
  },
)

const failing = journey(
  'failing',
  { flaky: get('/flaky', 200, services), after: get('/things', 200, services) },
  (visit) => {
    visit.flaky()
    visit.after()
  },
)

/** All the ways in which an iteration may depart from its declaration. */
export default scenario('mixed', {
  profile: 'basic',
  rate: 100,
  duration: '3s',
  journeys: [calm, throwing, looping, branching, failing].map((one) => ({ journey: one, share: 1 })),
})
