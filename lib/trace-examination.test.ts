import { expect, it } from 'vitest'
import type { Span, SpanKind } from './span.ts'
import { client, consumer, internal, pathsOf, producer, server, sizeOf } from './span-shape.ts'
import { examineTrace, type TraceTopic } from './trace-examination.ts'

const id = 'c0ffee01000300001111111100000001'
const kinds: ReadonlySet<SpanKind> = new Set<SpanKind>(['server', 'client', 'producer', 'consumer', 'internal'])
const reading = { exactNames: true, kinds, nameOf: (service: string) => service }
const shape = server(
  'gateway',
  'POST /todos',
  internal('authenticate'),
  client(
    'POST',
    server(
      'todos',
      'POST /todos',
      client('INSERT'),
      producer('publish', consumer('webhooks', 'process', client('POST'))),
    ),
  ),
)
const paths = pathsOf(shape, reading)
const expectation = {
  announced: 'aaaaaaaaaaaaaaaa',
  paths,
  queues: new Set(['webhooks']),
  status: 201,
  required: { server: ['http.route'] },
  skewMs: 100,
  raw: true,
}
const span = (
  number: number,
  parent: number | string | undefined,
  service: string,
  kind: SpanKind,
  operation: string,
  more: Partial<Span> = {},
): Span => ({
  traceId: id,
  spanId: number.toString(16).padStart(16, '0'),
  parents: parent === undefined ? [] : [typeof parent === 'string' ? parent : parent.toString(16).padStart(16, '0')],
  service,
  operation,
  kind,
  startedAt: 1000,
  durationMs: 10,
  error: false,
  attributes: kind === 'server' ? { 'http.route': '/todos', 'http.response.status_code': '201' } : {},
  ...more,
})
const sound: readonly Span[] = [
  span(1, expectation.announced, 'gateway', 'server', 'POST /todos'),
  span(2, 1, 'gateway', 'internal', 'authenticate'),
  span(3, 1, 'gateway', 'client', 'POST'),
  span(4, 3, 'todos', 'server', 'POST /todos'),
  span(5, 4, 'todos', 'client', 'INSERT'),
  span(6, 4, 'todos', 'producer', 'publish'),
  span(7, 6, 'webhooks', 'consumer', 'process', { startedAt: 1500, durationMs: 900 }),
  span(8, 7, 'webhooks', 'client', 'POST', { startedAt: 1600 }),
]
const replaced = (number: number, change: Partial<Span>) =>
  sound.map((one, index) => (index === number - 1 ? { ...one, ...change } : one))
const topics = (spans: readonly Span[]) =>
  Object.fromEntries(examineTrace(spans, expectation).problems) as Partial<Record<TraceTopic, string[]>>

it('finds nothing wrong with a sound trace, however its spans are ordered, late work of a queue included', () => {
  expect(sizeOf(shape)).toBe(8)
  expect(topics(sound)).toEqual({})
  expect(topics([...sound].reverse())).toEqual({})
  const { entries } = examineTrace(sound, expectation)
  expect([...entries.keys()]).toEqual(['gateway', 'todos', 'webhooks'])
  expect(entries.get('todos')).toMatchObject({ count: 1, status: 201, spanId: '0000000000000004' })
})

it('names a leaf that is missing, and whose place it was', () => {
  expect(topics(sound.filter(({ operation }) => operation !== 'INSERT'))).toEqual({
    spans: ['todos client "INSERT" below todos server "POST /todos" is missing'],
  })
})

it('finds any one span missing, of whichever service', () => {
  for (const [index] of sound.entries()) {
    const found = topics(sound.filter((_, other) => other !== index))
    expect([index, Object.keys(found).length > 0]).toEqual([index, true])
  }
})

it('names a surplus span, a doubled one, a second root and an orphan', () => {
  expect(topics([...sound, span(9, 4, 'todos', 'internal', 'cache')]).spans).toEqual([
    'todos internal "cache" below todos server "POST /todos" is surplus',
  ])
  expect(topics([...sound, ...sound.slice(4, 5)]).tree).toEqual(['1 doubled span'])
  expect(topics(replaced(4, { parents: [] })).tree).toEqual([
    'todos "POST /todos" ignored the announced parent',
    '2 roots',
  ])
  expect(topics(replaced(5, { parents: ['ffffffffffffffff'] })).tree).toEqual([
    'todos "INSERT" has a parent that is not in the trace',
  ])
})

it('takes a link for a parent across the queue, and says so where there is neither', () => {
  expect(topics(replaced(7, { parents: ['0000000000000006'] }))).toEqual({})
  expect(topics(replaced(7, { parents: [] })).queue).toEqual(['webhooks "process" has no producer in the trace'])
})

it('holds the error flag against the status, and the root against the promised status', () => {
  expect(topics(replaced(4, { error: true })).status).toEqual([
    'todos "POST /todos" answered 201, but its status is error',
  ])
  const failed = { 'http.route': '/todos', 'http.response.status_code': '500' }
  expect(topics(replaced(4, { attributes: failed })).status).toEqual([
    'todos "POST /todos" answered 500, but its status is not error',
  ])
  expect(topics(replaced(4, { attributes: failed, error: true }))).toEqual({})
  const other = examineTrace(replaced(1, { attributes: failed, error: true }).slice(0, 2), expectation)
  expect(other.otherStatus).toBe(500)
  // What another answer should look like was never promised.
  expect(Object.fromEntries(other.problems)).toEqual({})
})

it('wants the required attributes, and times inside the parent but for the skew', () => {
  expect(topics(replaced(4, { attributes: { 'http.response.status_code': '201' } })).attributes).toEqual([
    'todos "POST /todos" lacks http.route',
  ])
  expect(topics(replaced(4, { startedAt: 950 }))).toEqual({})
  expect(topics(replaced(4, { startedAt: 850 })).times).toContain('todos "POST /todos" began 150 ms before its parent')
  expect(topics(replaced(5, { startedAt: 1200 })).times).toEqual(['todos "INSERT" ended 200 ms after its parent'])
})

it('reads a promise as the source of traces writes it', () => {
  const poor = {
    exactNames: false,
    kinds: new Set<SpanKind>(['server', 'client']),
    nameOf: (name: string) => `my-${name}`,
  }
  expect([...pathsOf(server('A', 'Get X', internal('Work')), poor).keys()]).toEqual([
    ' › my-a server "get x"',
    ' › my-a server "get x" › my-a internal "work"',
  ])
})
