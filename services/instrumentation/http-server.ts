import type { Server, ServerResponse } from 'node:http'
import { performance } from 'node:perf_hooks'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type Context, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import {
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_HTTP_ROUTE,
  ATTR_URL_PATH,
} from '@opentelemetry/semantic-conventions'
import { type FastifyInstance, type FastifyRequest, fastify } from 'fastify'
import type { z } from 'zod'
import type { LogOrigin } from './logs.ts'
import { requestId } from './request-id.ts'
import type { Service } from './service.ts'

/** One request on its way through a service. */
export interface Exchange extends LogOrigin {
  readonly span: Span
  /** Holds the request's span: the parent of all that is done for it. */
  readonly context: Context
}

declare module 'fastify' {
  interface FastifyRequest {
    exchange: Exchange | undefined
  }
  interface FastifyContextConfig {
    /** Neither counted, logged nor traced, and spared by faults. */
    silent?: boolean
  }
}

/** An answer that is the caller's or a fault's doing; its message is sent. */
export class HttpError extends Error {
  readonly statusCode: number
  constructor(statusCode: number, message: string) {
    super(message)
    this.name = 'HttpError'
    this.statusCode = statusCode
  }
}

/** The status recorded for a caller who hung up before the answer was complete. */
const clientClosedRequest = 499

/** How long a closing server keeps answering, in ms. */
const drainMs = 1000

/** The exchange of a request to a route that is not silent. */
export function exchangeOf(request: FastifyRequest): Exchange {
  if (request.exchange === undefined) throw new Error(`${request.url} is a silent route and has no exchange`)
  return request.exchange
}

/**
 * A Fastify server whose every request, unknown routes included, is counted, logged once and traced once, when its
 * response has ended or its caller has gone. Adds /health, /live, /ready and /metrics, which are silent.
 * @param ready throws when the service cannot do its work
 */
export function createHttpServer(service: Service, ready: () => void | Promise<void>): FastifyInstance {
  const server = fastify({
    // Longer than any client keeps an idle connection: a server that hangs up first makes clients resend.
    keepAliveTimeout: 300_000,
    bodyLimit: 16_384,
    // Else requests arriving during shutdown are answered behind our back, neither counted nor logged.
    return503OnClosing: false,
  })
  server.decorateRequest('exchange', undefined)
  server.addHook('onRequest', async (request, reply) => {
    if (request.routeOptions.config.silent) return
    begin(service, request, reply.raw)
    reply.header('x-request-id', request.exchange?.requestId)
    const latency = service.faults.get('latency')
    if (latency) await wait(latency.ms)
    if (service.faults.strikes('error')) throw new HttpError(500, 'a fault was injected')
  })
  server.setNotFoundHandler((_, reply) => reply.code(404).send({ error: 'no such route' }))
  server.setErrorHandler((error, request, reply) => {
    const status = statusOf(error)
    if (status >= 500) recordFailure(service, request, error)
    const hidden = status >= 500 && !(error instanceof HttpError)
    reply.code(status).send({ error: hidden || !(error instanceof Error) ? 'internal error' : error.message })
  })
  // From here on every answer says `connection: close`.
  server.addHook('preClose', () => drained(server.server))
  addSilentRoutes(server, service, ready)
  return server
}

/** Reads bodies as text, whatever their type; an empty one is an empty string. For a server that passes them on. */
export function acceptAnyBody(server: FastifyInstance): void {
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body))
}

/** The JSON in a body that was read as text. Throws a 400 if it is none, or does not fit the schema. */
export function jsonBody<Schema extends z.ZodType>(request: FastifyRequest, schema: Schema): z.infer<Schema> {
  const result = schema.safeParse(parseJson(request.body))
  if (result.success) return result.data
  const problems = result.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`)
  throw new HttpError(400, problems.join('; '))
}

function parseJson(body: unknown): unknown {
  try {
    return JSON.parse(typeof body === 'string' ? body : '')
  } catch {
    throw new HttpError(400, 'the body is not JSON')
  }
}

/**
 * Resolves when no caller is connected any more, after `drainMs` at the latest. Until then requests are still answered:
 * who sends one learns that we are leaving, whereas a connection closed under a request loses it.
 */
async function drained(server: Server): Promise<void> {
  const until = performance.now() + drainMs
  const connections = promisify(server.getConnections.bind(server))
  while (performance.now() < until && (await connections()) > 0) await wait(20)
}

function begin(service: Service, request: FastifyRequest, response: ServerResponse): void {
  const startedAt = performance.now()
  const { method } = request
  const route = request.routeOptions.url ?? 'unmatched'
  const parent = service.telemetry.context.extract(request.headers)
  const path = request.url.split('?', 1)[0] ?? '/'
  const attributes = { [ATTR_HTTP_REQUEST_METHOD]: method, [ATTR_HTTP_ROUTE]: route, [ATTR_URL_PATH]: path }
  const span = service.telemetry.tracer.startSpan(`${method} ${route}`, { kind: SpanKind.SERVER, attributes }, parent)
  const exchange = {
    requestId: requestId(request.headers['x-request-id']),
    span,
    spanContext: span.spanContext(),
    context: trace.setSpan(parent, span),
  }
  request.exchange = exchange
  service.metrics.inFlight++
  // Not Fastify's onResponse: that never comes when the caller hangs up, and the request would go uncounted.
  response.once('close', () => {
    service.metrics.inFlight--
    const status = response.writableFinished ? response.statusCode : clientClosedRequest
    const durationMs = performance.now() - startedAt
    span.setAttribute(ATTR_HTTP_RESPONSE_STATUS_CODE, status)
    if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
    span.end()
    const label = service.faults.isOn('raw-route') ? path : route
    const labels = { method, route: label, status: String(status) }
    service.metrics.observe(labels, durationMs / 1000, exchange.spanContext)
    const fields = { method, route, status, duration_ms: Math.round(durationMs * 1000) / 1000 }
    service.logs.write(status >= 500 ? 'error' : 'info', 'http', 'request completed', fields, exchange)
  })
}

function statusOf(error: unknown): number {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined
  return typeof status === 'number' && status >= 400 ? status : 500
}

function recordFailure(service: Service, request: FastifyRequest, error: unknown): void {
  const { exchange } = request
  if (exchange === undefined || !(error instanceof Error)) return
  exchange.span.recordException(error)
  const fields = { error: error.message, ...(!(error instanceof HttpError) && { stack: error.stack }) }
  service.logs.write('error', 'http', 'request failed', fields, exchange)
}

function addSilentRoutes(server: FastifyInstance, service: Service, ready: () => void | Promise<void>): void {
  const silent = { config: { silent: true } }
  const alive = async () => ({ status: 'ok', service: service.name })
  server.get('/health', silent, alive)
  server.get('/live', silent, alive)
  server.get('/ready', silent, async (_request, reply) => {
    try {
      await ready()
      return { status: 'ok', service: service.name }
    } catch (error) {
      return reply.code(503).send({ status: 'not ready', reason: error instanceof Error ? error.message : 'unknown' })
    }
  })
  server.get('/metrics', silent, async (request, reply) => {
    if (service.faults.isOn('no-metrics')) return reply.code(503).send()
    const { type, body } = await service.metrics.expose(request.headers.accept)
    return reply.type(type).send(body)
  })
}
