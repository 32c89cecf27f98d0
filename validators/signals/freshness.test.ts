import { describe, expect, it } from 'vitest'
import type { Sighting } from '../../lib/freshness.ts'
import { post } from '../../lib/journey.ts'
import { put } from '../check.ts'
import type { ScenarioContext, SentinelRun } from '../context.ts'
import type { Observed } from '../freshness.ts'
import { freshnessByService, freshnessChecks } from './freshness.ts'

const create = post('/todos', 201, ['gateway', 'todos'])
const start = 1_700_000_000_000

/** What a sentinel saw; each number is the milliseconds until a request was found in `gateway`, undefined never. */
function observedOf(...values: (number | undefined)[]): Observed {
  const sightings = values.map((afterMs, n): Sighting => {
    return { traceId: `id-${n}`, service: 'gateway', resolutionMs: 250, ...(afterMs === undefined ? {} : { afterMs }) }
  })
  return { sightings, looks: 9 }
}

function sentinelOf(logs: Observed, traces = logs, statuses = [201]): SentinelRun {
  const requests = statuses.map((status, iteration) => {
    return { step: 'create', number: 1, declared: create, repetition: 0, iteration, status, answeredAt: start + 1000 }
  })
  return { file: '/x/sentinel.ts', number: 0, requests, observed: Promise.resolve({ logs, traces }) }
}

/** Scrapes by job, in milliseconds after the start on Prometheus' clock, each with its `up` and its duration in seconds. */
type Scrapes = Readonly<Record<string, readonly (readonly [at: number, up: number, seconds: number])[]>>

const scraped: Scrapes = { gateway: [[2000, 1, 0]], todos: [[2000, 1, 0]] }

function contextOf(sentinel: SentinelRun | undefined, more: Partial<ScenarioContext> = {}, scrapes: Scrapes = scraped) {
  const raw = (selector: string) => {
    const own = scrapes[/job="(\w+)"/.exec(selector)?.[1] ?? ''] ?? []
    return Promise.resolve(
      (['up', 'scrape_duration_seconds'] as const).map((name, column) => ({
        labels: { __name__: name, instance: 'a' },
        samples: own.map(([at, ...values]) => ({ at: start + at, value: values[column] ?? 0 })),
      })),
    )
  }
  const context = {
    runId: 7,
    scenario: { name: 'basic' },
    window: { from: start, to: start + 5000 },
    facts: { clockOffsetMs: 100, scrapeMs: 10, scrapeTimeoutMs: 10 },
    signal: new AbortController().signal,
    config: {
      traces: {},
      services: {
        gateway: { job: 'gateway', logs: { selector: '{s="gateway"}' }, traces: { service: 'gateway' } },
        todos: { job: 'todos' },
      },
      freshness: { sentinel: 'x', rate: 2, p95: { metrics: '1s', logs: '1s', traces: '2s' } },
    },
    backends: {
      lacks: () => false,
      loki: { client: { curl: () => 'curl loki' } },
      traces: { reproduce: (id: string) => ({ query: `/api/traces/${id}`, reproduce: 'curl jaeger' }) },
      prometheus: {
        client: { curl: () => 'curl prometheus' },
        raw,
        rawQuery: (query: string) => ({ query, time: '1' }),
      },
    },
    sentinel,
    ...more,
  }
  // Only what these checks read is there.
  return context as unknown as ScenarioContext
}

async function verdictsOf(context: ScenarioContext) {
  const results = await Promise.all(freshnessChecks(context).map((check) => put(check, context.signal)))
  return Object.fromEntries(results.map((result) => [result.signal, result]))
}

describe('logs and traces', () => {
  it('pass within their limits, by the figures of the run', async () => {
    const { logs, traces } = await verdictsOf(contextOf(sentinelOf(observedOf(200, 400, 900), observedOf(1500))))
    expect(logs).toMatchObject({ id: 'logs.freshness', verdict: 'passed' })
    expect(logs?.evidence.actual).toBe(
      'p50 400 ms, p95 900 ms, max 900 ms; 3 requests, found in 3 of 3 places, within 250 ms, 9 looks',
    )
    expect(logs?.evidence.details).toEqual(['gateway: p50 400 ms, p95 900 ms, max 900 ms, 3 requests'])
    // The slowest is the one to look at.
    expect(logs?.evidence.query).toBe('{s="gateway"} |= "id-2"')
    expect(traces?.verdict).toBe('passed')
  })

  it('fail when they are late, and when one was never found', async () => {
    const lost = [...Array.from({ length: 39 }, () => 300), undefined]
    const { logs, traces } = await verdictsOf(contextOf(sentinelOf(observedOf(1001), observedOf(...lost))))
    expect(logs).toMatchObject({ verdict: 'failed', reason: 'p95 is 1 s, more than 1s' })
    expect(traces).toMatchObject({ verdict: 'failed', reason: 'never found: 1 of 40' })
    expect(traces?.evidence.details).toContain('id-39 was not found in gateway')
    expect(traces?.evidence.actual).toContain('max never')
  })

  it('are no data without an answer, errored if nobody could be asked', async () => {
    const deaf = { ...observedOf(undefined), error: 'loki refused the connection' }
    const { logs, traces } = await verdictsOf(contextOf(sentinelOf(deaf, observedOf())))
    expect(logs).toMatchObject({ verdict: 'errored', reason: 'loki refused the connection' })
    expect(traces).toMatchObject({ verdict: 'no-data' })
  })

  it('are skipped where they are not wanted or cannot be measured again, with the figures of the run', async () => {
    const sentinel = sentinelOf(observedOf(200))
    const again = await verdictsOf(contextOf(sentinel, { horizon: start + 9000 }))
    expect(again.logs).toMatchObject({
      verdict: 'skipped',
      evidence: { actual: expect.stringContaining('p95 200 ms') },
    })
    const { services } = contextOf(undefined).config
    const config = { services, traces: {} } as unknown as ScenarioContext['config']
    const unwanted = await verdictsOf(contextOf(undefined, { config }))
    expect(Object.values(unwanted).map(({ verdict }) => verdict)).toEqual(['skipped', 'skipped', 'skipped'])
    const unstarted = await verdictsOf(contextOf(undefined))
    expect(Object.values(unstarted).map(({ verdict }) => verdict)).toEqual(['no-data', 'no-data', 'no-data'])
  })

  it('tell the roll call how late each service was', async () => {
    const by = await freshnessByService(contextOf(sentinelOf(observedOf(200), observedOf(700, undefined))))
    expect(by).toEqual(new Map([['gateway', Number.POSITIVE_INFINITY]]))
    expect(await freshnessByService(contextOf(undefined))).toEqual(new Map())
  })
})

describe('metrics', () => {
  const sentinel = sentinelOf(observedOf(1))
  // The answer came at 1000 on muster's clock, which is 1100 on that of Prometheus.
  const gateway = [
    [1099, 1, 0.5],
    [1300, 1, 0.02],
  ] as const

  it('are fresh with the first good scrape after the answer, on one clock', async () => {
    const todos = [
      [1200, 0, 0.01],
      [1700, 1, 0.03],
    ] as const
    const { metrics } = await verdictsOf(contextOf(sentinel, {}, { gateway, todos }))
    expect(metrics).toMatchObject({ verdict: 'passed' })
    expect(metrics?.evidence.details).toEqual([
      'gateway: p50 220 ms, p95 220 ms, max 220 ms, 1 request',
      'todos: p50 630 ms, p95 630 ms, max 630 ms, 1 request',
    ])
  })

  it('fail when a service was not scraped any more', async () => {
    const { metrics } = await verdictsOf(
      contextOf(sentinel, { horizon: start + 9000 }, { gateway, todos: [[1000, 1, 0]] }),
    )
    expect(metrics).toMatchObject({ verdict: 'failed', reason: 'never found: 1 of 2' })
  })

  it('are no data if no answer was the declared one', async () => {
    const { metrics } = await verdictsOf(contextOf(sentinelOf(observedOf(), observedOf(), [500, 0]), {}, { gateway }))
    expect(metrics).toMatchObject({ verdict: 'no-data' })
  })
})
