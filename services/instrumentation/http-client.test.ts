import { createServer, type RequestListener, type Server } from 'node:http'
import { ROOT_CONTEXT } from '@opentelemetry/api'
import { expect, onTestFinished, test } from 'vitest'
import { Faults } from './faults.ts'
import { HttpClient } from './http-client.ts'
import { startTelemetry } from './telemetry.ts'

async function serve(listener: RequestListener): Promise<{ url: string; server: Server }> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { url: `http://127.0.0.1:${address.port}`, server }
}

function clientOf(...urls: string[]) {
  const telemetry = startTelemetry({
    service: 'test',
    instance: 'test-1',
    otlpUrl: undefined,
    zipkinUrl: undefined,
    sampleRatio: undefined,
    faults: new Faults([]),
  })
  const client = new HttpClient(urls, telemetry, 1000)
  onTestFinished(async () => {
    client.close()
    await telemetry.stop()
  })
  return async () => (await client.send({ method: 'GET', path: '/', headers: {}, context: ROOT_CONTEXT })).body
}

test('instances take turns, and one that refuses is passed over', async () => {
  const [one, two] = await Promise.all(['one', 'two'].map((name) => serve((_, response) => response.end(name))))
  if (!one || !two) throw new Error('unreachable')
  const ask = clientOf(one.url, two.url)
  expect([await ask(), await ask(), await ask()]).toEqual(['one', 'two', 'one'])
  two.server.close()
  two.server.closeAllConnections()
  await expect.poll(async () => [await ask(), await ask()]).toEqual(['one', 'one'])
})

test('what may have been received is not sent again', async () => {
  let received = 0
  const torn = await serve((request) => {
    received++
    request.socket.destroy()
  })
  const well = await serve((_, response) => response.end('well'))
  const ask = clientOf(torn.url, well.url)
  await expect(ask()).rejects.toThrow()
  expect(await ask()).toBe('well')
  expect(received).toBe(1)
})

test('an instance that is leaving gets nothing new, and its idle connections are closed', async () => {
  const leaving = await serve((_, response) => response.setHeader('connection', 'close').end('leaving'))
  const staying = await serve((_, response) => response.end('staying'))
  const ask = clientOf(leaving.url, staying.url)
  expect([await ask(), await ask(), await ask(), await ask()]).toEqual(['leaving', 'staying', 'staying', 'staying'])
})

test('all refuse: the reason is told', async () => {
  const { url, server } = await serve(() => {})
  await new Promise((resolve) => server.close(resolve))
  await expect(clientOf(url, url)()).rejects.toThrow('ECONNREFUSED')
})
