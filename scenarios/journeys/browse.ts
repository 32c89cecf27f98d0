import { del, get, journey, post, testData } from '../../lib/journey.ts'
import { created, login, removed, select, viaTodos } from './shapes.ts'
import { bearer, testPassword } from './test-secret.ts'

const gateway = ['gateway']
const todos = ['gateway', 'todos']
const all = ['gateway', 'todos', 'webhooks']

/** Ten users with a todo each, so that there is something to read. */
const oneTodo = testData(
  10,
  {
    login: post('/login', 200, gateway, login),
    create: post('/todos', 201, all, created),
    remove: del('/todos/:id', 204, all, removed),
  },
  (visit) => {
    const { token } = visit.login({ body: { user: visit.user.name, password: testPassword } }).json<{ token: string }>()
    const headers = bearer(token)
    const { id } = visit.create({ headers, body: { title: 'something to read' } }).json<{ id: string | number }>()
    return { id, headers }
  },
  (visit) => {
    visit.remove(visit.data)
  },
)

/** Looks around and changes nothing. */
export const browse = journey(
  'browse',
  {
    login: post('/login', 200, gateway, login),
    list: get('/todos', 200, todos, viaTodos('GET', '/todos', select)),
    read: get('/todos/:id', 200, todos, viaTodos('GET', '/todos/:id', select)),
  },
  (visit) => {
    const { token } = visit.login({ body: { user: visit.user.name, password: testPassword } }).json<{ token: string }>()
    const headers = bearer(token)
    visit.list({ headers })
    visit.read({ id: visit.data.id, headers })
  },
  oneTodo,
)
