import { parse } from 'yaml'
import { z } from 'zod'
import type { Sample } from '../../lib/counter.ts'
import { parseDuration } from '../../lib/duration.ts'
import { BackendError, type JsonClient } from './http.ts'

export type Labels = Readonly<Record<string, string>>

export interface Series {
  readonly labels: Labels
  readonly samples: readonly Sample[]
}

const labels = z.record(z.string(), z.string())
const point = z.tuple([z.number(), z.string()])
const answer = <T extends z.ZodType>(data: T) => z.object({ status: z.literal('success'), data })
const matrix = answer(
  z.object({ resultType: z.literal('matrix'), result: z.array(z.object({ metric: labels, values: z.array(point) })) }),
)
const vector = answer(
  z.object({ resultType: z.literal('vector'), result: z.array(z.object({ metric: labels, value: point })) }),
)
const scalar = answer(z.object({ resultType: z.literal('scalar'), result: point }))
const build = answer(z.object({ version: z.string() }))
const targets = answer(
  z.object({
    activeTargets: z.array(
      z.object({
        labels,
        health: z.string(),
        lastError: z.string(),
        scrapeUrl: z.string(),
        scrapeInterval: z.string(),
        scrapeTimeout: z.string(),
      }),
    ),
  }),
)
const rules = answer(
  z.object({
    groups: z.array(
      z.object({
        name: z.string(),
        interval: z.number(),
        lastEvaluation: z.string(),
        /** Seconds. */
        evaluationTime: z.number().default(0),
        rules: z.array(
          z.object({
            type: z.string(),
            name: z.string(),
            query: z.string(),
            health: z.string(),
            lastError: z.string().optional(),
            state: z.string().optional(),
            duration: z.number().optional(),
            keepFiringFor: z.number().optional(),
            labels: labels.optional(),
            alerts: z.array(z.object({ labels, state: z.enum(['pending', 'firing', 'inactive']) })).nullish(),
          }),
        ),
      }),
    ),
  }),
)
const flags = answer(z.record(z.string(), z.string()))
const configuration = answer(z.object({ yaml: z.string() }))
const alerting = z.object({
  global: z.object({ external_labels: labels.nullish() }).nullish(),
  alerting: z.object({ alert_relabel_configs: z.array(z.unknown()).nullish() }).nullish(),
})
const exemplars = answer(
  z.array(
    z.object({
      seriesLabels: labels,
      exemplars: z.array(z.object({ labels, value: z.string(), timestamp: z.number() })),
    }),
  ),
)

/** One observation that a series was exposed with. */
export interface Exemplar {
  /** Of the series, its name and `le` included. */
  readonly series: Labels
  /** Of the exemplar itself, `trace_id` usually. */
  readonly labels: Labels
  readonly value: number
  /** Epoch milliseconds. */
  readonly at: number
}

export interface Target {
  readonly job: string
  readonly instance: string
  readonly up: boolean
  readonly lastError: string
  readonly url: string
  readonly scrapeMs: number
  readonly timeoutMs: number
}

export interface Rule {
  readonly group: string
  readonly alerting: boolean
  readonly name: string
  readonly query: string
  readonly healthy: boolean
  readonly lastError: string
  readonly state: string
  readonly evaluationMs: number
  readonly lastEvaluation: number
  /** How long its group's last evaluation took. */
  readonly tookMs: number
  readonly forMs: number
  readonly keepFiringForMs: number
  /** That it adds; templates as they are written. */
  readonly labels: Labels
  /** What it makes of its series at the moment; `alertname` is among the labels. */
  readonly alerts: readonly { readonly labels: Labels; readonly state: 'pending' | 'firing' | 'inactive' }[]
}

/** A regular expression of PromQL that matches this text alone. */
export function verbatim(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}

/** A string inside PromQL or LogQL double quotes. */
export function literal(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`
}

/** Reads Prometheus' HTTP API v1. */
export class Prometheus {
  readonly client: JsonClient
  constructor(client: JsonClient) {
    this.client = client
  }

  async version(signal?: AbortSignal): Promise<string> {
    return (await this.client.ask(build, { path: '/api/v1/status/buildinfo', ...pass(signal) })).data.version
  }

  /** Its clock in epoch milliseconds. */
  async now(signal?: AbortSignal): Promise<number> {
    const { data } = await this.client.ask(scalar, {
      path: '/api/v1/query',
      params: { query: 'time()' },
      ...pass(signal),
    })
    return Number(data.result[1]) * 1000
  }

  /** The parameters of an instant query for raw samples in (from, to], both in epoch milliseconds. */
  rawQuery(selector: string, from: number, to: number): { query: string; time: string } {
    return { query: `${selector}[${Math.ceil(to - from)}ms]`, time: (to / 1000).toFixed(3) }
  }

  /** Raw samples as they were scraped, never interpolated. */
  async raw(selector: string, from: number, to: number, signal?: AbortSignal): Promise<Series[]> {
    const params = this.rawQuery(selector, from, to)
    const { data } = await this.client.ask(matrix, { path: '/api/v1/query', params, ...pass(signal) })
    return data.result.map(({ metric, values }) => ({
      labels: metric,
      samples: values.map(([at, value]) => ({ at: Math.round(at * 1000), value: Number(value) })),
    }))
  }

  /** Values of an expression at `from` and each `stepMs` after, up to `to`; epoch milliseconds. NaN and infinities are left out. */
  async range(query: string, from: number, to: number, stepMs: number, signal?: AbortSignal): Promise<Series[]> {
    const seconds = (ms: number) => (ms / 1000).toFixed(3)
    const params = { query, start: seconds(from), end: seconds(to), step: seconds(stepMs) }
    const { data } = await this.client.ask(matrix, { path: '/api/v1/query_range', params, ...pass(signal) })
    return data.result.map(({ metric, values }) => ({
      labels: metric,
      samples: values
        .map(([at, value]) => ({ at: Math.round(at * 1000), value: Number(value) }))
        .filter(({ value }) => Number.isFinite(value)),
    }))
  }

  async instant(query: string, signal?: AbortSignal): Promise<{ labels: Labels; value: number }[]> {
    return this.#vector({ query }, signal)
  }

  /** As it was at a moment, epoch milliseconds. */
  async instantAt(query: string, at: number, signal?: AbortSignal): Promise<{ labels: Labels; value: number }[]> {
    return this.#vector({ query, time: (at / 1000).toFixed(3) }, signal)
  }

  async #vector(params: { query: string; time?: string }, signal: AbortSignal | undefined) {
    const { data } = await this.client.ask(vector, { path: '/api/v1/query', params, ...pass(signal) })
    return data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }))
  }

  /** Whether it keeps exemplars, by its feature flags. @throws BackendError if it does not tell its flags */
  async storesExemplars(signal?: AbortSignal): Promise<boolean> {
    const { data } = await this.client.ask(flags, { path: '/api/v1/status/flags', ...pass(signal) })
    return data['enable-feature']?.split(',').includes('exemplar-storage') ?? false
  }

  /** The parameters of a query for the exemplars of a selector in a window, epoch milliseconds. */
  exemplarsQuery(selector: string, from: number, to: number): { query: string; start: string; end: string } {
    return { query: selector, start: (from / 1000).toFixed(3), end: (to / 1000).toFixed(3) }
  }

  async exemplars(selector: string, from: number, to: number, signal?: AbortSignal): Promise<Exemplar[]> {
    const params = this.exemplarsQuery(selector, from, to)
    const { data } = await this.client.ask(exemplars, { path: '/api/v1/query_exemplars', params, ...pass(signal) })
    return data.flatMap(({ seriesLabels, exemplars: own }) =>
      own.map(({ labels: ownLabels, value, timestamp }) => ({
        series: seriesLabels,
        labels: ownLabels,
        value: Number(value),
        at: timestamp * 1000,
      })),
    )
  }

  /** What it does to the labels of an alert on the way to Alertmanager. */
  async outgoing(signal?: AbortSignal): Promise<{ externalLabels: Labels; relabels: boolean }> {
    const { data } = await this.client.ask(configuration, { path: '/api/v1/status/config', ...pass(signal) })
    const parsed = alerting.safeParse(parse(data.yaml))
    if (!parsed.success) throw new BackendError('answer', 'prometheus told a configuration that cannot be read.')
    const { global, alerting: sending } = parsed.data
    return {
      externalLabels: global?.external_labels ?? {},
      relabels: (sending?.alert_relabel_configs ?? []).length > 0,
    }
  }

  async targets(signal?: AbortSignal): Promise<Target[]> {
    const { data } = await this.client.ask(targets, {
      path: '/api/v1/targets',
      params: { state: 'active' },
      ...pass(signal),
    })
    return data.activeTargets.map((target) => ({
      job: target.labels.job ?? '',
      instance: target.labels.instance ?? '',
      up: target.health === 'up',
      lastError: target.lastError,
      url: target.scrapeUrl,
      scrapeMs: parseDuration(target.scrapeInterval) ?? 60_000,
      timeoutMs: parseDuration(target.scrapeTimeout) ?? 10_000,
    }))
  }

  async rules(signal?: AbortSignal): Promise<Rule[]> {
    const { data } = await this.client.ask(rules, { path: '/api/v1/rules', ...pass(signal) })
    return data.groups.flatMap((group) =>
      group.rules.map((rule) => ({
        group: group.name,
        alerting: rule.type === 'alerting',
        name: rule.name,
        query: rule.query,
        healthy: rule.health === 'ok',
        lastError: rule.lastError ?? '',
        state: rule.state ?? '',
        evaluationMs: group.interval * 1000,
        lastEvaluation: Date.parse(group.lastEvaluation),
        tookMs: group.evaluationTime * 1000,
        forMs: (rule.duration ?? 0) * 1000,
        keepFiringForMs: (rule.keepFiringFor ?? 0) * 1000,
        labels: rule.labels ?? {},
        alerts: rule.alerts ?? [],
      })),
    )
  }
}

function pass(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal ? { signal } : {}
}
