import { Agent, type OutgoingHttpHeaders, request } from 'node:http'
import { type Context, propagation, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
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
  /** Whether the traceparent is sent; true unless a sabotage drops it. */
  readonly propagate?: boolean
}

export interface Answer {
  readonly status: number
  readonly type: string | undefined
  readonly body: string
}

/** Sends requests to one base URL over kept-alive connections, each in a CLIENT span. Nothing is ever sent twice. */
export class HttpClient {
  readonly #base: URL
  readonly #prefix: string
  readonly #telemetry: Telemetry
  readonly #timeoutMs: number
  // Idle connections are given up well before the servers' 300 s, so that no request meets a closing one.
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 512, maxFreeSockets: 512, scheduling: 'lifo' })

  /** @param timeoutMs from sending to the end of the answer */
  constructor(baseUrl: string, telemetry: Telemetry, timeoutMs: number) {
    this.#base = new URL(baseUrl)
    this.#prefix = this.#base.pathname.replace(/\/$/, '')
    this.#telemetry = telemetry
    this.#timeoutMs = timeoutMs
  }

  /** Rejects if no complete answer comes in time; a 5xx is an answer, and marks the span as failed. */
  async send(outgoing: Outgoing): Promise<Answer> {
    const { method, path, context } = outgoing
    const attributes = {
      [ATTR_HTTP_REQUEST_METHOD]: method,
      [ATTR_SERVER_ADDRESS]: this.#base.hostname,
      [ATTR_SERVER_PORT]: Number(this.#base.port || 80),
      [ATTR_URL_FULL]: `${this.#base.origin}${this.#prefix}${path}`,
    }
    const span = this.#telemetry.tracer.startSpan(method, { kind: SpanKind.CLIENT, attributes }, context)
    try {
      const answer = await this.#exchange(outgoing, span)
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
    this.#agent.destroy()
  }

  #exchange({ method, path, headers, body, context, propagate = true }: Outgoing, span: Span): Promise<Answer> {
    const sent: OutgoingHttpHeaders = { ...headers }
    if (propagate) propagation.inject(trace.setSpan(context, span), sent)
    if (body) sent['content-length'] = Buffer.byteLength(body)
    return new Promise((resolve, reject) => {
      const { hostname, port } = this.#base
      const options = { agent: this.#agent, hostname, port, method, path: this.#prefix + path, headers: sent }
      const outgoing = request(options, (response) => {
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
