import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { EnvironmentError } from '../../lib/errors.ts'
import { type Behaviour, Behaviours, type SinkMatch } from './behaviour.ts'
import { capturedServices, unknownService } from './capture.ts'
import { selfSigned } from './certificate.ts'
import { mailReading } from './mail.ts'
import type { Notification, SinkKind } from './notification.ts'
import { pagerduty } from './pagerduty.ts'
import { type Answer, plain, type Reading, type Service } from './service.ts'
import { slack } from './slack.ts'
import { type AuthMethod, type Mail, type Reply, SmtpListener } from './smtp.ts'
import { webhook } from './webhook.ts'

export interface SinkPorts {
  /** 0 or absent: a free one. */
  readonly http?: number | undefined
  readonly smtp?: number | undefined
  readonly smtps?: number | undefined
  /** AUTH methods that the mail sink announces; default all. */
  readonly authMethods?: readonly AuthMethod[]
}

const bodyLimit = 4 * 1024 * 1024

/**
 * The receivers that Alertmanager notifies, as real servers on 127.0.0.1: HTTP for webhook, Slack, PagerDuty and all
 * other services, SMTP for mail. Each answers as its service would, and what arrives is recorded.
 */
export class Sinks {
  readonly #http: Server
  #smtp: SmtpListener | undefined
  #smtps: SmtpListener | undefined
  readonly #notifications: Notification[] = []
  readonly #strangers: string[] = []
  readonly #behaviours = new Behaviours()
  /** By receiver, since some remember what they were told. */
  readonly #captured = new Map<string, Readonly<Record<string, Service>>>()
  readonly #certificate = selfSigned()

  private constructor(http: Server) {
    this.#http = http
  }

  /** @throws EnvironmentError if a port is taken */
  static async open({ http = 0, smtp = 0, smtps = 0, authMethods }: SinkPorts = {}): Promise<Sinks> {
    const server = createServer()
    const sinks = new Sinks(server)
    server.on('request', (request, response) => sinks.#serve(request, response))
    await listening(server, http).catch((error: unknown) => refuse(error, http, 'notifications', 'sinkPort'))
    try {
      const options = { certificate: sinks.#certificate, authMethods, take: (mail: Mail) => sinks.#takeMail(mail) }
      sinks.#smtp = await SmtpListener.open({ ...options, port: smtp }).catch((error: unknown) =>
        refuse(error, smtp, 'mails', 'sinkSmtpPort'),
      )
      sinks.#smtps = await SmtpListener.open({ ...options, port: smtps, implicitTls: true }).catch((error: unknown) =>
        refuse(error, smtps, 'mails', 'sinkSmtpsPort'),
      )
      return sinks
    } catch (error) {
      await sinks.close()
      throw error
    }
  }

  get httpPort(): number {
    return (this.#http.address() as AddressInfo).port
  }

  get smtpPort(): number {
    return this.#smtp?.port ?? 0
  }

  /** Mail with STARTTLS, as `smarthost`. */
  get smtp(): string {
    return `127.0.0.1:${this.smtpPort}`
  }

  /** Mail with TLS from the first byte, as `smarthost` for `force_implicit_tls`. */
  get smtps(): string {
    return `127.0.0.1:${this.#smtps?.port ?? 0}`
  }

  /** The mail sink's certificate (PEM), which a client may take as `ca` to verify it. */
  get certificate(): string {
    return this.#certificate.cert
  }

  /**
   * Where a receiver of this type is; what Alertmanager appends for some types may follow.
   * @param type Alertmanager's name of the integration without `_config`: slack, opsgenie, ...
   */
  url(type: string, receiver: string): string {
    const base = `http://127.0.0.1:${this.httpPort}/${encodeURIComponent(type)}/${encodeURIComponent(receiver)}`
    return type === 'pagerduty' ? `${base}/v2/enqueue` : base
  }

  /** What arrived at or after `since` (epoch milliseconds), oldest first; refused attempts too (`isDelivered`). */
  notifications(since = 0): Notification[] {
    return this.#notifications.filter(({ at }) => at >= since)
  }

  /** Requests that fit no sink: method, path and the beginning of the body. */
  get strangers(): readonly string[] {
    return this.#strangers
  }

  /**
   * Tells sinks how to answer from now on; of several that match, the last told counts.
   * @returns what restores it
   */
  behave(match: SinkMatch, behaviour: Behaviour): () => void {
    return this.#behaviours.tell(match, behaviour)
  }

  async close(): Promise<void> {
    this.#http.closeAllConnections()
    await Promise.all([new Promise((resolve) => this.#http.close(resolve)), this.#smtp?.close(), this.#smtps?.close()])
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = []
    let length = 0
    request.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length <= bodyLimit) chunks.push(chunk)
    })
    request.on('error', () => {})
    request.on('end', () => {
      const answer = length > bodyLimit ? plain(413, '') : this.#take(request, Buffer.concat(chunks).toString())
      if (!answer) return
      const { status, body, contentType = 'text/plain', headers } = answer
      response.writeHead(status, { ...headers, ...(status === 204 ? {} : { 'content-type': contentType }) })
      response.end(body)
    })
  }

  /** Records a request and gives the answer to it; undefined to leave it unanswered. */
  #take(request: IncomingMessage, body: string): Answer | undefined {
    const at = Date.now()
    const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://127.0.0.1')
    const [type = 'webhook', name, ...path] = segments(pathname)
    const service = this.#service(type, name)
    const { method = '' } = request
    const incoming = { method, path, query, contentType: request.headers['content-type'] ?? '', body }
    const aside = service?.aside?.(incoming)
    if (aside) return aside
    if (!service || !['POST', 'PUT'].includes(method)) {
      // The path may hold a key behind type and receiver.
      this.#strangers.push(`${method} /${[type, name].filter(Boolean).join('/')} ${body}`.slice(0, 200))
      return service ? plain(405, '') : plain(404, '')
    }
    const reading = service.read(incoming)
    const receiver = name ?? reading.receiver ?? ''
    const told = this.#behaviours.answerFor(type, receiver)
    const answer = told === 'nothing' ? undefined : (told ?? service.answer(incoming, reading.problems))
    this.#record(reading, {
      at,
      kind: kindOf(type),
      type,
      receiver,
      raw: body,
      answered: answer ? String(answer.status) : 'nothing',
    })
    return answer
  }

  async #takeMail({ at, raw, recipients, tls, auth }: Mail): Promise<Reply> {
    const reading = await mailReading(raw)
    const receiver = reading.receiver ?? recipients[0]?.replace(/@[^@]*$/, '') ?? ''
    const answer = this.#behaviours.answerFor('email', receiver)
    const reply = answer === 'nothing' ? answer : smtpReply(answer)
    this.#record(reading, {
      at,
      kind: 'email',
      type: 'email',
      receiver,
      raw: raw.toString(),
      answered: reply === 'nothing' ? reply : String(reply.code),
      transport: { tls, auth },
    })
    return reply
  }

  #record(
    { status, groupKey, alerts = [], text, problems }: Reading,
    rest: Omit<Notification, 'status' | 'groupKey' | 'alerts' | 'text' | 'problems'>,
  ): void {
    this.#notifications.push({ ...rest, status, ...(groupKey ? { groupKey } : {}), alerts, text, problems })
  }

  #service(type: string, receiver = ''): Service | undefined {
    if (type === 'webhook') return webhook
    if (receiver === '') return undefined
    if (type === 'slack') return slack
    if (type === 'pagerduty') return pagerduty
    let captured = this.#captured.get(receiver)
    if (!captured) {
      captured = capturedServices()
      this.#captured.set(receiver, captured)
    }
    return Object.hasOwn(captured, type) ? captured[type] : unknownService
  }
}

function kindOf(type: string): SinkKind {
  return type === 'webhook' || type === 'slack' || type === 'pagerduty' ? type : 'capture'
}

function smtpReply(answer: Answer | undefined): { code: number; text: string } {
  if (!answer) return { code: 250, text: 'OK' }
  if (answer.status === 429) return { code: 451, text: '4.7.1 too many mails, try again later' }
  return { code: answer.status, text: answer.body }
}

function segments(pathname: string): string[] {
  return pathname
    .split('/')
    .filter((segment) => segment !== '')
    .map((segment) => {
      try {
        return decodeURIComponent(segment)
      } catch {
        return segment
      }
    })
}

function listening(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
}

/** @throws EnvironmentError always */
function refuse(error: unknown, port: number, what: string, setting: string): never {
  const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
  const why = error instanceof Error ? error.message : String(error)
  throw new EnvironmentError(
    taken
      ? `Port ${port} for alert ${what} is taken: end the other run, or set another ${setting}.`
      : `The sink for alert ${what} cannot listen on port ${port}: ${why}.`,
  )
}
