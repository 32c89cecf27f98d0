import { get, journey } from '../../lib/journey.ts'
import { scenario } from '../../lib/scenario.ts'

const idle = journey('idle', { list: get('/todos', 200, ['gateway', 'todos']) }, () => {})

/** Declares a step and sends none: k6 itself ends with 0 and calls that a success. */
export default scenario('sends-nothing', {
  profile: 'basic',
  rate: 5,
  duration: '2s',
  journeys: [{ journey: idle, share: 1 }],
})
