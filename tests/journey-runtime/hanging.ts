import { get, journey } from '../../lib/journey.ts'
import { scenario } from '../../lib/scenario.ts'

const services = ['gateway']

const wait = journey('wait', { hang: get('/hang', 200, services), after: get('/things', 200, services) }, (visit) => {
  visit.hang()
  visit.after()
})

/** Some answers never come; the time-out is short. */
export default scenario('hanging', {
  profile: 'basic',
  rate: 20,
  duration: '2s',
  timeout: '400ms',
  journeys: [{ journey: wait, share: 1 }],
})
