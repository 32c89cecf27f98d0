import { del, get, journey, patch, post } from '../../lib/journey.ts'
import { change, created, login, removed, select, viaTodos } from './shapes.ts'
import { bearer, testPassword } from './test-secret.ts'

const todos = ['gateway', 'todos']
const all = ['gateway', 'todos', 'webhooks']

/** One todo's whole life; every change is told to a subscriber. */
export const manageTodos = journey(
  'manage-todos',
  {
    login: post('/login', 200, ['gateway'], login),
    create: post('/todos', 201, all, created),
    list: get('/todos', 200, todos, viaTodos('GET', '/todos', select)),
    complete: patch('/todos/:id', 200, all, viaTodos('PATCH', '/todos/:id', ...change('UPDATE', 'todo.updated'))),
    remove: del('/todos/:id', 204, all, removed),
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
