import { execFile } from 'node:child_process'
import { createServer, type RequestListener, type Server } from 'node:http'
import { promisify } from 'node:util'
import { afterEach, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { UsageError } from '../../lib/errors.ts'
import type { Endpoint } from '../config.ts'
import { BackendError, Gate, isFinal, JsonClient } from './http.ts'

const servers: Server[] = []
afterEach(() => {
  vi.unstubAllEnvs()
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return `http://127.0.0.1:${address.port}`
}

const says =
  (status: number, body: string): RequestListener =>
  (_, response) => {
    response.statusCode = status
    response.end(body)
  }

function client(url: string, more: Partial<Endpoint> = {}): JsonClient {
  return new JsonClient('loki', { url, timeoutMs: 2000, ui: true, ...more }, new Gate(4))
}

const shape = z.object({ version: z.string() })

/** The error that a question ends with. */
async function failure(asked: JsonClient, signal?: AbortSignal): Promise<BackendError> {
  const error = await asked.ask(shape, { path: '/v1', ...(signal ? { signal } : {}) }).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof BackendError) return error
  throw new Error(`expected a BackendError, got ${String(error)}`)
}

it('gives what the backend said, parsed', async () => {
  const url = await serve(says(200, '{"version":"3.1","more":1}'))
  expect(await client(`${url}/`).ask(shape, { path: '/v1' })).toEqual({ version: '3.1' })
})

it.each([401, 403])('takes %i as an answer, and names the setting that is missing', async (status) => {
  const error = await failure(client(await serve(says(status, 'who are you?'))))
  expect(isFinal(error)).toBe(true)
  expect(error.message).toContain(`answered ${status}`)
  expect(error.message).toContain('set backends.loki.auth')
})

it('takes HTML as an answer of somebody else', async () => {
  const error = await failure(client(await serve(says(200, '\n<!doctype html><title>Welcome</title>'))))
  expect(isFinal(error)).toBe(true)
  expect(error.message).toContain('answered HTML instead of JSON')
  expect(error.message).toContain('is backends.loki.url the address of its API?')
})

it('takes JSON of another shape as an answer, and says where it departs', async () => {
  const error = await failure(client(await serve(says(200, '{"version":3}'))))
  expect(isFinal(error)).toBe(true)
  expect(error.message).toContain('JSON of another shape (version:')
})

it('takes a refused query as an answer, with its words', async () => {
  const error = await failure(client(await serve(says(400, 'parse error at line 1'))))
  expect(isFinal(error)).toBe(true)
  expect(error.message).toContain('/v1 answered 400: parse error at line 1')
})

it('follows no redirect, which may lead to a page for logging in', async () => {
  const url = await serve((request, response) => {
    if (request.url === '/v1') response.writeHead(302, { location: '/login' }).end()
    else response.end('{"version":"3.1"}')
  })
  expect((await failure(client(url))).message).toContain('answered 302')
})

it.each([500, 502, 503])('takes %i as a trouble that may pass', async (status) => {
  const error = await failure(client(await serve(says(status, 'starting'))))
  expect(error.kind).toBe('transport')
  expect(error.message).toContain(`answered ${status}: starting`)
})

it('says that nobody listens', async () => {
  const url = await serve(says(200, '{}'))
  const [server] = servers.splice(0)
  await new Promise((resolve) => server?.close(resolve))
  const error = await failure(client(url))
  expect(error.kind).toBe('transport')
  expect(error.message).toContain(`loki at ${url} refused the connection`)
})

it('gives up after the time-out, and says which', async () => {
  const begun = performance.now()
  const error = await failure(client(await serve(() => {}), { timeoutMs: 100 }))
  expect(error.kind).toBe('transport')
  expect(error.message).toContain('did not answer within 100 ms')
  expect(performance.now() - begun).toBeLessThan(1500)
})

it('stops asking when aborted, and closes the connection', async () => {
  let closed = false
  const url = await serve((request) => {
    request.on('close', () => {
      closed = true
    })
  })
  const error = await failure(client(url), AbortSignal.timeout(50))
  expect(error.message).toContain('was not waited for any longer')
  await vi.waitFor(() => expect(closed).toBe(true))
})

it('sends credentials from the environment and the tenant', async () => {
  vi.stubEnv('LOKI_USER', 'me')
  vi.stubEnv('LOKI_PASSWORD', 'pä:ss')
  vi.stubEnv('LOKI_TOKEN', 'ey.token')
  const seen: (string | string[] | undefined)[] = []
  const url = await serve((request, response) => {
    seen.push(request.headers.authorization, request.headers['x-scope-orgid'], request.headers['x-key'])
    response.end('{"version":"3.1"}')
  })
  const ask = (more: Partial<Endpoint>) => client(url, more).ask(shape, { path: '/v1' })
  await ask({ auth: { type: 'basic', usernameEnv: 'LOKI_USER', passwordEnv: 'LOKI_PASSWORD' }, tenant: 'shop' })
  await ask({ auth: { type: 'bearer', tokenEnv: 'LOKI_TOKEN' } })
  await ask({ auth: { type: 'header', name: 'X-Key', valueEnv: 'LOKI_TOKEN' } })
  const basic = `Basic ${Buffer.from('me:pä:ss').toString('base64')}`
  expect(seen).toEqual([
    basic,
    'shop',
    undefined,
    'Bearer ey.token',
    undefined,
    undefined,
    undefined,
    undefined,
    'ey.token',
  ])
})

it('refuses to ask without the credentials that the config names', () => {
  vi.stubEnv('LOKI_TOKEN', '')
  const make = () => client('http://127.0.0.1:1', { auth: { type: 'bearer', tokenEnv: 'LOKI_TOKEN' } })
  expect(make).toThrow(UsageError)
  expect(make).toThrow('names the environment variable LOKI_TOKEN, which is not set')
})

it('names a certificate file that cannot be read', () => {
  const make = () => client('https://127.0.0.1:1', { caFile: '/nowhere/ca.pem' })
  expect(make).toThrow('backends.loki.caFile: /nowhere/ca.pem cannot be read')
})

it('writes a command that a shell understands, quotes and all, and that asks the very same', async () => {
  vi.stubEnv('LOKI_TOKEN', 'ey.hunter2')
  const asked: unknown[] = []
  const url = await serve((request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://x')
    asked.push([searchParams.getAll('query'), searchParams.getAll('id'), request.headers.authorization])
    response.end('{"version":"3.1"}')
  })
  const loki = client(url, { auth: { type: 'bearer', tokenEnv: 'LOKI_TOKEN' } })
  const params = { query: `{app="it's"} |= "$HOME \`id\` & a+b"`, id: ['a', 'b'] }
  const command = loki.curl('/v1', params)
  expect(command).not.toContain('hunter2')
  expect(command).toContain('"Authorization: Bearer $LOKI_TOKEN"')
  await loki.ask(shape, { path: '/v1', params })
  await promisify(execFile)('sh', ['-c', command], { env: { ...process.env, no_proxy: '*' } })
  expect(asked[1]).toEqual(asked[0])
  expect(asked[0]).toEqual([[params.query], ['a', 'b'], 'Bearer ey.hunter2'])
})

it('keeps every kind of credential out of the command', () => {
  vi.stubEnv('LOKI_SECRET', 'hunter2')
  const auths: NonNullable<Endpoint['auth']>[] = [
    { type: 'basic', usernameEnv: 'LOKI_SECRET', passwordEnv: 'LOKI_SECRET' },
    { type: 'bearer', tokenEnv: 'LOKI_SECRET' },
    { type: 'header', name: 'X-Key', valueEnv: 'LOKI_SECRET' },
  ]
  for (const auth of auths) {
    const command = client('http://127.0.0.1:1', { auth }).curl('/v1')
    expect(command).toContain('$LOKI_SECRET')
    expect(command).not.toContain('hunter2')
  }
})

it('lets at most so many through the gate at once, in the order they came, also when some fail', async () => {
  const gate = new Gate(3)
  const order: number[] = []
  let [inside, most] = [0, 0]
  const tasks = Array.from({ length: 20 }, (_, number) =>
    gate.through(async () => {
      order.push(number)
      inside += 1
      most = Math.max(most, inside)
      await new Promise((resolve) => setTimeout(resolve, 2))
      inside -= 1
      if (number % 3 === 0) throw new Error('no')
    }),
  )
  const ends = await Promise.allSettled(tasks)
  expect(most).toBe(3)
  expect(order).toEqual(Array.from({ length: 20 }, (_, number) => number))
  expect(ends.filter(({ status }) => status === 'rejected')).toHaveLength(7)
  // Every place is free again.
  expect(await Promise.race([gate.through(async () => 'in'), new Promise((resolve) => setTimeout(resolve, 500))])).toBe(
    'in',
  )
})

it('keeps a place for small questions while many bulky ones wait', async () => {
  const gate = new Gate(3)
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const bulky = Array.from({ length: 6 }, () => gate.through(() => held, 'bulk'))
  let inside = 0
  const small = Array.from({ length: 5 }, () =>
    gate.through(async () => {
      inside += 1
    }),
  )
  await Promise.all(small)
  expect(inside).toBe(5)
  release()
  await Promise.all(bulky)
  expect(await gate.through(async () => 'in', 'bulk')).toBe('in')
})
