import { afterEach, expect, it, test } from 'vitest'
import { EnvironmentError } from '../../lib/errors.ts'
import { isDelivered } from './notification.ts'
import { sampleRoutingKey } from './pagerduty.ts'
import { type SinkPorts, Sinks } from './sinks.ts'

const open: Sinks[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((sinks) => sinks.close()))
})

async function opened(ports: SinkPorts = {}): Promise<Sinks> {
  const sinks = await Sinks.open(ports)
  open.push(sinks)
  return sinks
}

async function post(url: string, body: unknown, signal?: AbortSignal): Promise<Response> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return fetch(url, { method: 'POST', body: text, signal: signal ?? null })
}

const slackMessage = { attachments: [{ title: '[FIRING:1] Down', color: 'danger', fallback: 'x' }] }
const event = {
  routing_key: sampleRoutingKey,
  event_action: 'trigger',
  dedup_key: 'abc',
  payload: { summary: 'Down', source: 'gateway', severity: 'critical' },
}

it('answers as Slack and PagerDuty do, and records receiver, status and time', async () => {
  const sinks = await opened()
  const before = Date.now()
  const slack = await post(sinks.url('slack', 'team/a b'), slackMessage)
  expect([slack.status, await slack.text()]).toEqual([200, 'ok'])
  const pagerduty = await post(sinks.url('pagerduty', 'night'), event)
  expect(pagerduty.status).toBe(202)
  expect(await pagerduty.json()).toEqual({ status: 'success', message: 'Event processed', dedup_key: 'abc' })
  const [first, second] = sinks.notifications()
  expect(first).toMatchObject({ kind: 'slack', type: 'slack', receiver: 'team/a b', status: 'firing', answered: '200' })
  expect(second).toMatchObject({ kind: 'pagerduty', receiver: 'night', status: 'firing', groupKey: 'abc' })
  for (const { at } of [first, second].filter((notification) => notification !== undefined)) {
    expect(at).toBeGreaterThanOrEqual(before)
    expect(at).toBeLessThanOrEqual(Date.now())
  }
})

it('leaves out what arrived before the moment asked for', async () => {
  const sinks = await opened()
  await post(sinks.url('slack', 'a'), slackMessage)
  const at = sinks.notifications()[0]?.at ?? 0
  expect(sinks.notifications(at)).toHaveLength(1)
  expect(sinks.notifications(at + 1)).toHaveLength(0)
})

it('refuses what the service would refuse, and records it with its problems', async () => {
  const sinks = await opened()
  const slack = await post(sinks.url('slack', 'a'), '{"text":')
  expect([slack.status, await slack.text()]).toEqual([400, 'invalid_payload'])
  const pagerduty = await post(sinks.url('pagerduty', 'a'), { ...event, routing_key: 'short' })
  expect(pagerduty.status).toBe(400)
  expect(await pagerduty.json()).toMatchObject({ status: 'invalid event', errors: [expect.stringContaining('32')] })
  const notifications = sinks.notifications()
  expect(notifications.map(({ problems }) => problems.length)).toEqual([1, 1])
  expect(notifications.map(isDelivered)).toEqual([false, false])
})

it.each([
  ['/', 'x'],
  ['/slack', 'x'],
])('a webhook at %s is recorded under the receiver that its body names, and no other service is', async (path) => {
  const sinks = await opened()
  await post(`http://127.0.0.1:${sinks.httpPort}${path}`, { version: '4' })
  if (path === '/') expect(sinks.notifications()[0]).toMatchObject({ type: 'webhook', receiver: '' })
  else expect(sinks.strangers).toEqual([expect.stringContaining('POST /slack')])
})

it('keeps requests that fit no sink apart, without the keys that a path may hold', async () => {
  const sinks = await opened()
  const response = await fetch(`${sinks.url('telegram', 'a')}/botSECRET/sendMessage`)
  expect(response.status).toBe(405)
  expect(sinks.notifications()).toEqual([])
  expect(sinks.strangers).toEqual(['GET /telegram/a '])
})

it('fails as told, for the receivers told, until restored', async () => {
  const sinks = await opened()
  const restore = sinks.behave({ type: 'slack', receiver: 'a' }, { kind: 'fail', status: 503 })
  expect((await post(sinks.url('slack', 'a'), slackMessage)).status).toBe(503)
  expect((await post(sinks.url('slack', 'b'), slackMessage)).status).toBe(200)
  expect((await post(sinks.url('pagerduty', 'a'), event)).status).toBe(202)
  restore()
  expect((await post(sinks.url('slack', 'a'), slackMessage)).status).toBe(200)
  expect(sinks.notifications().map(({ answered }) => answered)).toEqual(['503', '200', '202', '200'])
})

it('of several behaviours the last told counts, and the earlier one comes back', async () => {
  const sinks = await opened()
  sinks.behave({}, { kind: 'fail', status: 500 })
  const restore = sinks.behave({ receiver: 'a' }, { kind: 'accept' })
  expect((await post(sinks.url('slack', 'a'), slackMessage)).status).toBe(200)
  restore()
  expect((await post(sinks.url('slack', 'a'), slackMessage)).status).toBe(500)
})

it('hangs as told: no answer comes, and closing ends the wait', async () => {
  const sinks = await opened()
  sinks.behave({}, { kind: 'hang' })
  const answer = post(sinks.url('slack', 'a'), slackMessage, AbortSignal.timeout(5000))
  const ended = expect(answer).rejects.toThrow()
  await expect.poll(() => sinks.notifications()).toMatchObject([{ answered: 'nothing' }])
  await sinks.close()
  open.length = 0
  await ended
})

it('limits the rate as told, says for how long, and accepts after that', async () => {
  const sinks = await opened()
  sinks.behave({ type: 'pagerduty' }, { kind: 'rate-limit', retryAfterS: 0.2 })
  const limited = await post(sinks.url('pagerduty', 'a'), event)
  expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '1'])
  expect((await post(sinks.url('pagerduty', 'a'), event)).status).toBe(429)
  await expect.poll(async () => (await post(sinks.url('pagerduty', 'a'), event)).status).toBe(202)
})

test.each([
  ['http', 'Port %s for alert notifications is taken: end the other run, or set another sinkPort.'],
  ['smtp', 'Port %s for alert mails is taken: end the other run, or set another sinkSmtpPort.'],
] as const)('a taken %s port is named, with the remedy', async (kind, message) => {
  const first = await opened()
  const port = kind === 'http' ? first.httpPort : first.smtpPort
  const second = Sinks.open({ [kind]: port })
  await expect(second).rejects.toBeInstanceOf(EnvironmentError)
  await expect(second).rejects.toThrow(message.replace('%s', String(port)))
})

it('frees its ports when closed', async () => {
  const sinks = await Sinks.open()
  const ports = { http: sinks.httpPort, smtp: sinks.smtpPort }
  const url = sinks.url('slack', 'a')
  await sinks.close()
  await expect(fetch(url)).rejects.toThrow()
  expect((await opened(ports)).httpPort).toBe(ports.http)
})

it('refuses a body without end', async () => {
  const sinks = await opened()
  expect((await post(sinks.url('slack', 'a'), 'x'.repeat(4 * 1024 * 1024 + 1))).status).toBe(413)
})
