import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Span } from '../lib/span.ts'
import { freePorts } from '../stack/ports.ts'
import { type Stack, startStack } from '../stack/stack.ts'
import { startZipkin, type ZipkinServer, zipkinLacks } from '../stack/zipkin.ts'
import { BackendError } from '../validators/backends/http.ts'
import type { TraceCapabilities, TraceSource } from '../validators/backends/trace-source.ts'
import type { BackendEndpoints } from '../validators/config.ts'
import { connect } from '../validators/preflight.ts'
import { root } from './harness.ts'

/** Every road by which traces are read, in the words of the config. */
type Road = 'Jaeger by HTTP' | 'Jaeger by gRPC' | 'Zipkin'
const roads: readonly Road[] = ['Jaeger by HTTP', 'Jaeger by gRPC', 'Zipkin']

const announced = '00000000000000a1'
const from = Math.floor(Date.now() / 1000) * 1000 - 60_000
const ids = {
  whole: 'aaaa0000000000000000000000000001',
  linked: 'aaaa0000000000000000000000000002',
  doubled: 'aaaa0000000000000000000000000003',
  // Backends print an id whose high half is zero with half its digits.
  orphaned: '0000000000000000aaaa000000000004',
} as const

/** A span of a trace that began `at` ms after `from`. */
function span(traceId: string, spanId: string, parents: readonly string[], more: Partial<Span> = {}): Span {
  const hex = (short: string) => short.padStart(16, '0')
  return {
    traceId,
    spanId: hex(spanId),
    parents: parents.map(hex),
    service: 'gateway',
    operation: 'GET /todos',
    kind: 'server',
    startedAt: from,
    durationMs: 12.345,
    error: false,
    attributes: {},
    ...more,
  }
}

/** A request over three services, the last behind a queue; the parent of its root never becomes a span. */
function request(traceId: string, at: number, handedOver: readonly string[]): Span[] {
  const startedAt = from + at
  return [
    span(traceId, 'b1', [announced], {
      startedAt,
      error: true,
      attributes: { 'http.route': '/todos', 'http.status': '503', cached: 'false', share: '0.25' },
    }),
    span(traceId, 'b2', ['b1'], { kind: 'client', operation: 'POST', startedAt: startedAt + 0.001 }),
    span(traceId, 'b3', ['b2'], { service: 'todos', operation: 'POST /todos', startedAt: startedAt + 1.5 }),
    span(traceId, 'b4', ['b3'], { service: 'todos', kind: 'internal', operation: 'insert', startedAt: startedAt + 2 }),
    span(traceId, 'b5', ['b4'], { service: 'todos', kind: 'producer', operation: 'send', startedAt: startedAt + 3 }),
    span(traceId, 'b6', handedOver, {
      service: 'webhooks',
      kind: 'consumer',
      operation: 'deliver',
      startedAt: startedAt + 900,
    }),
  ]
}

const twice = span(ids.doubled, 'c1', [announced], { startedAt: from + 2000 })
const sent: Readonly<Record<keyof typeof ids, readonly Span[]>> = {
  whole: request(ids.whole, 0, ['b5']),
  linked: request(ids.linked, 1000, ['b5']),
  doubled: [twice, twice, span(ids.doubled, 'c2', ['c1'], { service: 'todos', startedAt: from + 2001 })],
  orphaned: [span(ids.orphaned, 'd1', ['dead'], { service: 'todos', startedAt: from + 3000 })],
}
const all = Object.values(sent).flat()

/** What a source with these capabilities must give back for the spans sent. */
function asReadBy({ links, raw, exactNames }: TraceCapabilities, spans: readonly Span[]): Span[] {
  const kept = raw ? spans : [...new Map(spans.map((one) => [one.spanId, one])).values()]
  return kept.map((one) => ({
    ...one,
    operation: exactNames ? one.operation : one.operation.toLowerCase(),
    parents: byLink(one) && !links ? [] : one.parents,
  }))
}

/** In one trace the hop over the queue is a link, as OpenTelemetry's conventions allow. */
function byLink({ traceId, kind }: Span): boolean {
  return traceId === ids.linked && kind === 'consumer'
}

/** Spans in an order of their own and with whole microseconds, which is what all sources have. */
function plain(spans: readonly Span[]): unknown[] {
  return spans
    .map(({ traceId, spanId, parents, service, operation, kind, startedAt, durationMs, error, attributes }) => ({
      ...{ traceId, spanId, parents, service, operation, kind, error },
      attributes: { ...attributes },
      startedUs: Math.round(startedAt * 1000),
      durationUs: Math.round(durationMs * 1000),
    }))
    .sort((one, other) => `${one.traceId}${one.spanId}`.localeCompare(`${other.traceId}${other.spanId}`))
}

const kindNumbers = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 } as const
const nanos = (ms: number) => `${Math.round(ms * 1000)}000`

function attributeValue(text: string): unknown {
  if (/^\d+$/.test(text)) return { intValue: text }
  if (/^\d+\.\d+$/.test(text)) return { doubleValue: Number(text) }
  if (text === 'true' || text === 'false') return { boolValue: text === 'true' }
  return { stringValue: text }
}

function asOtlp(one: Span): unknown {
  const { traceId, spanId, service, operation, kind, startedAt, durationMs, error, attributes } = one
  const [parent] = one.parents
  return {
    resource: { attributes: [{ key: 'service.name', value: { stringValue: service } }] },
    scopeSpans: [
      {
        scope: { name: 'test' },
        spans: [
          {
            traceId,
            spanId,
            ...(byLink(one)
              ? {
                  // The second leads elsewhere and is no parent in this trace.
                  links: [
                    { traceId, spanId: parent },
                    { traceId: ids.whole, spanId: parent },
                  ],
                }
              : { parentSpanId: parent }),
            name: operation,
            kind: kindNumbers[kind],
            startTimeUnixNano: nanos(startedAt),
            endTimeUnixNano: nanos(startedAt + durationMs),
            attributes: Object.entries(attributes).map(([key, value]) => ({ key, value: attributeValue(value) })),
            ...(error ? { status: { code: 2, message: 'no' } } : {}),
          },
        ],
      },
    ],
  }
}

function asZipkin(one: Span): unknown {
  const { traceId, spanId, parents, service, operation, kind, startedAt, durationMs, error, attributes } = one
  return {
    traceId,
    id: spanId,
    ...(byLink(one) ? {} : { parentId: parents[0] }),
    name: operation,
    ...(kind === 'internal' ? {} : { kind: kind.toUpperCase() }),
    timestamp: Math.round(startedAt * 1000),
    duration: Math.round(durationMs * 1000),
    localEndpoint: { serviceName: service },
    // As OpenTelemetry's exporter does.
    tags: { ...attributes, 'service.name': service, ...(error ? { 'otel.status_code': 'ERROR', error: 'no' } : {}) },
  }
}

async function post(url: string, body: unknown): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`)
}

/** A source of traces, its other backends nowhere. */
function sourceOf(traces: Pick<BackendEndpoints, 'jaeger' | 'zipkin'>): TraceSource {
  const nowhere = { url: 'http://127.0.0.1:1', timeoutMs: 1000, ui: false }
  return connect({ prometheus: nowhere, loki: nowhere, alertmanager: nowhere, ...traces }, 4).traces
}

const endpoint = (url: string, timeoutMs = 5000) => ({ url, timeoutMs, ui: true, limit: 10_000 })

async function found(source: TraceSource, wanted: readonly string[]): Promise<Map<string, readonly Span[]>> {
  const traces = new Map<string, readonly Span[]>()
  await source.lookUp(wanted, (trace) => {
    const id = trace[0]?.traceId ?? ''
    // Once per trace, with all its spans.
    expect(traces.has(id)).toBe(false)
    traces.set(id, trace)
  })
  return traces
}

describe('sources of traces', () => {
  let folder: string
  let stack: Stack
  let zipkin: ZipkinServer | undefined
  let lacks: string | undefined
  const sources = new Map<Road, TraceSource>()

  // The first time, Zipkin's 135 MB are fetched.
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'muster-traces-'))
    lacks = await zipkinLacks()
    stack = await startStack({ folder, services: false })
    const jaeger = endpoint(stack.urls.jaeger)
    sources.set('Jaeger by HTTP', sourceOf({ jaeger }))
    sources.set('Jaeger by gRPC', sourceOf({ jaeger: { ...jaeger, grpc: stack.urls.jaegerGrpc } }))
    await post(`${stack.urls.collectorOtlp}/v1/traces`, { resourceSpans: all.map(asOtlp) })
    if (!lacks) {
      zipkin = await startZipkin({ folder })
      sources.set('Zipkin', sourceOf({ zipkin: endpoint(zipkin.url) }))
      await post(`${zipkin.url}/api/v2/spans`, all.map(asZipkin))
    }
  }, 240_000)

  afterAll(async () => {
    await zipkin?.stop()
    await stack?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  /**
   * A test on each road. Without Java, Zipkin's says so and passes: a skipped test counts as failed, and the lack is the
   * machine's.
   */
  function onEach(title: string, prove: (source: TraceSource) => Promise<void>): void {
    for (const road of roads) {
      test(`${road}: ${title}`, async ({ annotate }) => {
        const source = sources.get(road)
        if (source) return prove(source)
        if (!lacks) throw new Error(`${road} was not started`)
        process.stderr.write(`not tried: ${road}, ${title}: ${lacks}\n`)
        await annotate(lacks, 'notice')
      })
    }
  }

  onEach('what was sent is read back by id, whole', async (source) => {
    await expect
      .poll(async () => [...(await found(source, Object.values(ids))).values()].flat().length, { timeout: 10_000 })
      .toBe(asReadBy(source.can, sent.doubled).length + all.length - sent.doubled.length)
    const traces = await found(source, Object.values(ids))
    for (const spans of Object.values(sent)) {
      const read = traces.get(spans[0]?.traceId ?? '') ?? []
      expect(plain(read)).toEqual(plain(asReadBy(source.can, spans)))
    }
  })

  onEach('any number of ids may be asked for, one too; absent ones are left out', async (source) => {
    const strangers = Array.from({ length: 2 * source.can.lookUp }, (_, n) => `beef${String(n).padStart(28, '0')}`)
    const wanted = [ids.whole, ...strangers, ids.doubled]
    expect([...(await found(source, wanted)).keys()].sort()).toEqual([ids.whole, ids.doubled])
    expect([...(await found(source, [ids.linked])).keys()]).toEqual([ids.linked])
    expect((await found(source, strangers.slice(0, 1))).size).toBe(0)
    expect((await found(source, [])).size).toBe(0)
  })

  onEach('a search gives whole traces, those that lie in its window', async (source) => {
    const search = async (service: string, since: number, until: number) => {
      const spans: Span[] = []
      const query = { service, from: from + since, to: from + until, limit: 100 }
      const { traces, cut } = await source.search(query, (trace) => spans.push(...trace))
      expect(cut).toBe(false)
      const seen = [...new Set(spans.map(({ traceId }) => traceId))].sort()
      expect(seen).toHaveLength(traces)
      const expected = all.filter(({ traceId }) => seen.includes(traceId))
      expect(plain(spans)).toEqual(
        plain(
          Object.values(sent).flatMap((one) =>
            asReadBy(
              source.can,
              one.filter((span) => expected.includes(span)),
            ),
          ),
        ),
      )
      return seen
    }
    expect(await search('gateway', 0, 5000)).toEqual([ids.whole, ids.linked, ids.doubled])
    expect(await search('todos', 0, 5000)).toEqual([ids.orphaned, ids.whole, ids.linked, ids.doubled])
    // The beginning belongs to the window, the end does not.
    expect(await search('gateway', 0, 1000)).toEqual([ids.whole])
    expect(await search('gateway', 1000, 2000)).toEqual([ids.linked])
    // A trace that goes on in the next window is in its own alone.
    expect(await search('gateway', 0.001, 1000)).toEqual([])
    expect(await search('nobody', 0, 5000)).toEqual([])
    // Late work: by its own time, or by that of its trace.
    expect(await search('webhooks', 800, 1000)).toEqual(source.can.window === 'span' ? [ids.whole] : [])
  })

  onEach('a search that met its limit says so', async (source) => {
    const query = { service: 'gateway', from, to: from + 5000 }
    const limited = async (limit: number) => source.search({ ...query, limit }, () => {})
    expect(await limited(2)).toEqual({ traces: 2, cut: true })
    expect(await limited(4)).toEqual({ traces: 3, cut: false })
  })

  onEach('the services are known', async (source) => {
    expect((await source.services()).sort()).toEqual(['gateway', 'todos', 'webhooks'])
  })

  onEach('its evidence can be repeated in a shell', async (source) => {
    const { reproduce, link } = source.reproduce(ids.whole)
    const { stdout } = await execa('sh', ['-c', reproduce], { timeout: 10_000, env: { no_proxy: '*' } })
    for (const { spanId } of sent.whole) expect(stdout).toContain(spanId)
    expect(link).toContain(ids.whole)
  })

  test('a sample service sends its spans to Zipkin when told to', async ({ annotate }) => {
    if (!zipkin || lacks) return void annotate(lacks ?? 'Zipkin was not started', 'notice')
    const source = sources.get('Zipkin')
    if (!source) throw new Error('Zipkin was not started')
    const traceId = 'aaaa0000000000000000000000000009'
    const env = { ZIPKIN_URL: zipkin.url, OTLP_URL: stack.urls.collectorOtlp, TODOS_URL: 'http://127.0.0.1:1' }
    const service = execa(process.execPath, ['--import', 'tsx', 'services/gateway.ts'], {
      cwd: root,
      env,
      reject: false,
    })
    try {
      const url = await new Promise<string>((resolve, reject) => {
        let said = ''
        service.stdout.on('data', (text: Buffer) => {
          said += text.toString()
          const port = /"ready":true.*"port":(\d+)/.exec(said)?.[1]
          if (port) resolve(`http://127.0.0.1:${port}`)
        })
        void service.then(() => reject(new Error(`the service ended: ${said}`)))
      })
      await fetch(`${url}/todos`, { headers: { traceparent: `00-${traceId}-${announced}-01` } })
      await expect.poll(async () => (await found(source, [traceId])).size, { timeout: 10_000 }).toBe(1)
    } finally {
      service.kill('SIGTERM')
      await service
    }
    const spans = [...(await found(source, [traceId])).values()].flat()
    const first = spans.find(({ kind }) => kind === 'server')
    expect(first).toMatchObject({ service: 'gateway', parents: [announced] })
    expect(first?.attributes['http.route']).toBe('/todos')
  })
})

describe('a source of traces that is not there', () => {
  const servers: Server[] = []
  afterAll(() => {
    for (const server of servers) server.close()
  })

  async function page(): Promise<string> {
    const server = createServer((_, response) => response.end('<!doctype html><title>Welcome</title>'))
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return `127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  const at: Readonly<Record<Road, (host: string) => TraceSource>> = {
    'Jaeger by HTTP': (host) => sourceOf({ jaeger: endpoint(`http://${host}`, 2000) }),
    'Jaeger by gRPC': (host) => sourceOf({ jaeger: { ...endpoint('http://127.0.0.1:1', 2000), grpc: host } }),
    Zipkin: (host) => sourceOf({ zipkin: endpoint(`http://${host}`, 2000) }),
  }

  /** The kind of every way of asking, and what all of them say. */
  async function refusals(source: TraceSource): Promise<{ kinds: string[]; message: string }> {
    const query = { service: 'gateway', from, to: from + 1, limit: 1 }
    const asked = [source.services(), source.lookUp([ids.whole, ids.linked], () => {}), source.search(query, () => {})]
    const errors = (await Promise.allSettled(asked)).map((end) => (end.status === 'rejected' ? end.reason : undefined))
    const kinds = errors.map((error) => (error instanceof BackendError ? error.kind : String(error)))
    return { kinds, message: errors[0] instanceof BackendError ? errors[0].message : '' }
  }

  for (const road of roads) {
    test(`${road}: nobody listens`, async () => {
      const [port] = await freePorts(1)
      const { kinds, message } = await refusals(at[road](`127.0.0.1:${port}`))
      expect(kinds).toEqual(['transport', 'transport', 'transport'])
      expect(message).toMatch(
        new RegExp(
          `^(jaeger|zipkin) at \\S+${port}( \\(gRPC\\))? refused the connection: is it running, [^.]*[^\\n]*$`,
        ),
      )
    })

    test(`${road}: somebody else listens`, async () => {
      const host = await page()
      const { kinds, message } = await refusals(at[road](host))
      expect(message).toMatch(/^(jaeger|zipkin) at \S+.+\?[^\n]*$/)
      expect(kinds).toEqual(['answer', 'answer', 'answer'])
    })

    test(`${road}: the host does not exist`, async () => {
      const { message } = await refusals(at[road]('backend.invalid:1'))
      expect(message).toContain('has a host name that does not resolve')
    })

    test(`${road}: asking can be given up`, async () => {
      const server = createServer(() => {})
      servers.push(server)
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const source = at[road](`127.0.0.1:${(server.address() as AddressInfo).port}`)
      const begun = performance.now()
      await expect(source.services(AbortSignal.timeout(100))).rejects.toBeInstanceOf(BackendError)
      expect(performance.now() - begun).toBeLessThan(1500)
      server.closeAllConnections()
    })
  }
})
