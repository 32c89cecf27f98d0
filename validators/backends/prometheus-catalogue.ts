import { z } from 'zod'
import type { JsonClient } from './http.ts'

const answer = <T extends z.ZodType>(data: T) => z.object({ status: z.literal('success'), data })
const metadata = answer(z.record(z.string(), z.array(z.object({ type: z.string() }))))
const names = answer(z.array(z.string()))
const series = answer(z.array(z.record(z.string(), z.string())))
const groups = answer(
  z.object({
    groups: z.array(
      z.object({
        name: z.string(),
        file: z.string(),
        interval: z.number(),
        evaluationTime: z.number(),
        lastEvaluation: z.string(),
        rules: z.array(
          z.object({
            name: z.string(),
            type: z.enum(['alerting', 'recording']),
            health: z.string(),
            lastError: z.string().optional(),
          }),
        ),
      }),
    ),
  }),
)

/** A group of rules that Prometheus evaluates. */
export interface LoadedGroup {
  readonly name: string
  /** Its rule file, as Prometheus was given it. */
  readonly file: string
  readonly intervalMs: number
  /** How long its last evaluation took. */
  readonly evaluationMs: number
  readonly rules: readonly {
    readonly name: string
    readonly alerting: boolean
    /** `ok`, `err`, or `unknown` before the first evaluation. */
    readonly health: string
    readonly lastError: string
  }[]
}

/** What Prometheus knows of its metrics, labels and rules. All methods throw BackendError if it does not say. */
export class PrometheusCatalogue {
  readonly #client: JsonClient
  constructor(client: JsonClient) {
    this.#client = client
  }

  /** The type of each metric by its family's name, as its targets announce it; a metric of two types is left out. */
  async metricTypes(signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const { data } = await this.#client.ask(metadata, { path: '/api/v1/metadata', signal, bulk: true })
    const types = new Map<string, string>()
    for (const [metric, entries] of Object.entries(data)) {
      const [first, ...rest] = new Set(entries.map(({ type }) => type))
      if (first !== undefined && rest.length === 0) types.set(metric, first)
    }
    return types
  }

  // A selector is passed by itself: axios would take the brackets from the name of a list, and Prometheus ignores `match`.

  /** The labels of all series that a selector matches since then. @param since epoch milliseconds */
  async labelNames(selector: string, since: number, signal: AbortSignal): Promise<readonly string[]> {
    const params = { 'match[]': selector, start: (since / 1000).toFixed(3) }
    return (await this.#client.ask(names, { path: '/api/v1/labels', params, signal })).data
  }

  /** The values of a label among the series that a selector matches since then, at most `limit`. */
  async labelValues(
    label: string,
    selector: string,
    since: number,
    limit: number,
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    const params = { 'match[]': selector, start: (since / 1000).toFixed(3), limit }
    const path = `/api/v1/label/${encodeURIComponent(label)}/values`
    return (await this.#client.ask(names, { path, params, signal })).data
  }

  /** True if a selector has matched anything within all that Prometheus keeps. */
  async hasEverMatched(selector: string, signal: AbortSignal): Promise<boolean> {
    const params = { 'match[]': selector, limit: 1 }
    return (await this.#client.ask(series, { path: '/api/v1/series', params, signal })).data.length > 0
  }

  async groups(signal: AbortSignal): Promise<readonly LoadedGroup[]> {
    const { data } = await this.#client.ask(groups, { path: '/api/v1/rules', signal, bulk: true })
    return data.groups.map(({ name, file, interval, evaluationTime, rules }) => ({
      name,
      file,
      intervalMs: interval * 1000,
      evaluationMs: evaluationTime * 1000,
      rules: rules.map((rule) => ({
        name: rule.name,
        alerting: rule.type === 'alerting',
        health: rule.health,
        lastError: rule.lastError ?? '',
      })),
    }))
  }
}
