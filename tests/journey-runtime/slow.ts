import { get, journey } from '../../lib/journey.ts'
import { scenario } from '../../lib/scenario.ts'

const services = ['gateway']

const slow = journey('slow', { first: get('/slow', 200, services), second: get('/slow', 200, services) }, (visit) => {
  visit.first()
  visit.second()
})

/** Long enough to be interrupted, with requests always under way. */
export default scenario('slow', {
  profile: 'basic',
  rate: 60,
  duration: '30s',
  journeys: [{ journey: slow, share: 1 }],
})
