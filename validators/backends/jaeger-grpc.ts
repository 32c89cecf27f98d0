import { type CallOptions, Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js'
import protobuf from 'protobufjs/minimal.js'
import type { Span } from '../../lib/span.ts'
import type { JaegerEndpoint } from '../config.ts'
import { BackendError, certificates, type Gate, headersOf } from './http.ts'
import { beganIn, jaegerCapabilities } from './jaeger.ts'
import { decodeSpans } from './otlp-spans.ts'
import type { EachTrace, TraceCapabilities, TraceQuery, TraceReference, TraceSource } from './trace-source.ts'

const method = (name: string) => `/jaeger.api_v3.QueryService/${name}`
// Numbers of fields in jaeger/api_v3/query_service.proto.
const getTrace = { traceId: 1, rawTraces: 4 } as const
const findTraces = { query: 1, service: 1, startMin: 4, startMax: 5, searchDepth: 8, rawTraces: 9 } as const
const timestamp = { seconds: 1, nanos: 2 } as const
const getServices = { services: 1 } as const
/** How a field is written: by bytes preceded by their length, or as a varint. */
const [bytes, varint] = [2, 0]

/**
 * Reads Jaeger's API v3 over gRPC: traces come one by one, so that neither side holds an answer in memory. Evidence
 * points to the HTTP API, which a person can ask.
 */
export class JaegerGrpc implements TraceSource {
  readonly name = 'jaeger'
  readonly can: TraceCapabilities
  readonly #client: Client
  readonly #metadata = new Metadata()
  readonly #address: string
  readonly #timeoutMs: number
  readonly #gate: Gate
  readonly #http: TraceSource

  /**
   * @param address host:port; TLS if the endpoint's URL is https
   * @param http the same Jaeger's HTTP API
   */
  constructor(address: string, endpoint: JaegerEndpoint, gate: Gate, http: TraceSource) {
    this.can = { ...jaegerCapabilities, limit: endpoint.limit }
    this.#address = address
    this.#timeoutMs = endpoint.timeoutMs
    this.#gate = gate
    this.#http = http
    for (const [key, value] of Object.entries(headersOf('jaeger', endpoint))) this.#metadata.set(key, value)
    const { ca } = certificates('jaeger', endpoint)
    const secure = endpoint.url.startsWith('https:')
    this.#client = new Client(address, secure ? credentials.createSsl(ca ?? null) : credentials.createInsecure(), {
      // A trace comes in one message, however large.
      'grpc.max_receive_message_length': 256 * 1024 * 1024,
      'grpc.enable_http_proxy': 0,
      // Whether to ask again is decided by who asks.
      'grpc.enable_retries': 0,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 1000,
    })
  }

  get url(): string {
    return this.#http.url
  }

  async services(signal?: AbortSignal): Promise<string[]> {
    const names: string[] = []
    await this.#stream('GetServices', new Uint8Array(), signal, (message) => {
      const reader = protobuf.Reader.create(message)
      while (reader.pos < reader.len) {
        const tag = reader.uint32()
        if (tag >>> 3 === getServices.services) names.push(reader.string())
        else reader.skipType(tag & 7)
      }
    })
    return names
  }

  async lookUp(ids: readonly string[], each: EachTrace, signal?: AbortSignal): Promise<void> {
    // The API takes one id at a time; the gate holds back all but a few, a slice all but some.
    for (let at = 0; at < ids.length; at += this.can.lookUp) {
      await Promise.all(ids.slice(at, at + this.can.lookUp).map((id) => this.#lookUpOne(id, each, signal)))
    }
  }

  async #lookUpOne(id: string, each: EachTrace, signal: AbortSignal | undefined): Promise<void> {
    const request = protobuf.Writer.create()
    request.uint32((getTrace.traceId << 3) | bytes).string(id)
    request.uint32((getTrace.rawTraces << 3) | varint).bool(true)
    const whole = new WholeTraces(each)
    await this.#stream('GetTrace', request.finish(), signal, (message) => whole.take(this.#decode(message)))
    whole.end()
  }

  async search(query: TraceQuery, each: EachTrace, signal?: AbortSignal): Promise<{ traces: number; cut: boolean }> {
    const { service, from, to, limit } = query
    const asked = protobuf.Writer.create()
    asked.uint32((findTraces.service << 3) | bytes).string(service)
    // Storages differ in whether the end belongs to the window; what is too much is left out below.
    asked.uint32((findTraces.startMin << 3) | bytes).bytes(timestampOf(Math.floor(from)))
    asked.uint32((findTraces.startMax << 3) | bytes).bytes(timestampOf(Math.ceil(to)))
    asked.uint32((findTraces.searchDepth << 3) | varint).int32(limit)
    asked.uint32((findTraces.rawTraces << 3) | varint).bool(true)
    const request = protobuf.Writer.create()
    request.uint32((findTraces.query << 3) | bytes).bytes(asked.finish())
    let [found, given] = [0, 0]
    const whole = new WholeTraces((spans) => {
      found += 1
      if (!beganIn(spans, query)) return
      given += 1
      each(spans)
    })
    await this.#stream('FindTraces', request.finish(), signal, (message) => whole.take(this.#decode(message)))
    whole.end()
    return { traces: given, cut: found >= limit }
  }

  reproduce(id: string): TraceReference {
    return this.#http.reproduce(id)
  }

  /** Gives every message of an answer; rejects with a BackendError, also if none came for the time-out, or with what `each` threw. */
  #stream(
    name: string,
    request: Uint8Array,
    signal: AbortSignal | undefined,
    each: (message: Buffer) => void,
  ): Promise<void> {
    return this.#gate.through(
      () =>
        new Promise<void>((resolve, reject) => {
          const options: CallOptions = {}
          const call = this.#client.makeServerStreamRequest(
            method(name),
            (one: Uint8Array) => Buffer.from(one.buffer, one.byteOffset, one.byteLength),
            (message: Buffer) => message,
            request,
            this.#metadata,
            options,
          )
          let cause: { readonly error: unknown } | undefined
          const give = (error: unknown) => {
            cause ??= { error }
            call.cancel()
          }
          const late = () =>
            give(
              this.#trouble(
                `did not answer within ${this.#timeoutMs} ms: raise backends.*.timeout or look at its load.`,
              ),
            )
          const timer = setTimeout(late, this.#timeoutMs)
          const aborted = () => give(this.#trouble('was not waited for any longer.'))
          const over = () => {
            clearTimeout(timer)
            signal?.removeEventListener('abort', aborted)
          }
          signal?.addEventListener('abort', aborted, { once: true })
          if (signal?.aborted) aborted()
          call.on('data', (message: Buffer) => {
            timer.refresh()
            if (cause) return
            try {
              each(message)
            } catch (error) {
              give(error)
            }
          })
          call.on('error', (error: ServiceError) => {
            over()
            if (!cause && error.code === status.NOT_FOUND) resolve()
            else reject(cause ? cause.error : this.#explained(error))
          })
          call.on('end', () => {
            over()
            if (cause) reject(cause.error)
            else resolve()
          })
        }),
      name === 'FindTraces' ? 'bulk' : 'small',
    )
  }

  #trouble(words: string): BackendError {
    return new BackendError('transport', `jaeger at ${this.#address} (gRPC) ${words}`)
  }

  #decode(message: Buffer): Span[] {
    try {
      return decodeSpans(message)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw new BackendError(
        'answer',
        `jaeger at ${this.#address} (gRPC) sent what is no trace (${why}): is backends.jaeger.grpc the port of its query API?`,
      )
    }
  }

  #explained({ code, details }: ServiceError): BackendError {
    const where = `jaeger at ${this.#address} (gRPC)`
    if (code === status.UNAUTHENTICATED || code === status.PERMISSION_DENIED) {
      return new BackendError(
        'answer',
        `${where} wants other credentials (${details}); set backends.jaeger.auth in the config.`,
      )
    }
    if (code === status.UNIMPLEMENTED || /Protocol error|Parse Error/i.test(details)) {
      return new BackendError(
        'answer',
        `${where} does not know the API v3 (${details}): is backends.jaeger.grpc the port of its query API? Leave it out to use HTTP.`,
      )
    }
    if (/ECONNREFUSED/.test(details))
      return this.#trouble('refused the connection: is it running, and is backends.jaeger.grpc right?')
    if (/Name resolution|ENOTFOUND/i.test(details))
      return this.#trouble('has a host name that does not resolve: check backends.jaeger.grpc.')
    return this.#trouble(`could not be asked: ${details}`)
  }
}

function timestampOf(epochMs: number): Uint8Array {
  const seconds = Math.floor(epochMs / 1000)
  const writer = protobuf.Writer.create()
  writer.uint32((timestamp.seconds << 3) | varint).int64(seconds)
  writer.uint32((timestamp.nanos << 3) | varint).int32((epochMs - seconds * 1000) * 1_000_000)
  return writer.finish()
}

/** Puts together the messages of one trace: a storage may send a large one in parts, which follow each other. */
class WholeTraces {
  readonly #each: EachTrace
  #open: Span[] = []
  constructor(each: EachTrace) {
    this.#each = each
  }

  take(spans: readonly Span[]): void {
    for (const span of spans) {
      if (this.#open[0] && this.#open[0].traceId !== span.traceId) this.end()
      this.#open.push(span)
    }
  }

  end(): void {
    if (this.#open.length > 0) this.#each(this.#open)
    this.#open = []
  }
}
