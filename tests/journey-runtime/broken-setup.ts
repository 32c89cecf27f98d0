import { get, journey, testData } from '../../lib/journey.ts'
import { scenario } from '../../lib/scenario.ts'

const services = ['gateway']

const broken = testData(
  1,
  { look: get('/flaky', 418, services) },
  (visit) => visit.look().json<object>(),
  () => {},
)

/** Its set-up throws. */
export default scenario('broken-setup', {
  profile: 'smoke',
  journeys: [
    {
      journey: journey('never', { one: get('/things', 200, services) }, (visit) => void visit.one(), broken),
      share: 1,
    },
  ],
})
