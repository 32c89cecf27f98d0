import { ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node'
import { expect, test } from 'vitest'
import { Faults, faultNames, leaseRequest } from './faults.ts'
import { SabotagedSpans } from './sabotaged-spans.ts'
import { samplerOf } from './sampler.ts'

const caller = trace.setSpanContext(ROOT_CONTEXT, {
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  traceFlags: TraceFlags.SAMPLED,
  isRemote: true,
})

function setUp(ratio?: number) {
  const faults = new Faults(faultNames)
  const [usual, narrow] = [new InMemorySpanExporter(), new InMemorySpanExporter()]
  const processor = new SabotagedSpans(faults, new SimpleSpanProcessor(usual), () => new SimpleSpanProcessor(narrow))
  const provider = new BasicTracerProvider({ sampler: samplerOf(ratio, faults), spanProcessors: [processor] })
  const tracer = provider.getTracer('test')
  const begin = (kind: SpanKind, parent = caller) =>
    tracer.startSpan('x', { kind, startTime: [1, 0], attributes: { 'http.route': '/x', other: 1 } }, parent)
  return {
    usual,
    narrow,
    begin,
    lease: (fault: string, more: object = {}) => faults.grant(leaseRequest.parse({ fault, ttlMs: 60_000, ...more })),
    /** A request of two spans, which failed. */
    request: () => {
      const span = begin(SpanKind.SERVER)
      begin(SpanKind.INTERNAL, trace.setSpan(caller, span)).end([1, 1e6])
      span.setStatus({ code: SpanStatusCode.ERROR }).addEvent('e', [1, 1e6]).end([1, 2.5e6])
      return span.spanContext()
    },
    entries: () => usual.getFinishedSpans().filter(({ kind }) => kind === SpanKind.SERVER),
  }
}
const kinds = (spans: readonly ReadableSpan[], kind: SpanKind) => spans.filter((span) => span.kind === kind).length

test.each([
  ['none', 6, 6],
  ['drop-spans', 4, 6],
  ['drop-child-span', 6, 4],
  ['sample-some', 4, 4],
])('%s at one in three leaves %i entries and %i children of six', (fault, entries, children) => {
  const { usual, lease, request } = setUp()
  if (fault !== 'none') lease(fault, { ratio: 1 / 3 })
  for (let n = 0; n < 6; n++) request()
  expect(kinds(usual.getFinishedSpans(), SpanKind.SERVER)).toBe(entries)
  expect(kinds(usual.getFinishedSpans(), SpanKind.INTERNAL)).toBe(children)
})

test('a doubled span is exported twice, as itself', () => {
  const { usual, lease, begin } = setUp()
  lease('double-spans', { ratio: 1 / 2 })
  for (let n = 0; n < 4; n++) begin(SpanKind.SERVER).end()
  const ids = usual.getFinishedSpans().map((span) => span.spanContext().spanId)
  expect([ids.length, new Set(ids).size]).toEqual([6, 4])
})

test('a span keeps what its sabotage does not change', () => {
  const { lease, request, entries } = setUp()
  lease('attribute-missing')
  lease('no-error-status')
  const { spanId } = request()
  expect(entries()[0]).toMatchObject({
    kind: SpanKind.SERVER,
    attributes: { other: 1 },
    status: { code: SpanStatusCode.UNSET },
    duration: [0, 2_500_000],
    ended: true,
    parentSpanContext: { spanId: 'b'.repeat(16) },
  })
  expect(entries()[0]?.attributes).not.toHaveProperty('http.route')
  expect(entries()[0]?.spanContext().spanId).toBe(spanId)
})

test('a second root keeps its trace', () => {
  const { lease, request, entries } = setUp()
  lease('two-roots')
  request()
  expect(entries()[0]?.parentSpanContext).toBeUndefined()
  expect(entries()[0]?.spanContext().traceId).toBe('a'.repeat(32))
})

test.each([
  [5000, [6, 0], [6, 2_500_000]],
  [-5, [0, 995_000_000], [0, 997_500_000]],
])('a clock %i ms off moves a span from 1 s', (ms, startTime, endTime) => {
  const { lease, request, entries } = setUp()
  lease('clock-skew', { ms })
  request()
  expect(entries()[0]).toMatchObject({ startTime, endTime, duration: [0, 2_500_000] })
})

test('the small queue takes all while it lasts', () => {
  const { usual, narrow, lease, request } = setUp()
  lease('small-span-queue', { ms: 10 })
  request()
  expect([usual.getFinishedSpans().length, narrow.getFinishedSpans().length]).toEqual([0, 2])
})

test('a service that decides for itself does so whatever its caller says', () => {
  const all = setUp(1)
  const unsampled = trace.setSpanContext(ROOT_CONTEXT, {
    ...(trace.getSpanContext(caller) ?? { traceId: '', spanId: '' }),
    traceFlags: TraceFlags.NONE,
  })
  all.begin(SpanKind.SERVER, unsampled).end()
  expect(all.entries()).toHaveLength(1)
  const none = setUp(0)
  none.request()
  expect(none.usual.getFinishedSpans()).toEqual([])
  const obedient = setUp()
  obedient.begin(SpanKind.SERVER, unsampled).end()
  expect(obedient.entries()).toEqual([])
})
