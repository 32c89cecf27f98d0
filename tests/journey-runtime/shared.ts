import { get, journey } from '../../lib/journey.ts'
import { scenario } from '../../lib/scenario.ts'

const services = ['gateway']
const steps = { first: get('/things', 200, services), second: get('/coin', 200, services) }

const plain = journey('plain', steps, (visit) => {
  visit.first()
  visit.second()
})

const stumbling = journey('stumbling', steps, (visit) => {
  visit.first()
  if (visit.user.iteration % 7 === 2) throw new Error('stumbled')
  visit.second()
})

/** Two journeys under a rising rate; part of the requests are to be traced. */
export default scenario('shared', {
  profile: 'stress',
  rate: 120,
  duration: '3s',
  sample: 0.25,
  journeys: [
    { journey: plain, share: 2 },
    { journey: stumbling, share: 1 },
  ],
})
