import { Agent, type ClientRequestArgs, request } from 'node:http'
import { performance } from 'node:perf_hooks'
import { type Context, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import {
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  ATTR_URL_FULL,
} from '@opentelemetry/semantic-conventions'
import type { Telemetry } from './telemetry.ts'

export interface Outgoing {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | undefined
  /** The span that the client span is a child of. */
  readonly context: Context
}

export interface Answer {
  readonly status: number
  readonly type: string | undefined
  readonly body: string
}

/** One of the servers behind a client. */
interface Instance {
  readonly base: URL
  readonly prefix: string
  readonly agent: Agent
  /** Until when nothing new is sent to it, in ms of the monotonic clock: it said that it is leaving. */
  avoidedUntil: number
}

/** Longer than a server that is leaving keeps answering. */
const avoidedMs = 2000

/**
 * Sends requests over kept-alive connections to one server or, in turn, to several, each in a CLIENT span. Nothing is
 * ever sent twice: the next server is tried only when a connection was refused, and nothing was sent.
 */
export class HttpClient {
  readonly #instances: readonly Instance[]
  readonly #telemetry: Telemetry
  readonly #timeoutMs: number
  #turn = 0

  /** @param timeoutMs from sending to the end of the answer */
  constructor(baseUrls: readonly string[], telemetry: Telemetry, timeoutMs: number) {
    this.#instances = baseUrls.map((url) => {
      const base = new URL(url)
      // Idle connections are given up well before the servers' 300 s, so that no request meets a closing one.
      const agent = new Agent({ keepAlive: true, maxSockets: 512, maxFreeSockets: 512, scheduling: 'lifo' })
      return { base, prefix: base.pathname.replace(/\/$/, ''), agent, avoidedUntil: 0 }
    })
    this.#telemetry = telemetry
    this.#timeoutMs = timeoutMs
  }

  /** Rejects if no complete answer comes in time; a 5xx is an answer, and marks the span as failed. */
  async send(outgoing: Outgoing): Promise<Answer> {
    const { method, context } = outgoing
    const attributes = { [ATTR_HTTP_REQUEST_METHOD]: method }
    const span = this.#telemetry.tracer.startSpan(method, { kind: SpanKind.CLIENT, attributes }, context)
    try {
      const answer = await this.#sendToFirst(this.#order(), outgoing, span)
      span.setAttribute(ATTR_HTTP_RESPONSE_STATUS_CODE, answer.status)
      if (answer.status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
      return answer
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : 'failed' })
      throw error
    } finally {
      span.end()
    }
  }

  close(): void {
    for (const { agent } of this.#instances) agent.destroy()
  }

  /** All instances, the one whose turn it is first, those that are leaving last. */
  #order(): readonly Instance[] {
    if (this.#instances.length === 1) return this.#instances
    const first = this.#turn++ % this.#instances.length
    const inTurn = [...this.#instances.slice(first), ...this.#instances.slice(0, first)]
    const now = performance.now()
    return inTurn.sort((a, b) => Number(a.avoidedUntil > now) - Number(b.avoidedUntil > now))
  }

  async #sendToFirst([instance, ...others]: readonly Instance[], outgoing: Outgoing, span: Span): Promise<Answer> {
    if (!instance) throw new Error('there is no server to send to')
    try {
      return await this.#exchange(instance, outgoing, span)
    } catch (error) {
      if (others.length === 0 || !wasRefused(error)) throw error
      return this.#sendToFirst(others, outgoing, span)
    }
  }

  #exchange(instance: Instance, { method, path, headers, body, context }: Outgoing, span: Span): Promise<Answer> {
    const { base, prefix, agent } = instance
    const { hostname, port } = base
    span.setAttributes({
      [ATTR_SERVER_ADDRESS]: hostname,
      [ATTR_SERVER_PORT]: Number(port || 80),
      [ATTR_URL_FULL]: `${base.origin}${prefix}${path}`,
    })
    const sent: Record<string, string | number> = { ...headers }
    this.#telemetry.context.inject(trace.setSpan(context, span), sent)
    if (body) sent['content-length'] = Buffer.byteLength(body)
    return new Promise((resolve, reject) => {
      const options: ClientRequestArgs = { agent, hostname, port, method, path: prefix + path, headers: sent }
      const outgoing = request(options, (response) => {
        if (response.headers.connection === 'close') leave(instance)
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => {
          text += chunk
        })
        response.once('error', reject)
        response.once('end', () => {
          clearTimeout(timer)
          resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'], body: text })
        })
      })
      const timer = setTimeout(
        () => outgoing.destroy(new Error(`no answer within ${this.#timeoutMs} ms`)),
        this.#timeoutMs,
      )
      outgoing.once('error', (error) => {
        clearTimeout(timer)
        reject(error)
      })
      outgoing.end(body)
    })
  }
}

/** Closes the idle connections to a server that is about to close them itself: under a request, it would lose that. */
function leave(instance: Instance): void {
  instance.avoidedUntil = performance.now() + avoidedMs
  for (const sockets of Object.values(instance.agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy()
}

/** Whether nobody listens there: the connection was not made, so nothing was sent. */
function wasRefused(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED'
}
