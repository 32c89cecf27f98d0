import { scenario } from '../lib/scenario.ts'
import { browse } from './journeys/browse.ts'
import { manageTodos } from './journeys/manage-todos.ts'
import { mistakes } from './journeys/mistakes.ts'

/** A few iterations of everything: does it work at all? */
export default scenario('smoke', {
  profile: 'smoke',
  journeys: [
    { journey: browse, share: 5 },
    { journey: manageTodos, share: 4 },
    { journey: mistakes, share: 1 },
  ],
})
