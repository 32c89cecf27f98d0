import { del, post } from '../lib/journey.ts'
import { sentinel } from '../lib/sentinel.ts'
import { created, login, removed } from './journeys/shapes.ts'
import { bearer, testPassword } from './journeys/test-secret.ts'

const all = ['gateway', 'todos', 'webhooks']

/** Makes a todo and removes it again, through all services; muster measures how soon each of the requests can be found. */
export default sentinel(
  {
    login: post('/login', 200, ['gateway'], login),
    create: post('/todos', 201, all, created),
    remove: del('/todos/:id', 204, all, removed),
  },
  {
    prepare: async (hands) => {
      const { token } = (await hands.login({ body: { user: 'sentinel', password: testPassword } })).json<{
        token: string
      }>()
      return bearer(token)
    },
    visit: async ({ create, remove, visit, data: headers }) => {
      const { id } = (await create({ headers, body: { title: `keep watch ${visit}` } })).json<{ id: string | number }>()
      await remove({ id, headers })
    },
  },
)
