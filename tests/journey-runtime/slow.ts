import { get, journey } from '../../lib/journey.ts'
import { scenario } from '../../lib/scenario.ts'

const services = ['gateway']
const steps = { first: get('/slow', 200, services), second: get('/slow', 200, services) }

const slow = journey('slow', steps, (visit) => {
  visit.first()
  visit.second()
})

const stumbling = journey('stumbling', steps, (visit) => {
  visit.first()
  if (visit.user.iteration % 3 === 1) throw new Error('stumbled')
  visit.second()
})

/** Long enough to be interrupted, with requests always under way. */
export default scenario('slow', {
  profile: 'basic',
  rate: 60,
  duration: '30s',
  journeys: [slow, stumbling].map((one) => ({ journey: one, share: 1 })),
})
