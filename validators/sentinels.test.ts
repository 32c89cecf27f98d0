import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { del, post } from '../lib/journey.ts'
import { type Sentinel, sentinel } from '../lib/sentinel.ts'
import { decodeTraceId, sentinelInstance, traceId } from '../lib/trace-id.ts'
import { loadSentinel, startPatrol } from './sentinels.ts'

const open: Server[] = []
afterEach(() => {
  for (const server of open.splice(0)) server.close()
})

async function served(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer((request, response) => {
    request.resume()
    request.on('end', () => handle(request, response))
  })
  open.push(server)
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return `http://127.0.0.1:${address.port}`
}

const steps = {
  login: post('/login', 200, ['gateway']),
  create: post('/todos', 201, ['gateway', 'todos']),
  remove: del('/todos/:id', 204, ['gateway', 'todos']),
}
const guard = sentinel(steps, {
  prepare: async ({ login }) => (await login({ body: { user: 'a' } })).json<{ token: string }>().token,
  visit: async ({ create, remove, data }) => {
    const headers = { authorization: data }
    const { id } = (await create({ headers, body: { title: 'x' } })).json<{ id: string }>()
    await remove({ id, headers })
  },
})

/** Begins to send; `answers` are the ids whose declared answer arrived. */
function patrol(declared: Sentinel, baseUrl: string, more: { timeoutMs?: number; durationMs?: number } = {}) {
  const answers: string[] = []
  const options = { rate: 200, durationMs: 10_000, timeoutMs: 2000, run: 7, scenario: 3, ...more }
  const signal = new AbortController().signal
  const onAnswer = (id: string) => answers.push(id)
  return { answers, ...startPatrol({ sentinel: declared, baseUrl, signal, onAnswer, ...options }) }
}

/** Polls until it holds. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((done) => setTimeout(done, 5))
}

it('records each request that it sent, once, and lets the last visit come to its end', async () => {
  const received: { what: string; id: string; authorization: string | undefined }[] = []
  const url = await served(({ method, url: path, headers }, response) => {
    const [, id = ''] = String(headers.traceparent).split('-')
    received.push({ what: `${method} ${path}`, id, authorization: headers.authorization })
    if (path === '/login') response.end('{"token":"secret"}')
    else if (method === 'POST') response.writeHead(201).end('{"id":"a b"}')
    else response.writeHead(204).end()
  })
  const { answers, end } = patrol(guard, url)
  await until(() => received.length >= 6)
  const { requests, problems } = await end()
  expect(problems).toEqual([])
  expect(requests.length % 2).toBe(1)
  expect(received.slice(0, 3)).toMatchObject([
    { what: 'POST /login', authorization: undefined },
    { what: 'POST /todos', authorization: 'secret' },
    { what: 'DELETE /todos/a%20b', authorization: 'secret' },
  ])
  expect(requests.slice(0, 5)).toMatchObject([
    { step: 'login', number: 0, repetition: 0, iteration: 0, status: 200 },
    { step: 'create', number: 1, repetition: 0, iteration: 0, status: 201 },
    { step: 'remove', number: 2, repetition: 0, iteration: 0, status: 204 },
    { step: 'create', number: 1, repetition: 0, iteration: 1, status: 201 },
    { step: 'remove', number: 2, repetition: 0, iteration: 1, status: 204 },
  ])
  const ids = requests.map(({ number: step, repetition, iteration }) =>
    traceId({ run: 7, instance: sentinelInstance, scenario: 3, step, repetition, iteration }),
  )
  expect(received.map(({ id }) => id)).toEqual(ids)
  expect(answers).toEqual(ids)
  expect(new Set(ids).size).toBe(ids.length)
})

it('keeps its rate, and stops when its time is over', async () => {
  const at: number[] = []
  const url = await served((_, response) => {
    at.push(performance.now())
    response.writeHead(201).end()
  })
  const declared = sentinel(steps, { visit: async ({ create }) => void (await create()) })
  const { end } = patrol(declared, url, { durationMs: 120 })
  await new Promise((done) => setTimeout(done, 250))
  const { requests } = await end()
  expect(requests.length).toBe(at.length)
  // 200 a second for 0.12 s are 24, and one may begin at the very start.
  expect(at.length).toBeLessThanOrEqual(26)
  expect(at.length).toBeGreaterThan(5)
  expect(requests.map(({ iteration }) => iteration)).toEqual(requests.map((_, n) => n))
})

it('counts repetitions of a step within a visit', async () => {
  const url = await served((_, response) => response.writeHead(201).end())
  const declared = sentinel(steps, {
    visit: async ({ create }) => {
      await create()
      await Promise.all([create(), create()])
    },
  })
  const { answers, end } = patrol(declared, url)
  await until(() => answers.length >= 4)
  const { requests } = await end()
  const first = requests.filter(({ iteration }) => iteration === 0)
  expect(first.map(({ repetition }) => repetition).sort()).toEqual([0, 1, 2])
  expect(new Set(answers).size).toBe(answers.length)
  expect(decodeTraceId(answers[0] ?? '')?.repetition).toBe(0)
})

it('records what went wrong, and goes on', async () => {
  let count = 0
  const url = await served((request, response) => {
    count += 1
    // No answer, another answer, a broken connection; then all is well.
    if (count === 1) return
    if (count === 2) response.writeHead(500).end()
    else if (count === 3) request.socket.destroy()
    else response.writeHead(201).end('{"id":"1"}')
  })
  const declared = sentinel(steps, { visit: async ({ create }) => void (await create()).json() })
  const { answers, end } = patrol(declared, url, { timeoutMs: 60 })
  await until(() => answers.length >= 2)
  const { requests, problems } = await end()
  expect(requests.slice(0, 4).map(({ status }) => status)).toEqual([0, 500, 0, 201])
  // Each was sent once: what arrived is what is recorded.
  expect(requests.length).toBe(count)
  expect(problems).toEqual([
    'visit 0 threw: create answered nothing instead of 201',
    'visit 1 threw: create answered 500 instead of 201',
    'visit 2 threw: create answered nothing instead of 201',
  ])
  expect(answers.length).toBe(requests.length - 3)
})

it('sends nothing more if it cannot be prepared, or if its script sends nothing', async () => {
  const url = await served((_, response) => response.writeHead(401).end())
  const refused = patrol(guard, url)
  await new Promise((done) => setTimeout(done, 50))
  expect(await refused.end()).toMatchObject({
    requests: [{ step: 'login', status: 401 }],
    problems: ['prepare threw: login answered 401 instead of 200'],
  })
  const idle = patrol(sentinel(steps, { visit: () => Promise.resolve() }), url)
  await new Promise((done) => setTimeout(done, 20))
  expect(await idle.end()).toEqual({ requests: [], problems: ['visit 0 sent nothing'] })
})

it('refuses files that declare no sentinel, naming what is wrong', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'muster-sentinel-'))
  try {
    const loaded = async (name: string, text: string) => {
      await writeFile(join(folder, name), text)
      const services = { gateway: {} }
      const config = { folder, services } as unknown as Parameters<typeof loadSentinel>[0]
      return loadSentinel(config, name)
    }
    const step = (services: string) => `{ method: 'GET', route: '/', status: 200, services: [${services}] }`
    const visit = 'visit: async () => {}'
    await expect(loaded('a.mjs', 'export default { steps: {} }')).rejects.toThrow('must default-export what sentinel()')
    await expect(loaded('b.mjs', 'throw new Error("no good")')).rejects.toThrow('cannot be loaded: no good')
    await expect(loaded('c.mjs', `export default { steps: {}, ${visit} }`)).rejects.toThrow('it has no steps')
    await expect(
      loaded('d.mjs', `export default { steps: { data: ${step("'gateway', 'ghost'")} }, ${visit} }`),
    ).rejects.toThrow('"data" cannot be the name of a step; data touches "ghost", which is not in services')
    await expect(
      loaded('e.mjs', `export default { steps: { ask: ${step("'gateway'")} }, ${visit} }`),
    ).resolves.toMatchObject({ steps: { ask: { status: 200 } } })
  } finally {
    await rm(folder, { recursive: true })
  }
})
