import { readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { z } from 'zod'
import { startStack } from '../stack/stack.ts'
import type { TraceSource } from '../validators/backends/trace-source.ts'
import { connect } from '../validators/preflight.ts'

/**
 * What it costs to read every trace back from Jaeger, by each road; each road is a process of its own.
 * Usage: node --import tsx bench/trace-roads.ts [traces, 20,000 by default]
 */
const spansPerTrace = 8
/** Requests per second of the load that is imitated. */
const rate = 500

const road = z.object({
  name: z.string(),
  grpc: z.string().optional(),
  url: z.string(),
  how: z.enum(['search', 'look-up']),
  /** Traces per search. */
  width: z.number(),
  streams: z.number(),
  traces: z.number(),
  from: z.number(),
})
type Road = z.infer<typeof road>
const cost = z.object({
  seconds: z.number(),
  traces: z.number(),
  spans: z.number(),
  cut: z.number(),
  cpu: z.number(),
  rssMb: z.number(),
})

const traceIdOf = (n: number) =>
  `be4c0000${((n * 2654435761) % 2 ** 32).toString(16).padStart(8, '0')}${n.toString(16).padStart(16, '0')}`

/** The reader: a process of its own, so that its memory is its own. */
async function read({ url, grpc, how, width, streams, traces: count, from }: Road): Promise<void> {
  const source = sourceOf(url, grpc)
  const seen = new Set<number>()
  let [spans, errors, cut] = [0, 0, 0]
  const each: Parameters<TraceSource['search']>[1] = (trace) => {
    seen.add(Number.parseInt(trace[0]?.traceId.slice(16) ?? '', 16))
    for (const span of trace) {
      spans += 1
      // As the judging does: every span's fields, the attributes of some.
      if (span.kind === 'server' && span.attributes['http.response.status_code'] !== '200') errors += 1
    }
  }
  const [began, cpuBefore] = [performance.now(), process.cpuUsage()]
  const slices = Math.ceil(count / width)
  let next = 0
  const worker = async () => {
    for (let at = next++; at < slices; at = next++) {
      if (how === 'search') {
        const since = from + (at * width * 1000) / rate
        const until = from + ((at + 1) * width * 1000) / rate
        const found = await source.search({ service: 'gateway', from: since, to: until, limit: 2 * width }, each)
        if (found.cut) cut += 1
      } else {
        const ids = Array.from({ length: Math.min(width, count - at * width) }, (_, n) => traceIdOf(at * width + n))
        await source.lookUp(ids, each)
      }
    }
  }
  await Promise.all(Array.from({ length: streams }, worker))
  const seconds = (performance.now() - began) / 1000
  const { user, system } = process.cpuUsage(cpuBefore)
  const cpu = (user + system) / 1e6
  const rssMb = process.resourceUsage().maxRSS / 1024
  process.stdout.write(JSON.stringify({ seconds, traces: seen.size, spans, cut: cut + errors, cpu, rssMb }))
}

function sourceOf(url: string, grpc: string | undefined): TraceSource {
  const endpoint = (at: string) => ({ url: at, timeoutMs: 120_000, ui: false })
  const nowhere = endpoint('http://127.0.0.1:1')
  const jaeger = { ...endpoint(url), grpc, limit: 200_000 }
  return connect({ prometheus: nowhere, loki: nowhere, alertmanager: nowhere, jaeger }, 4).traces
}

async function compare(traces: number): Promise<void> {
  const stack = await startStack({ folder: join(tmpdir(), `muster-roads-${process.pid}`), services: false })
  try {
    const from = Math.floor(Date.now() / 1000) * 1000 - Math.ceil((traces / rate) * 1000) - 10_000
    await push(`${stack.urls.collectorOtlp}/v1/traces`, traces, from)
    const { jaeger: url, jaegerGrpc: grpc } = stack.urls
    const pid = stack.processes.find(({ name }) => name === 'jaeger')?.pid ?? 0
    await stored(sourceOf(url, grpc), traces)
    const base = { url, traces, from }
    const lookUp = { ...base, how: 'look-up', width: 50 } as const
    const search = (width: number, streams: number, by: { grpc?: string }): Road => ({
      ...{ ...base, ...by, how: 'search', width, streams },
      name: `${by.grpc ? 'gRPC' : 'HTTP'} searches of ${width}, ${streams} at once`,
    })
    const roads: Road[] = [
      ...[1, 2, 4].map((streams) => search(2000, streams, { grpc })),
      ...[1, 2, 4].map((streams) => search(10_000, streams, { grpc })),
      { ...search(traces, 1, { grpc }), name: 'gRPC, one search for all' },
      ...(traces <= 20_000 ? [{ ...lookUp, grpc, name: 'gRPC look-up by id, 4 at once', streams: 1 }] : []),
      { ...lookUp, name: 'HTTP look-up of 50 ids, 4 at once', streams: 4 },
      ...[1, 4].map((streams) => search(1000, streams, {})),
      ...(traces <= 20_000 ? [{ ...search(traces, 1, {}), name: 'HTTP, one search for all' }] : []),
    ]
    console.log(`${traces} traces, ${traces * spansPerTrace} spans; Jaeger holds them in ${await rss(pid, 'VmRSS')} MB`)
    console.log(`${'road'.padEnd(36)} seconds  traces/s  reader CPU s  Jaeger CPU s  reader MB  Jaeger MB  MB received`)
    for (const one of roads) await measured(one, pid)
  } finally {
    await stack.stop()
  }
}

async function measured(one: Road, pid: number): Promise<void> {
  // The highest resident size is counted from here.
  await writeFile(`/proc/${pid}/clear_refs`, '5')
  const [before, cpuBefore] = [await received(), await cpuOf(pid)]
  const self = fileURLToPath(import.meta.url)
  const { stdout } = await execa(process.execPath, ['--import', 'tsx', self, '--read', JSON.stringify(one)], {
    timeout: 300_000,
  })
  const { seconds, traces, spans, cut, cpu, rssMb } = cost.parse(JSON.parse(stdout))
  const whole = traces === one.traces && spans === one.traces * spansPerTrace && cut === 0
  const cells = [
    one.name.padEnd(36),
    seconds.toFixed(1).padStart(7),
    String(Math.round(traces / seconds)).padStart(9),
    cpu.toFixed(1).padStart(13),
    ((await cpuOf(pid)) - cpuBefore).toFixed(1).padStart(13),
    rssMb.toFixed(0).padStart(10),
    String(await rss(pid, 'VmHWM')).padStart(10),
    String(Math.round(((await received()) - before) / 1e6)).padStart(12),
  ]
  console.log(`${cells.join(' ')}${whole ? '' : `  NOT WHOLE: ${traces} traces, ${spans} spans, ${cut} cut or wrong`}`)
}

/** Bytes over loopback so far, of everybody. */
async function received(): Promise<number> {
  return Number(/lo:\s*(\d+)/.exec(await readFile('/proc/net/dev', 'utf8'))?.[1] ?? 0)
}

async function rss(pid: number, field: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Math.round(Number(new RegExp(`${field}:\\s*(\\d+)`).exec(status)?.[1] ?? 0) / 1024)
}

/** Processor seconds of a process; the kernel counts them in hundredths. */
async function cpuOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

/** Waits until the last trace is there. */
async function stored(source: TraceSource, traces: number): Promise<void> {
  const last = Array.from({ length: Math.min(traces, 2000) }, (_, n) => traceIdOf(traces - 1 - n))
  const until = performance.now() + 60_000
  for (;;) {
    let spans = 0
    await source.lookUp(last, (trace) => {
      spans += trace.length
    })
    if (spans === last.length * spansPerTrace) return
    if (performance.now() > until) throw new Error(`Jaeger has ${spans} of the last spans`)
  }
}

async function push(url: string, traces: number, from: number): Promise<void> {
  const batch = 500
  const post = async (first: number) => {
    const numbers = Array.from({ length: Math.min(batch, traces - first) }, (_, n) => first + n)
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ resourceSpans: resourceSpans(numbers, from) }),
    })
    if (!response.ok) throw new Error(`the collector answered ${response.status}: ${await response.text()}`)
  }
  for (let first = 0; first < traces; first += 2 * batch) {
    await Promise.all([post(first), ...(first + batch < traces ? [post(first + batch)] : [])])
  }
}

/** The spans of one request: three in the gateway, three in todos, two in webhooks. */
const shape = [
  ['gateway', 2, 'POST /todos'],
  ['gateway', 1, 'authenticate'],
  ['gateway', 3, 'POST'],
  ['todos', 2, 'POST /todos'],
  ['todos', 3, 'INSERT todos'],
  ['todos', 4, 'todos publish'],
  ['webhooks', 5, 'todos process'],
  ['webhooks', 3, 'POST'],
] as const

function resourceSpans(numbers: readonly number[], from: number): unknown[] {
  return ['gateway', 'todos', 'webhooks'].map((service) => ({
    resource: {
      attributes: Object.entries({ 'service.name': service, 'service.instance.id': `${service}-1` }).map(textual),
    },
    scopeSpans: [{ scope: { name: 'bench' }, spans: numbers.flatMap((n) => spansOf(service, n, from)) }],
  }))
}

function spansOf(service: string, n: number, from: number): unknown[] {
  return shape.flatMap(([owner, kind, name], place) => {
    if (owner !== service) return []
    const start = from + (n * 1000) / rate + place
    return {
      traceId: traceIdOf(n),
      spanId: (n * spansPerTrace + place + 1).toString(16).padStart(16, '0'),
      parentSpanId: (place === 0 ? 0xa1 : n * spansPerTrace + place).toString(16).padStart(16, '0'),
      name,
      kind,
      startTimeUnixNano: `${Math.round(start * 1000)}000`,
      endTimeUnixNano: `${Math.round((start + 3) * 1000)}000`,
      attributes: [
        { key: 'http.response.status_code', value: { intValue: '200' } },
        ...Object.entries({
          'http.request.method': 'POST',
          'http.route': '/todos/:id',
          'url.path': `/todos/${n}`,
          'server.address': '127.0.0.1',
        }).map(textual),
      ],
    }
  })
}

function textual([key, text]: [string, string]): unknown {
  return { key, value: { stringValue: text } }
}

if (process.argv[2] === '--read') await read(road.parse(JSON.parse(process.argv[3] ?? '')))
else await compare(Number(process.argv[2] ?? 20_000))
