import { expect, it } from 'vitest'
import { freshnessOf } from '../lib/freshness.ts'
import type { Span } from '../lib/span.ts'
import { FreshnessWatch } from './freshness.ts'

type Context = ConstructorParameters<typeof FreshnessWatch>[0]

const service = (name: string) => ({ logs: { selector: `{s="${name}"}`, message: 'done' }, traces: { service: name } })

/** Backends in which an id appears so many milliseconds after it was first spoken of. */
function backends(
  find: (service: string, id: string) => boolean,
  asked: { now: number; most: number; queries: string[] },
) {
  const took = async <T>(answer: T): Promise<T> => {
    asked.now += 1
    asked.most = Math.max(asked.most, asked.now)
    await new Promise((done) => setTimeout(done, 5))
    asked.now -= 1
    return answer
  }
  const context = {
    signal: new AbortController().signal,
    config: { services: { gateway: service('gateway'), todos: service('todos') } },
    backends: {
      lacks: () => false,
      loki: {
        examples: (query: string) => {
          asked.queries.push(query)
          const [, name = ''] = /s="(\w+)"/.exec(query) ?? []
          const ids = /\|~ "(.*)"/.exec(query)?.[1]?.split('|') ?? []
          return took(ids.filter((id) => find(name, id)).map((id) => `{"message":"done","trace_id":"${id}"}`))
        },
      },
      traces: {
        can: { exactNames: true },
        lookUp: async (ids: readonly string[], each: (spans: readonly Pick<Span, 'traceId' | 'service'>[]) => void) => {
          for (const traceId of await took(ids)) {
            each(['gateway', 'todos'].filter((name) => find(name, traceId)).map((name) => ({ traceId, service: name })))
          }
        },
      },
    },
  }
  // Only what the watch uses is there.
  return context as unknown as Context
}

it('looks until a request is in every service of its step, with at most two queries at a time', async () => {
  const asked = { now: 0, most: 0, queries: [] as string[] }
  const begun = performance.now()
  const watch = new FreshnessWatch(backends((name) => performance.now() - begun > (name === 'todos' ? 300 : 0), asked))
  watch.add('aa', { services: ['gateway', 'todos'] })
  watch.add('bb', { services: ['gateway'] })
  const { logs, traces } = await watch.end()
  for (const { sightings } of [logs, traces]) {
    const gateway = freshnessOf(sightings.filter((one) => one.service === 'gateway'))
    const todos = freshnessOf(sightings.filter((one) => one.service === 'todos'))
    expect(gateway).toMatchObject({ count: 2, missing: 0 })
    expect(gateway?.max).toBeLessThan(todos?.max ?? 0)
    expect(todos).toMatchObject({ count: 1, missing: 0 })
    // It was there after 300 ms; the look that found it says so, to within its resolution.
    expect(todos?.max).toBeGreaterThanOrEqual(300)
    expect((todos?.max ?? 0) - (todos?.resolutionMs ?? 0)).toBeLessThanOrEqual(310)
  }
  expect(asked.most).toBeLessThanOrEqual(2)
  // Both ids in one query, and none asked for again once it was found.
  expect(asked.queries[0]).toBe('{s="gateway"} |= "done" |~ "aa|bb"')
  expect(asked.queries.filter((query) => query.includes('gateway'))).toHaveLength(1)
})

it('gives up after its patience: never found is not the same as not asked', async () => {
  const asked = { now: 0, most: 0, queries: [] as string[] }
  const silent = new FreshnessWatch(
    backends(() => false, asked),
    100,
  )
  silent.add('aa', { services: ['gateway'] })
  const { logs, traces } = await silent.end()
  expect(logs.sightings).toEqual([{ traceId: 'aa', service: 'gateway', resolutionMs: 0 }])
  expect(traces.sightings).toEqual(logs.sightings)
  expect(logs.error).toBeUndefined()

  const broken = backends(() => true, asked)
  Object.assign(broken.backends.loki, { examples: () => Promise.reject(new Error('loki refused the connection')) })
  const deaf = new FreshnessWatch(broken, 100)
  deaf.add('aa', { services: ['gateway'] })
  const seen = await deaf.end()
  expect(seen.logs.error).toBe('loki refused the connection')
  expect(seen.traces.error).toBeUndefined()
})
