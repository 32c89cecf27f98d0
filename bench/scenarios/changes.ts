import { del, journey, patch, post, testData } from '../../lib/journey.ts'
import { scenario } from '../../lib/scenario.ts'
import { change, created, login, removed, viaTodos } from '../../scenarios/journeys/shapes.ts'
import { bearer, testPassword } from '../../scenarios/journeys/test-secret.ts'

const all = ['gateway', 'todos', 'webhooks']

/** Users that are logged in beforehand, so that every request of the load goes through all three services. */
const users = testData(
  20,
  { login: post('/login', 200, ['gateway'], login) },
  (visit) => visit.login({ body: { user: visit.user.name, password: testPassword } }).json<{ token: string }>(),
  () => undefined,
)

/** Three requests an iteration, each of eight spans over three services. */
const changes = journey(
  'changes',
  {
    create: post('/todos', 201, all, created),
    complete: patch('/todos/:id', 200, all, viaTodos('PATCH', '/todos/:id', ...change('UPDATE', 'todo.updated'))),
    remove: del('/todos/:id', 204, all, removed),
  },
  (visit) => {
    const headers = bearer(visit.data.token)
    const { id } = visit.create({ headers, body: { title: 'to be counted' } }).json<{ id: number }>()
    visit.complete({ id, headers, body: { done: true } })
    visit.remove({ id, headers })
  },
  users,
)

export default scenario('changes', { profile: 'basic', journeys: [{ journey: changes, share: 1 }], timeout: '20s' })
