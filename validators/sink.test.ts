import { afterEach, expect, it } from 'vitest'
import { EnvironmentError } from '../lib/errors.ts'
import { Sink } from './sink.ts'

const open: Sink[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((sink) => sink.close()))
})

async function opened(port = 0): Promise<Sink> {
  const sink = await Sink.open(port)
  open.push(sink)
  return sink
}

/** What Alertmanager posts to a webhook receiver. */
function notification(...alerts: { status: string; labels: Record<string, string> }[]) {
  return { version: '4', receiver: 'sink', groupKey: '{}:{alertname="Down"}', status: 'firing', alerts }
}

async function post(sink: Sink, body: unknown): Promise<number> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return (await fetch(sink.url, { method: 'POST', body: text })).status
}

it('records every alert of a notification, with its labels and the time of arrival', async () => {
  const sink = await opened()
  const before = Date.now()
  const status = await post(
    sink,
    notification(
      { status: 'firing', labels: { alertname: 'Down', job: 'gateway' } },
      { status: 'resolved', labels: { alertname: 'Slow' } },
    ),
  )
  expect(status).toBe(200)
  expect(sink.deliveries()).toMatchObject([
    { alert: 'Down', status: 'firing', receiver: 'sink', labels: { alertname: 'Down', job: 'gateway' } },
    { alert: 'Slow', status: 'resolved', receiver: 'sink' },
  ])
  const at = sink.deliveries()[0]?.at ?? 0
  expect(at).toBeGreaterThanOrEqual(before)
  expect(at).toBeLessThanOrEqual(Date.now())
})

it('leaves out what arrived before the moment asked for', async () => {
  const sink = await opened()
  await post(sink, notification({ status: 'firing', labels: { alertname: 'Down' } }))
  const at = sink.deliveries()[0]?.at ?? 0
  expect(sink.deliveries(at)).toHaveLength(1)
  expect(sink.deliveries(at + 1)).toHaveLength(0)
})

it.each([
  ['no JSON', 'alert!'],
  ['an unknown version', { ...notification({ status: 'firing', labels: {} }), version: '3' }],
  ['no alerts', notification()],
  ['a status that does not exist', notification({ status: 'pending', labels: {} })],
])('refuses and remembers %s', async (_, body) => {
  const sink = await opened()
  expect(await post(sink, body)).toBe(400)
  expect(sink.deliveries()).toEqual([])
  expect(sink.malformed).toHaveLength(1)
})

it('says that its port is taken, and what to do', async () => {
  const { port } = new URL((await opened()).url)
  const second = Sink.open(Number(port))
  await expect(second).rejects.toBeInstanceOf(EnvironmentError)
  await expect(second).rejects.toThrow(`Port ${port} for alert notifications is taken: end the other run`)
})

it('listens on loopback alone, and frees its port when closed', async () => {
  const sink = await Sink.open(0)
  const { url } = sink
  const { hostname, port } = new URL(url)
  expect(hostname).toBe('127.0.0.1')
  await sink.close()
  await expect(fetch(url)).rejects.toThrow()
  expect(new URL((await opened(Number(port))).url).port).toBe(port)
})
