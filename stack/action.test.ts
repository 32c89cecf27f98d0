import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { perform } from './action.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

const call = { kind: 'call', method: 'POST', headers: {}, headersEnv: {}, accept: [] } as const

/** A server that answers with a status and keeps what it was asked. */
async function server(status: number): Promise<{ url: string; asked: IncomingMessage[]; close(): Promise<void> }> {
  const asked: IncomingMessage[] = []
  const listener = createServer((request, response) => {
    asked.push(request)
    response.writeHead(status, { location: '/elsewhere' }).end()
  })
  onTestFinished(() => void listener.close())
  await new Promise<void>((done) => listener.listen(0, '127.0.0.1', done))
  const address = listener.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/break`,
    asked,
    close: () => new Promise((done) => listener.close(() => done())),
  }
}

test('a call carries the value of the variable that a header names', async () => {
  vi.stubEnv('DEMO_TOKEN', 'Bearer hunter2')
  const { url, asked } = await server(204)
  await perform({ ...call, url, headersEnv: { authorization: 'DEMO_TOKEN' } })
  expect(asked[0]?.headers.authorization).toBe('Bearer hunter2')
})

test('a call whose variable is not set is not sent, and the error names the variable', async () => {
  const { url, asked } = await server(204)
  await expect(perform({ ...call, url, headersEnv: { authorization: 'DEMO_UNSET' } })).rejects.toThrow('DEMO_UNSET')
  expect(asked).toEqual([])
})

test('a refusal and a redirect fail, without what the headers hold; an accepted status does not', async () => {
  vi.stubEnv('DEMO_TOKEN', 'hunter2')
  for (const status of [404, 302, 500]) {
    const { url, asked } = await server(status)
    const refused = perform({ ...call, url, headersEnv: { authorization: 'DEMO_TOKEN' } })
    await expect(refused).rejects.toThrow(`was answered ${status}`)
    await expect(refused).rejects.not.toThrow('hunter2')
    expect(asked).toHaveLength(1)
    await perform({ ...call, url, accept: [status] })
  }
})

test('a call to nobody says why', async () => {
  const { url, close } = await server(204)
  await close()
  await expect(perform({ ...call, url })).rejects.toThrow('ECONNREFUSED')
})

test('a command runs in its folder, and no shell reads its arguments', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'muster-action-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await perform({ kind: 'command', argv: ['touch', '$(id)', 'a b'], folder })
  expect((await readdir(folder)).sort()).toEqual(['$(id)', 'a b'])
})

test('a command that fails, is missing, or does not end is named', async () => {
  const run = (argv: string[]) => perform({ kind: 'command', argv, folder: tmpdir() }, 200)
  await expect(run(['false'])).rejects.toThrow('false ended with exit code 1')
  await expect(run(['/nowhere/tool'])).rejects.toThrow('/nowhere/tool could not be started')
  await expect(run(['sleep', '30'])).rejects.toThrow('sleep 30 ended with SIGKILL')
})
