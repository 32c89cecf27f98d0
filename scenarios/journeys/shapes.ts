import { client, consumer, internal, producer, type SpanShape, server } from '../../lib/span-shape.ts'

/** The trace of a login: the gateway alone. */
export const login = server('gateway', 'POST /login', internal('authenticate'))

/** The trace of a request that the gateway passes on to todos, with what todos does for it. */
export function viaTodos(method: string, route: string, ...work: readonly SpanShape[]): SpanShape {
  const operation = `${method} ${route}`
  return server('gateway', operation, internal('authenticate'), client(method, server('todos', operation, ...work)))
}

export const select = client('SELECT todos')

/** A change and its announcement, which webhooks takes from the queue and delivers. */
export function change(statement: 'INSERT' | 'UPDATE' | 'DELETE', event: string): readonly SpanShape[] {
  const delivery = consumer('webhooks', `${event} process`, client('POST'))
  return [client(`${statement} todos`), producer(`${event} publish`, delivery)]
}

export const created = viaTodos('POST', '/todos', ...change('INSERT', 'todo.created'))
export const removed = viaTodos('DELETE', '/todos/:id', ...change('DELETE', 'todo.deleted'))
