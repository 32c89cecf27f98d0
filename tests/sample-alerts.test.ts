import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type Stack, startStack } from '../stack/stack.ts'
import { until } from './observe.ts'

const answer = z.object({
  data: z.object({ alerts: z.array(z.object({ state: z.string(), labels: z.record(z.string(), z.string()) })) }),
})

/** A fault of a sample service, as its fault port takes it. */
interface Fault {
  readonly service: string
  readonly fault: string
  readonly ratio?: number
  readonly ms?: number
}

describe('in the quick profile of the sample stack', () => {
  let folder: string
  let stack: Stack
  let load: Load
  const leases: string[] = []

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'muster-alerts-'))
    stack = await startStack({ folder })
    load = new Load(stack.urls.gateway, 40)
  })
  afterAll(async () => {
    await load?.stop()
    await stack?.stop()
    await rm(folder, { recursive: true, force: true })
  })
  afterEach(async () => {
    await Promise.all(leases.splice(0).map((url) => fetch(url, { method: 'DELETE' })))
  })

  async function lease({ service, ...fault }: Fault): Promise<void> {
    const url = `${stack.urls.faults[service]}/leases`
    const body = JSON.stringify({ ...fault, ttlMs: 120_000 })
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    expect(response.status, await response.clone().text()).toBe(201)
    leases.push(`${url}/${z.object({ id: z.string() }).parse(await response.json()).id}`)
  }

  /** The alerts that fire, as `name service`. Those of objectives are left out: their windows outlast a fault by minutes. */
  async function firing(): Promise<string[]> {
    const response = await fetch(`${stack.urls.prometheus}/api/v1/alerts`)
    const { alerts } = answer.parse(await response.json()).data
    const names = alerts
      .filter(({ state, labels }) => state === 'firing' && labels.slo === undefined)
      .map(({ labels }) => `${labels.alertname} ${labels.service}`)
    return [...new Set(names)]
  }

  /** Waits until all of these have fired, and expects no other to have fired meanwhile. */
  async function expectFiring(...expected: readonly string[]): Promise<void> {
    const seen = new Set<string>()
    const all = async () => {
      for (const name of await firing()) seen.add(name)
      return expected.every((name) => seen.has(name)) ? true : undefined
    }
    await until(`the alerts ${expected.join(', ')}`, 60_000, all).catch((error: unknown) => {
      throw new Error(`fired: ${[...seen].join(', ')}`, { cause: error })
    })
    expect([...seen].toSorted()).toEqual(expected.toSorted())
  }

  const quiet = () => until('no alert', 60_000, async () => ((await firing()).length === 0 ? true : undefined))

  test('none fires under healthy load', async () => {
    await until('enough requests', 30_000, () => (load.answered >= 600 ? true : undefined))
    expect(await firing()).toEqual([])
  })

  test('errors, refusals and losses fire their alerts, and no others', async () => {
    await lease({ service: 'gateway', fault: 'rate-limit', ratio: 0.1 })
    await lease({ service: 'todos', fault: 'error', ratio: 0.3 })
    await lease({ service: 'webhooks', fault: 'error', ratio: 0.3 })
    await lease({ service: 'webhooks', fault: 'small-span-queue', ms: 1000 })
    await expectFiring(
      'GatewayHighErrorRate gateway',
      'GatewayRateLimited gateway',
      'TelemetryPipelineDrops webhooks',
      'TodosHighErrorRate todos',
      'WebhookHighErrorRate webhooks',
    )
  })

  test('slowness fires its alerts, and no others', async () => {
    await quiet()
    await lease({ service: 'gateway', fault: 'latency', ms: 8000 })
    await lease({ service: 'todos', fault: 'latency', ms: 700 })
    await lease({ service: 'webhooks', fault: 'latency', ms: 700 })
    await expectFiring(
      'GatewayHighLatency gateway',
      'ServiceSaturated gateway',
      'TodosHighLatency todos',
      'WebhookHighLatency webhooks',
    )
  })

  test('a stalled queue, a service and a backend that are gone fire their alerts, and no others', async () => {
    await quiet()
    await lease({ service: 'webhooks', fault: 'stall' })
    await expectFiring('WebhookQueueBacklog webhooks')
    await lease({ service: 'todos', fault: 'no-metrics' })
    stack.kill('jaeger')
    await expectFiring('ServiceDown todos', 'TelemetryDown jaeger', 'WebhookQueueBacklog webhooks')
  })
})

/** Logs in once, then makes todos at a steady rate, whatever is answered and when. */
class Load {
  answered = 0
  readonly #timer: NodeJS.Timeout
  readonly #underWay = new Set<Promise<void>>()
  #token: string | undefined

  constructor(gateway: string, perSecond: number) {
    this.#timer = setInterval(() => {
      const request = this.#send(gateway)
        .catch(() => undefined)
        .finally(() => this.#underWay.delete(request))
      this.#underWay.add(request)
    }, 1000 / perSecond)
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all(this.#underWay)
  }

  async #send(gateway: string): Promise<void> {
    const post = (path: string, body: object, headers = {}) =>
      fetch(gateway + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(15_000),
      })
    if (this.#token === undefined) {
      const response = await post('/login', { user: 'load', password: 'correct horse' })
      this.#token = z.object({ token: z.string() }).parse(await response.json()).token
    }
    const response = await post('/todos', { title: 'made by load' }, { authorization: `Bearer ${this.#token}` })
    await response.arrayBuffer()
    this.answered++
  }
}
