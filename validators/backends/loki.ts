import { z } from 'zod'
import type { Sample } from '../../lib/counter.ts'
import { eachSlice, type Slice } from '../../lib/slices.ts'
import { BackendError, type JsonClient } from './http.ts'
import type { Labels } from './prometheus.ts'

const counted = z.object({
  status: z.literal('success'),
  data: z.object({
    resultType: z.literal('vector'),
    result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) })),
  }),
})
const lines = z.object({
  status: z.literal('success'),
  data: z.object({
    resultType: z.literal('streams'),
    result: z.array(
      z.object({
        stream: z.record(z.string(), z.string()),
        values: z.array(z.tuple([z.string(), z.string()]).rest(z.unknown())),
      }),
    ),
  }),
})
const matrix = z.object({
  status: z.literal('success'),
  data: z.object({
    resultType: z.literal('matrix'),
    result: z.array(z.object({ values: z.array(z.tuple([z.number(), z.string()])) })),
  }),
})
const build = z.object({ version: z.string() })
// Loki leaves data out where there is none.
const names = z.object({ status: z.literal('success'), data: z.array(z.string()).default([]) })

/** Lines of one stream, with its labels and structured metadata. */
export interface LokiStream {
  readonly labels: Labels
  readonly lines: readonly string[]
}

/** Slices asked for at once; the client's gate may allow fewer. */
const parallel = 4

/** Reads Loki's HTTP API. */
export class Loki {
  readonly client: JsonClient
  /** Lines per answer; Loki's own default until it says otherwise. */
  #limit = 5000
  constructor(client: JsonClient) {
    this.client = client
  }

  async version(signal?: AbortSignal): Promise<string> {
    return (await this.client.ask(build, { path: '/loki/api/v1/status/buildinfo', ...(signal ? { signal } : {}) }))
      .version
  }

  /** Its configuration, YAML; undefined: it does not show it. */
  async configText(signal?: AbortSignal): Promise<string | undefined> {
    const { status, body } = await this.client.text({ path: '/config', ...(signal ? { signal } : {}) })
    return status === 200 ? body : undefined
  }

  /** The labels of all streams since then, epoch milliseconds. */
  async labelNames(since: number, signal?: AbortSignal): Promise<readonly string[]> {
    const params = { start: `${Math.round(since)}000000` }
    return (await this.client.ask(names, { path: '/loki/api/v1/labels', params, ...(signal ? { signal } : {}) })).data
  }

  /** Up to so many lines in [from, to), epoch milliseconds, by stream. */
  async streams(
    pipeline: string,
    limit: number,
    from: number,
    to: number,
    signal?: AbortSignal,
  ): Promise<readonly LokiStream[]> {
    const found = await this.#range(pipeline, limit, from, to, false, signal)
    return found.map(({ stream, values }) => ({ labels: stream, lines: values.map(([, line]) => line) }))
  }

  /**
   * The parameters of an instant query that counts log lines in [from, to), epoch milliseconds, grouped by `by`. Counting
   * happens in Loki, so that no line limit can cut the answer.
   */
  countQuery(pipeline: string, by: readonly string[], from: number, to: number): { query: string; time: string } {
    const grouping = by.length > 0 ? ` by (${by.join(', ')})` : ''
    return {
      query: `sum${grouping} (count_over_time(${pipeline} [${Math.ceil(to - from)}ms]))`,
      time: `${Math.round(to)}000000`,
    }
  }

  async count(
    pipeline: string,
    by: readonly string[],
    from: number,
    to: number,
    signal?: AbortSignal,
    bulk = false,
  ): Promise<{ labels: Labels; count: number }[]> {
    const params = this.countQuery(pipeline, by, from, to)
    const { data } = await this.client.ask(counted, {
      path: '/loki/api/v1/query',
      params,
      bulk,
      ...(signal ? { signal } : {}),
    })
    return data.result.map(({ metric, value }) => ({ labels: metric, count: Number(value[1]) }))
  }

  /** Lines of a pipeline in each stretch of `stepMs`, counted in Loki; a sample is at the end of its stretch. */
  async counts(pipeline: string, from: number, to: number, stepMs: number, signal?: AbortSignal): Promise<Sample[]> {
    const params = {
      query: `sum (count_over_time(${pipeline} [${stepMs}ms]))`,
      start: `${Math.round(from)}000000`,
      end: `${Math.round(to)}000000`,
      step: (stepMs / 1000).toFixed(3),
    }
    const path = '/loki/api/v1/query_range'
    const { data } = await this.client.ask(matrix, { path, params, ...(signal ? { signal } : {}) })
    return data.result.flatMap(({ values }) =>
      values.map(([at, value]) => ({ at: Math.round(at * 1000), value: Number(value) })),
    )
  }

  /** The first few lines, as examples. */
  async examples(pipeline: string, limit: number, from: number, to: number, signal?: AbortSignal): Promise<string[]> {
    return (await this.#range(pipeline, limit, from, to, false, signal)).flatMap(({ values }) =>
      values.map(([, line]) => line),
    )
  }

  /**
   * Gives every line of the slices [from, to), epoch milliseconds, in no order. An answer as long as the limit is taken
   * for cut off, thrown away and asked for again in halves, so none is ever judged that is not whole.
   * @throws BackendError if a single millisecond holds more lines than Loki gives at once
   */
  async eachLine(
    pipeline: string,
    slices: readonly Slice[],
    each: (line: string) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    // Labels that only repeat what is in the line would make a stream of every line, and the answer thrice as long.
    const bare = `${pipeline} | keep service_name`
    const ask = async ([from, to]: Slice): Promise<'whole' | 'cut'> => {
      const limit = this.#limit
      const streams = await this.#range(bare, limit, from, to, true, signal).catch((error: unknown) => {
        if (!this.#learnedLimit(error)) throw error
        return undefined
      })
      if (streams === undefined) return ask([from, to])
      if (streams.reduce((sum, { values }) => sum + values.length, 0) >= limit) return 'cut'
      for (const { values } of streams) for (const [, line] of values) each(line)
      return 'whole'
    }
    const left = await eachSlice(slices, parallel, ask)
    if (left.length > 0) {
      throw new BackendError(
        'answer',
        `Loki at ${this.client.url} gives at most ${this.#limit} lines at once, and one millisecond holds more: raise its max_entries_limit_per_query.`,
      )
    }
  }

  /** Loki refuses a limit above its own, and says which one that is. True if that was news. */
  #learnedLimit(error: unknown): boolean {
    const [, most] =
      /max entries limit per query exceeded, limit > max_entries_limit(?:_per_query)? \(\d+ > (\d+)\)/.exec(
        error instanceof Error ? error.message : '',
      ) ?? []
    if (most === undefined || Number(most) >= this.#limit) return false
    this.#limit = Number(most)
    return true
  }

  async #range(pipeline: string, limit: number, from: number, to: number, bulk: boolean, signal?: AbortSignal) {
    const params = {
      query: pipeline,
      limit,
      start: `${Math.round(from)}000000`,
      end: `${Math.round(to)}000000`,
      direction: 'forward',
    }
    const path = '/loki/api/v1/query_range'
    return (await this.client.ask(lines, { path, params, bulk, ...(signal ? { signal } : {}) })).data.result
  }
}
