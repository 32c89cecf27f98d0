import { scenario } from '../lib/scenario.ts'
import { browse } from './journeys/browse.ts'
import { manageTodos } from './journeys/manage-todos.ts'
import { mistakes } from './journeys/mistakes.ts'

/** Everyday load, mostly reading. */
export default scenario('basic', {
  profile: 'basic',
  journeys: [
    { journey: browse, share: 5 },
    { journey: manageTodos, share: 4 },
    { journey: mistakes, share: 1 },
  ],
})
