import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import {
  ATTR_DB_COLLECTION_NAME,
  ATTR_DB_OPERATION_NAME,
  ATTR_DB_SYSTEM_NAME,
} from '@opentelemetry/semantic-conventions'
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { httpSabotages } from './instrumentation/faults.ts'
import {
  acceptAnyBody,
  createHttpServer,
  type Exchange,
  exchangeOf,
  HttpError,
  jsonBody,
} from './instrumentation/http-server.ts'
import { listen } from './instrumentation/listen.ts'
import { type Running, runService, type Service } from './instrumentation/service.ts'
import { readSettings, todosSettings } from './instrumentation/settings.ts'
import { openDatabase } from './lib/database.ts'
import { Outbox } from './lib/outbox.ts'
import { todoRoutes } from './lib/todo-routes.ts'
import { TodoStore } from './lib/todo-store.ts'

const title = z.string().trim().min(1).max(200)
const newTodo = z.strictObject({ title })
const todoChange = z
  .strictObject({ title: title.optional(), done: z.boolean().optional() })
  .refine((change) => Object.keys(change).length > 0, 'title or done is needed')

/** Keeps todos in SQLite; each change puts an announcement into the outbox in the same transaction. */
function buildTodos(service: Service, settings: z.infer<typeof todosSettings>): Running {
  const database = openDatabase(settings.DATABASE)
  const store = new TodoStore(database)
  const outbox = new Outbox(database)
  const server = createHttpServer(service, () => {
    database.prepare('SELECT 1').get()
  })
  acceptAnyBody(server)

  const query = <Result>(operation: string, { context }: Exchange, run: () => Result): Result => {
    const attributes = {
      [ATTR_DB_SYSTEM_NAME]: 'sqlite',
      [ATTR_DB_OPERATION_NAME]: operation,
      [ATTR_DB_COLLECTION_NAME]: 'todos',
    }
    const options = { kind: SpanKind.CLIENT, attributes }
    const span = service.telemetry.tracer.startSpan(`${operation} todos`, options, context)
    try {
      return run()
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR })
      throw error
    } finally {
      span.end()
    }
  }
  const announce = (event: string, content: object, { context, requestId }: Exchange) => {
    const attributes = {
      'messaging.system': 'outbox',
      'messaging.operation.type': 'send',
      'messaging.destination.name': event,
    }
    const span = service.telemetry.tracer.startSpan(
      `${event} publish`,
      { kind: SpanKind.PRODUCER, attributes },
      context,
    )
    const carrier: { traceparent?: string } = {}
    service.telemetry.context.inject(trace.setSpan(context, span), carrier)
    try {
      outbox.add({ event, body: JSON.stringify({ event, ...content }), requestId, traceparent: carrier.traceparent })
    } finally {
      span.end()
    }
  }
  // One transaction for a change and its announcement. `immediate` takes the write lock at once, so that waiting for
  // webhooks' deletions can't end in a deadlock.
  const change = <Result>(run: () => Result): Result => database.transaction(run).immediate()

  server.get('/todos', async (request) => {
    const user = userOf(request)
    return query('SELECT', exchangeOf(request), () => store.list(user))
  })
  server.post('/todos', async (request, reply) => {
    const [user, exchange] = [userOf(request), exchangeOf(request)]
    const { title } = jsonBody(request, newTodo)
    const todo = change(() => {
      const created = query('INSERT', exchange, () => store.insert(user, title))
      announce('todo.created', { user, todo: created }, exchange)
      return created
    })
    return reply.code(201).send(todo)
  })
  server.get('/todos/:id', async (request) => {
    const [user, id] = [userOf(request), idOf(request)]
    return found(query('SELECT', exchangeOf(request), () => store.find(user, id)))
  })
  server.patch('/todos/:id', async (request) => {
    const [user, id, exchange] = [userOf(request), idOf(request), exchangeOf(request)]
    const wanted = jsonBody(request, todoChange)
    return change(() => {
      const todo = found(query('UPDATE', exchange, () => store.update(user, id, wanted)))
      announce('todo.updated', { user, todo }, exchange)
      return todo
    })
  })
  server.delete('/todos/:id', async (request, reply) => {
    const [user, id, exchange] = [userOf(request), idOf(request), exchangeOf(request)]
    change(() => {
      found(query('DELETE', exchange, () => store.remove(user, id)) || undefined)
      announce('todo.deleted', { user, todo: { id } }, exchange)
    })
    return reply.code(204).send()
  })

  return {
    listen: async () => ({ port: await listen(server, settings.PORT) }),
    async close() {
      await server.close()
      database.close()
    },
  }
}

function userOf({ headers }: FastifyRequest): string {
  const user = headers['x-user']
  if (typeof user !== 'string' || user === '') throw new HttpError(401, 'x-user is missing; go through the gateway')
  return decodeURIComponent(user)
}

/** The id in the path; one that is no number is unknown, like any other that does not exist. */
function idOf({ params }: FastifyRequest): number {
  const id = z.object({ id: z.string().regex(/^\d{1,15}$/) }).safeParse(params)
  if (!id.success) throw new HttpError(404, 'no such todo')
  return Number(id.data.id)
}

function found<Item>(item: Item | undefined): Item {
  if (item === undefined) throw new HttpError(404, 'no such todo')
  return item
}

await runService({
  name: 'todos',
  settings: () => readSettings(todosSettings, process.env),
  faults: ['error', 'latency', ...httpSabotages, 'drop-queue-context'],
  routes: [...todoRoutes, { method: 'GET', route: 'unmatched', statuses: [404] }],
  build: buildTodos,
})
