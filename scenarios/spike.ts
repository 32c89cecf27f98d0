import { scenario } from '../lib/scenario.ts'
import { browse } from './journeys/browse.ts'
import { manageTodos } from './journeys/manage-todos.ts'
import { mistakes } from './journeys/mistakes.ts'

/** A sudden tenfold burst, then recovery. */
export default scenario('spike', {
  profile: 'spike',
  journeys: [
    { journey: browse, share: 5 },
    { journey: manageTodos, share: 4 },
    { journey: mistakes, share: 1 },
  ],
})
