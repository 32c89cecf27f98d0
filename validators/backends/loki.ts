import { z } from 'zod'
import type { JsonClient } from './http.ts'
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
const build = z.object({ version: z.string() })

/** Reads Loki's HTTP API. */
export class Loki {
  readonly client: JsonClient
  constructor(client: JsonClient) {
    this.client = client
  }

  async version(signal?: AbortSignal): Promise<string> {
    return (await this.client.ask(build, { path: '/loki/api/v1/status/buildinfo', ...(signal ? { signal } : {}) }))
      .version
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
  ): Promise<{ labels: Labels; count: number }[]> {
    const params = this.countQuery(pipeline, by, from, to)
    const { data } = await this.client.ask(counted, {
      path: '/loki/api/v1/query',
      params,
      ...(signal ? { signal } : {}),
    })
    return data.result.map(({ metric, value }) => ({ labels: metric, count: Number(value[1]) }))
  }

  /** The first few lines, as examples. */
  async examples(pipeline: string, limit: number, from: number, to: number, signal?: AbortSignal): Promise<string[]> {
    const params = {
      query: pipeline,
      limit,
      start: `${Math.round(from)}000000`,
      end: `${Math.round(to)}000000`,
      direction: 'forward',
    }
    const { data } = await this.client.ask(lines, {
      path: '/loki/api/v1/query_range',
      params,
      ...(signal ? { signal } : {}),
    })
    return data.result.flatMap((stream) => stream.values.map(([, line]) => line))
  }
}
