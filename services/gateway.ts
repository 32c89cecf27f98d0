import { randomBytes, timingSafeEqual } from 'node:crypto'
import { SpanKind } from '@opentelemetry/api'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { httpSabotages } from './instrumentation/faults.ts'
import { HttpClient } from './instrumentation/http-client.ts'
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
import { gatewaySettings, readSettings } from './instrumentation/settings.ts'
import { RateLimit } from './lib/rate-limit.ts'
import { todoRoutes } from './lib/todo-routes.ts'
import { Tokens } from './lib/tokens.ts'

const credentials = z.object({ user: z.string().min(1).max(64), password: z.string().max(256) })
const password = Buffer.from('correct horse')

/** Logs users in, checks their tokens and passes their requests on to todos. */
function buildGateway(service: Service, settings: z.infer<typeof gatewaySettings>): Running {
  const todos = new HttpClient(settings.TODOS_URL, service.telemetry, 10_000)
  const tokens = new Tokens(settings.TOKEN_SECRET ?? randomBytes(32))
  const limit = new RateLimit(settings.RATE_LIMIT)
  const server = createHttpServer(service, async () => {
    // One instance is enough.
    await Promise.any(settings.TODOS_URL.map(assertHealthy))
  })
  acceptAnyBody(server)

  server.post('/login', async (request) => {
    const exchange = exchangeOf(request)
    const { user, password } = jsonBody(request, credentials)
    if (service.faults.isOn('secret-in-log')) {
      service.logs.write('info', 'login', `login with ${String(request.body)}`, {}, exchange)
    }
    const accepted = authenticate(service, exchange, () => samePassword(password))
    service.logs.write('debug', 'login', accepted ? 'login accepted' : 'login refused', { user, password }, exchange)
    if (!accepted) throw new HttpError(401, 'wrong user or password')
    return { token: tokens.issue(user) }
  })

  const forward = async (request: FastifyRequest, reply: FastifyReply) => {
    const exchange = exchangeOf(request)
    const { authorization } = request.headers
    const user = authenticate(service, exchange, () => tokens.userOf(authorization))
    if (user === undefined) throw new HttpError(401, 'a valid token is needed; POST /login gives one')
    if (service.faults.strikes('rate-limit') || !limit.allows(user))
      throw new HttpError(429, 'too many requests; try again in a second')
    const body = typeof request.body === 'string' && request.body !== '' ? request.body : undefined
    const answer = await todos
      .send({
        method: request.method,
        path: request.url,
        headers: {
          'x-user': encodeURIComponent(user),
          'x-request-id': exchange.requestId,
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        body,
        context: exchange.context,
      })
      .catch((error: unknown) => {
        throw new HttpError(502, `todos did not answer: ${error instanceof Error ? error.message : 'unknown'}`)
      })
    if (answer.type !== undefined) reply.type(answer.type)
    return reply.code(answer.status).send(answer.body === '' ? undefined : answer.body)
  }
  for (const { method, route } of todoRoutes) server.route({ method, url: route, handler: forward })

  return {
    listen: async () => ({ port: await listen(server, settings.PORT) }),
    async close() {
      await server.close()
      todos.close()
    },
  }
}

async function assertHealthy(todos: string): Promise<void> {
  const answer = await fetch(`${todos}/health`, { signal: AbortSignal.timeout(2000) })
  if (!answer.ok) throw new Error(`todos answered ${answer.status}`)
}

function authenticate<Result>(service: Service, exchange: Exchange, check: () => Result): Result {
  const span = service.telemetry.tracer.startSpan('authenticate', { kind: SpanKind.INTERNAL }, exchange.context)
  try {
    return check()
  } finally {
    span.end()
  }
}

function samePassword(given: string): boolean {
  const bytes = Buffer.from(given)
  return bytes.length === password.length && timingSafeEqual(bytes, password)
}

await runService({
  name: 'gateway',
  settings: () => readSettings(gatewaySettings, process.env),
  faults: ['error', 'latency', 'rate-limit', ...httpSabotages, 'drop-context', 'secret-in-log'],
  routes: [
    { method: 'POST', route: '/login', statuses: [200, 400, 401, 500] },
    ...todoRoutes.map(({ method, route, statuses }) => ({
      method,
      route,
      statuses: [...statuses, 401, 429, 500, 502],
    })),
    { method: 'GET', route: 'unmatched', statuses: [404] },
  ],
  build: buildGateway,
})
