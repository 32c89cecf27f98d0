import { readFileSync } from 'node:fs'
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import axios, { AxiosError, type AxiosInstance } from 'axios'
import type { z } from 'zod'
import { UsageError } from '../../lib/errors.ts'
import type { Endpoint } from '../config.ts'
import { Absent } from '../coverage.ts'

/** Why a backend could not be asked. `transport` may pass; `answer` is what it said, and asking again is no use. */
export class BackendError extends Error {
  readonly kind: 'transport' | 'answer'
  constructor(kind: 'transport' | 'answer', message: string) {
    super(message)
    this.name = 'BackendError'
    this.kind = kind
  }
}

/** True for a failure that is itself an answer, and for what is not there to be asked. */
export function isFinal(error: unknown): boolean {
  return error instanceof Absent || (error instanceof BackendError && error.kind === 'answer')
}

/** A question with a small answer, or one of many that read all there is. */
type Size = 'small' | 'bulk'

/**
 * Lets at most `places` tasks run at once, so that asking does not disturb what is asked. One place is kept for small
 * questions: they have deadlines, and would else wait behind those that read everything.
 */
export class Gate {
  #free: number
  /** Places that a question of this size leaves free. */
  readonly #reserved: Readonly<Record<Size, number>>
  readonly #waiting: Record<Size, (() => void)[]> = { small: [], bulk: [] }
  constructor(places: number) {
    this.#free = places
    this.#reserved = { small: 0, bulk: Math.min(1, places - 1) }
  }
  async through<T>(task: () => Promise<T>, size: Size = 'small'): Promise<T> {
    if (this.#free > this.#reserved[size]) this.#free -= 1
    else await new Promise<void>((resolve) => this.#waiting[size].push(resolve))
    try {
      return await task()
    } finally {
      this.#free += 1
      this.#admit()
    }
  }

  #admit(): void {
    for (const size of ['small', 'bulk'] as const) {
      if (this.#free <= this.#reserved[size]) continue
      const next = this.#waiting[size].shift()
      if (next === undefined) continue
      // Taken here, not by the task when it goes on: somebody else might come in between.
      this.#free -= 1
      next()
      return
    }
  }
}

export interface Asked {
  readonly path: string
  readonly params?: Readonly<Record<string, string | number | readonly string[]>>
  readonly signal?: AbortSignal
  /** True for one of many questions that together read all there is. */
  readonly bulk?: boolean
}

/** Reads JSON from one backend; answers are parsed by zod here and nowhere else. */
export class JsonClient {
  readonly name: string
  readonly url: string
  readonly #endpoint: Endpoint
  readonly #http: AxiosInstance
  readonly #gate: Gate

  constructor(name: string, endpoint: Endpoint, gate: Gate) {
    this.name = name
    this.url = endpoint.url.replace(/\/+$/, '')
    this.#endpoint = endpoint
    this.#gate = gate
    this.#http = axios.create({
      baseURL: this.url,
      timeout: endpoint.timeoutMs,
      headers: { ...headersOf(name, endpoint), Accept: 'application/json' },
      httpAgent: new HttpAgent({ keepAlive: true, maxSockets: 8 }),
      httpsAgent: new HttpsAgent({ keepAlive: true, maxSockets: 8, ...certificates(name, endpoint) }),
      proxy: false,
      maxRedirects: 0,
      maxContentLength: 256 * 1024 * 1024,
      responseType: 'text',
      transformResponse: (body: unknown) => body,
      validateStatus: () => true,
      paramsSerializer: { indexes: null },
    })
  }

  /** @throws BackendError, with the backend, the URL and the remedy in one sentence */
  async ask<T>(schema: z.ZodType<T>, asked: Asked): Promise<T> {
    const { path } = asked
    const { status, body } = await this.text(asked)
    if (status === 401 || status === 403) {
      throw new BackendError(
        'answer',
        `${this.name} at ${this.url} answered ${status}: it wants other credentials; set backends.${this.name}.auth in the config.`,
      )
    }
    if (status >= 500 && status !== 501) {
      throw new BackendError('transport', `${this.name} at ${this.url}${path} answered ${status}: ${excerpt(body)}`)
    }
    if (status >= 300) {
      const remedy = status < 400 || status === 404 ? ` (is that really the address of ${this.name}?)` : ''
      const said = [status, excerpt(body)].filter((part) => part !== '').join(': ')
      throw new BackendError('answer', `${this.name} at ${this.url}${path} answered ${said}${remedy}`)
    }
    let json: unknown
    try {
      json = JSON.parse(body)
    } catch {
      throw new BackendError(
        'answer',
        `${this.name} at ${this.url}${path} answered ${/^\s*</.test(body) ? 'HTML' : 'text'} instead of JSON ("${excerpt(body)}"): is backends.${this.name}.url the address of its API?`,
      )
    }
    const parsed = schema.safeParse(json)
    if (parsed.success) return parsed.data
    const issue = parsed.error.issues[0]
    throw new BackendError(
      'answer',
      `${this.name} at ${this.url}${path} answered JSON of another shape (${issue?.path.join('.')}: ${issue?.message}): is that really ${this.name}, in a supported version?`,
    )
  }

  /** The status and the body as they came. @throws BackendError of kind transport */
  async text({ path, params, signal, bulk = false }: Asked): Promise<{ status: number; body: string }> {
    const get = async () => {
      try {
        const response = await this.#http.get<string>(path, { params, ...(signal ? { signal } : {}) })
        return { status: response.status, body: response.data }
      } catch (error) {
        throw new BackendError('transport', `${this.name} at ${this.url} ${reasonOf(error, this.#endpoint.timeoutMs)}`)
      }
    }
    return this.#gate.through(get, bulk ? 'bulk' : 'small')
  }

  /** Sends JSON. @throws BackendError if it is not taken */
  async post(path: string, body: unknown, signal?: AbortSignal): Promise<void> {
    const send = async () => {
      try {
        return await this.#http.post<string>(path, body, signal ? { signal } : {})
      } catch (error) {
        throw new BackendError('transport', `${this.name} at ${this.url} ${reasonOf(error, this.#endpoint.timeoutMs)}`)
      }
    }
    const { status, data } = await this.#gate.through(send)
    if (status < 200 || status >= 300)
      throw new BackendError('answer', `${this.name} at ${this.url}${path} answered ${status}: ${excerpt(data)}`)
  }

  /** The part of evidence that links to a page of the backend's; nothing if it has none. */
  link(path: string): { readonly link?: string } {
    return this.#endpoint.ui ? { link: this.url + path } : {}
  }

  /** A shell command that asks the same; credentials stay in environment variables. */
  curl(path: string, params: Readonly<Record<string, string | number | readonly string[]>> = {}): string {
    const pairs = Object.entries(params).flatMap(([key, value]) =>
      (Array.isArray(value) ? value : [value]).map((one) => `--data-urlencode ${quoted(`${key}=${one}`)}`),
    )
    const { auth, tenant } = this.#endpoint
    const credentials =
      auth?.type === 'basic'
        ? [`--user "$${auth.usernameEnv}:$${auth.passwordEnv}"`]
        : auth?.type === 'bearer'
          ? [`--header "Authorization: Bearer $${auth.tokenEnv}"`]
          : auth?.type === 'header'
            ? [`--header "${auth.name}: $${auth.valueEnv}"`]
            : []
    const scope = tenant ? [`--header ${quoted(`X-Scope-OrgID: ${tenant}`)}`] : []
    return ['curl -sG', ...credentials, ...scope, quoted(this.url + path), ...pairs].join(' ')
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

function excerpt(body: string): string {
  return body.replace(/\s+/g, ' ').trim().slice(0, 160)
}

function reasonOf(error: unknown, timeoutMs: number): string {
  if (!(error instanceof AxiosError)) return `could not be asked: ${String(error)}`
  if (error.code === 'ECONNREFUSED') return 'refused the connection: is it running, and is the port right?'
  if (error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN')
    return 'has a host name that does not resolve: check the URL.'
  if (error.code === 'ECONNABORTED' || error.code === 'ETIMEDOUT') {
    return `did not answer within ${timeoutMs} ms: raise backends.*.timeout or look at its load.`
  }
  // OpenSSL's word for an answer that is no TLS.
  if (/wrong version number|packet length too long/i.test(error.message))
    return 'does not speak TLS: write http:// instead of https://, or check the port.'
  if (error.code === 'ERR_CANCELED') return 'was not waited for any longer.'
  return `could not be asked: ${error.message}`
}

function fromEnvironment(backend: string, variable: string): string {
  const value = process.env[variable]
  if (value) return value
  throw new UsageError(
    `backends.${backend}.auth names the environment variable ${variable}, which is not set: export it first.`,
  )
}

/** Credentials and tenant as headers. @throws UsageError for a variable that is not set */
export function headersOf(name: string, { auth, tenant }: Endpoint): Record<string, string> {
  const headers: Record<string, string> = tenant ? { 'X-Scope-OrgID': tenant } : {}
  if (auth?.type === 'basic') {
    const pair = `${fromEnvironment(name, auth.usernameEnv)}:${fromEnvironment(name, auth.passwordEnv)}`
    headers.Authorization = `Basic ${Buffer.from(pair).toString('base64')}`
  }
  if (auth?.type === 'bearer') headers.Authorization = `Bearer ${fromEnvironment(name, auth.tokenEnv)}`
  if (auth?.type === 'header') headers[auth.name] = fromEnvironment(name, auth.valueEnv)
  return headers
}

/** The certificate authority to trust. @throws UsageError for a file that cannot be read */
export function certificates(name: string, { caFile }: Endpoint): { ca?: Buffer } {
  if (!caFile) return {}
  try {
    return { ca: readFileSync(caFile) }
  } catch {
    throw new UsageError(`backends.${name}.caFile: ${caFile} cannot be read; give the path of a PEM file.`)
  }
}
