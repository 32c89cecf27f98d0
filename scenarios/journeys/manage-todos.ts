import { del, get, journey, patch, post } from '../../lib/journey.ts'
import { bearer, testPassword } from './test-secret.ts'

const todos = ['gateway', 'todos']
const all = ['gateway', 'todos', 'webhooks']

/** One todo's whole life; every change is told to a subscriber. */
export const manageTodos = journey(
  'manage-todos',
  {
    login: post('/login', 200, ['gateway'], 2),
    create: post('/todos', 201, all, 8),
    list: get('/todos', 200, todos, 5),
    complete: patch('/todos/:id', 200, all, 8),
    remove: del('/todos/:id', 204, all, 8),
  },
  (visit) => {
    const { token } = visit.login({ body: { user: visit.user.name, password: testPassword } }).json<{ token: string }>()
    const headers = bearer(token)
    const { id } = visit
      .create({ headers, body: { title: `buy milk ${visit.user.iteration}` } })
      .json<{ id: string | number }>()
    visit.list({ headers })
    visit.complete({ id, headers, body: { done: true } })
    visit.remove({ id, headers })
  },
)
