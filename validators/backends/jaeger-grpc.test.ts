import { type Metadata, Server, ServerCredentials, type ServerWritableStream, status } from '@grpc/grpc-js'
import protobuf from 'protobufjs/minimal.js'
import { afterEach, expect, it, vi } from 'vitest'
import type { JaegerEndpoint } from '../config.ts'
import { BackendError, Gate, JsonClient } from './http.ts'
import { JaegerHttp } from './jaeger.ts'
import { JaegerGrpc } from './jaeger-grpc.ts'

const servers: Server[] = []
afterEach(() => {
  vi.unstubAllEnvs()
  for (const server of servers.splice(0)) server.forceShutdown()
})

type Call = ServerWritableStream<Buffer, Buffer>

/** A query service that answers every FindTraces so; gives its address. */
async function serve(find: (call: Call) => void): Promise<string> {
  const server = new Server()
  servers.push(server)
  const asItIs = (bytes: Buffer) => bytes
  server.addService(
    {
      find: {
        path: '/jaeger.api_v3.QueryService/FindTraces',
        requestStream: false,
        responseStream: true,
        requestSerialize: asItIs,
        requestDeserialize: asItIs,
        responseSerialize: asItIs,
        responseDeserialize: asItIs,
      },
    },
    { find },
  )
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    )
  })
  return `127.0.0.1:${port}`
}

function source(address: string, more: Partial<JaegerEndpoint> = {}): JaegerGrpc {
  const endpoint: JaegerEndpoint = { url: 'http://127.0.0.1:1', timeoutMs: 2000, ui: true, limit: 10_000, ...more }
  const gate = new Gate(4)
  return new JaegerGrpc(address, endpoint, gate, new JaegerHttp(new JsonClient('jaeger', endpoint, gate)))
}

/** A message with one span of the service `gateway` that began at `ms`. */
function part(traceId: string, spanId: string, ms: number): Buffer {
  const nested = (number: number, inner: Uint8Array) =>
    protobuf.Writer.create()
      .uint32((number << 3) | 2)
      .bytes(inner)
  const key = protobuf.Writer.create().uint32(10).string('service.name').uint32(18)
  const name = key.bytes(protobuf.Writer.create().uint32(10).string('gateway').finish()).finish()
  const span = protobuf.Writer.create().uint32(10).bytes(Buffer.from(traceId, 'hex'))
  span.uint32(18).bytes(Buffer.from(spanId, 'hex'))
  span
    .uint32((7 << 3) | 1)
    .fixed32((ms * 1e6) % 2 ** 32)
    .fixed32(Math.floor((ms * 1e6) / 2 ** 32))
  const spans = nested(2, nested(2, span.finish()).finish()).finish()
  const resource = nested(1, nested(1, name).finish()).finish()
  return Buffer.from(nested(1, Buffer.concat([resource, spans])).finish())
}

const [one, two] = ['1'.repeat(32), '2'.repeat(32)]
const query = { service: 'gateway', from: 1000, to: 2000, limit: 10 }

async function failure(asked: JaegerGrpc, signal?: AbortSignal): Promise<BackendError> {
  const error: unknown = await asked
    .search(query, () => {}, signal)
    .then(
      () => undefined,
      (reason: unknown) => reason,
    )
  if (error instanceof BackendError) return error
  throw new Error(`expected a BackendError, got ${String(error)}`)
}

it('puts a trace together that comes in parts, and leaves out what began elsewhere', async () => {
  const address = await serve((call) => {
    call.write(part(one, 'a'.repeat(16), 1500))
    call.write(part(one, 'b'.repeat(16), 2500))
    call.write(part(two, 'c'.repeat(16), 2000))
    call.end()
  })
  const seen: string[][] = []
  const end = await source(address).search(query, (trace) => seen.push(trace.map(({ spanId }) => spanId)))
  expect(seen).toEqual([['a'.repeat(16), 'b'.repeat(16)]])
  expect(end).toEqual({ traces: 1, cut: false })
  // The limit counts what was found.
  expect(await source(address).search({ ...query, limit: 2 }, () => {})).toEqual({ traces: 1, cut: true })
})

it('sends credentials from the environment and the tenant', async () => {
  vi.stubEnv('TOKEN', 'ey.token')
  let seen: Metadata | undefined
  const address = await serve((call) => {
    seen = call.metadata
    call.end()
  })
  await source(address, { auth: { type: 'bearer', tokenEnv: 'TOKEN' }, tenant: 'shop' }).search(query, () => {})
  expect(seen?.get('authorization')).toEqual(['Bearer ey.token'])
  expect(seen?.get('x-scope-orgid')).toEqual(['shop'])
})

it.each([
  [status.UNAUTHENTICATED, 'answer', 'set backends.jaeger.auth'],
  [status.UNIMPLEMENTED, 'answer', 'Leave it out to use HTTP'],
  [status.INTERNAL, 'transport', 'could not be asked: because'],
] as const)('says what status %i means', async (code, kind, words) => {
  const address = await serve((call) => call.emit('error', { code, details: 'because' }))
  const error = await failure(source(address))
  expect(error.kind).toBe(kind)
  expect(error.message).toContain(words)
})

it('takes what is no trace as an answer', async () => {
  const address = await serve((call) => {
    call.write(Buffer.from([0x0a, 0xff]))
    call.end()
  })
  const error = await failure(source(address))
  expect(error.kind).toBe('answer')
  expect(error.message).toContain('sent what is no trace')
})

it('gives up when nothing comes for the time-out, and tells the server', async () => {
  let cancelled = false
  const address = await serve((call) => {
    call.write(part(one, 'a'.repeat(16), 1500))
    call.on('cancelled', () => {
      cancelled = true
    })
  })
  const error = await failure(source(address, { timeoutMs: 100 }))
  expect(error.kind).toBe('transport')
  expect(error.message).toContain('did not answer within 100 ms')
  await vi.waitFor(() => expect(cancelled).toBe(true))
})

it('stops at once when what takes the traces throws', async () => {
  const address = await serve((call) => {
    call.write(part(one, 'a'.repeat(16), 1500))
    call.write(part(two, 'b'.repeat(16), 1500))
  })
  const asked = source(address).search(query, () => {
    throw new Error('full')
  })
  await expect(asked).rejects.toThrow(/^full$/)
})

it('is not asked at all when aborted before', async () => {
  const address = await serve((call) => call.end())
  const error = await failure(source(address), AbortSignal.abort())
  expect(error.message).toContain('was not waited for any longer')
})
