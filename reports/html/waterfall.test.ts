import { expect, it } from 'vitest'
import { type Run, runSchema } from '../run-schema.ts'
import { tracesSection } from './waterfall.ts'

type Span = Run['traces'][number]['spans'][number]

const span = (spanId: string, parents: string[], startedAt: number): Span => ({
  traceId: 'f'.repeat(32),
  spanId,
  parents,
  service: 'shop',
  operation: `operation ${spanId}`,
  kind: 'server',
  startedAt,
  durationMs: 5,
  error: false,
  attributes: {},
})

function drawn(spans: Span[]): string[] {
  const traces = [{ why: 'slowest', scenario: 'basic', traceId: 'f'.repeat(32), spans }]
  const { shape } = runSchema
  const page = String(tracesSection({ ...minimal, traces: shape.traces.parse(traces) }, {}, ['shop']))
  return [...page.matchAll(/class="(depth-\d)"><b>shop<\/b> operation (\w+)/g)].map(([, depth, id]) => `${depth} ${id}`)
}

const minimal = runSchema.parse({
  schemaVersion: 1,
  runId: 'x',
  writtenAt: 0,
  startedAt: null,
  plan: null,
  versions: {},
  environment: { node: '', platform: '', cpus: 1, cpuModel: '', memoryBytes: 0 },
  scenarios: [],
  checks: [],
  warnings: [],
  end: null,
  config: null,
})

it('draws children beneath their parents, the earlier first', () => {
  expect(drawn([span('c', ['a'], 30), span('b', ['a'], 20), span('d', ['b'], 25), span('a', [], 10)])).toEqual([
    'depth-0 a',
    'depth-1 b',
    'depth-2 d',
    'depth-1 c',
  ])
})

it('draws every span once, though its parent is missing or spans are each other’s parents', () => {
  expect(drawn([span('a', ['gone'], 1), span('b', ['c'], 2), span('c', ['b'], 3), span('d', ['d'], 4)]).sort()).toEqual(
    ['depth-0 a', 'depth-0 b', 'depth-0 d', 'depth-1 c'],
  )
})
