import { get, journey } from '../../lib/journey.ts'
import { scenario } from '../../lib/scenario.ts'

/** Without a token the gateway answers 401. */
const stranger = journey('stranger', { list: get('/todos', 200, ['gateway']) }, (visit) => {
  visit.list()
})

export default scenario('wrong-status', {
  profile: 'basic',
  rate: 5,
  duration: '2s',
  journeys: [{ journey: stranger, share: 1 }],
})
