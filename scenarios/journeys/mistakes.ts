import { get, journey, post } from '../../lib/journey.ts'
import { login, select, viaTodos } from './shapes.ts'
import { bearer, testPassword } from './test-secret.ts'

const todos = ['gateway', 'todos']

/** What users get wrong. The 4xx answers are the right ones and count as no errors. */
export const mistakes = journey(
  'mistakes',
  {
    badLogin: post('/login', 401, ['gateway'], login),
    login: post('/login', 200, ['gateway'], login),
    unknownId: get('/todos/:id', 404, todos, viaTodos('GET', '/todos/:id', select)),
    invalidBody: post('/todos', 400, todos, viaTodos('POST', '/todos')),
  },
  (visit) => {
    const user = visit.user.name
    visit.badLogin({ body: { user, password: 'wrong' } })
    const { token } = visit.login({ body: { user, password: testPassword } }).json<{ token: string }>()
    const headers = bearer(token)
    visit.unknownId({ id: 999_999_999, headers })
    visit.invalidBody({ headers, body: { title: 42 } })
  },
)
