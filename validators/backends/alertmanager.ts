import { parse } from 'yaml'
import { z } from 'zod'
import { parseDuration } from '../../lib/duration.ts'
import { BackendError, type JsonClient } from './http.ts'

const status = z.object({ versionInfo: z.object({ version: z.string() }), config: z.object({ original: z.string() }) })
const config = z.object({
  route: z.object({ group_wait: z.string().optional(), group_interval: z.string().optional() }),
})
const labels = z.record(z.string(), z.string())
const alerts = z.array(
  z.object({
    labels,
    startsAt: z.string(),
    receivers: z.array(z.object({ name: z.string() })),
    status: z.object({
      state: z.enum(['active', 'suppressed', 'unprocessed']),
      inhibitedBy: z.array(z.string()),
      silencedBy: z.array(z.string()),
    }),
  }),
)
const groups = z.array(z.object({ labels, receiver: z.object({ name: z.string() }) }))
const silences = z.array(
  z.object({ id: z.string(), status: z.object({ state: z.string() }), comment: z.string().default('') }),
)

/** An alert as Alertmanager holds it. */
export interface HeldAlert {
  readonly labels: Readonly<Record<string, string>>
  /** Whom its routes lead to. */
  readonly receivers: readonly string[]
  readonly state: 'active' | 'suppressed' | 'unprocessed'
  /** Fingerprints of the alerts that inhibit it. */
  readonly inhibitedBy: readonly string[]
  /** Ids of silences. */
  readonly silencedBy: readonly string[]
}

/** An alert to post; times in epoch milliseconds. */
export interface PostedAlert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly startsAt: number
  readonly endsAt: number
}

/** Reads Alertmanager's API v2, and posts synthetic alerts to it. */
export class Alertmanager {
  readonly client: JsonClient
  constructor(client: JsonClient) {
    this.client = client
  }

  async version(signal?: AbortSignal): Promise<string> {
    return (await this.#status(signal)).versionInfo.version
  }

  /** Its configuration as it understood it: YAML with defaults filled in and secrets left out. */
  async config(signal?: AbortSignal): Promise<string> {
    return (await this.#status(signal)).config.original
  }

  /** The root route's waiting times in milliseconds; Alertmanager's defaults are 30 s and 5 m. */
  async timing(signal?: AbortSignal): Promise<{ groupWait: number; groupInterval: number }> {
    const parsed = config.safeParse(parse(await this.config(signal)))
    if (!parsed.success) throw new BackendError('answer', 'alertmanager told a configuration without a route.')
    const { group_wait = '30s', group_interval = '5m' } = parsed.data.route
    return { groupWait: parseDuration(group_wait) ?? 30_000, groupInterval: parseDuration(group_interval) ?? 300_000 }
  }

  /** All alerts that it holds, suppressed ones too; those that are resolved are not among them. */
  async alerts(signal?: AbortSignal): Promise<HeldAlert[]> {
    const answer = await this.client.ask(alerts, { path: '/api/v2/alerts', ...(signal ? { signal } : {}) })
    return answer.map(({ labels, receivers, status }) => ({
      labels,
      receivers: receivers.map(({ name }) => name),
      ...status,
    }))
  }

  /** Silences that are in force or will be. */
  async silences(signal?: AbortSignal): Promise<{ id: string; comment: string }[]> {
    const answer = await this.client.ask(silences, { path: '/api/v2/silences', ...(signal ? { signal } : {}) })
    return answer.filter(({ status }) => status.state !== 'expired')
  }

  /**
   * How many of its groups hold no alert that it shows. Such a group lives on until it is cleared away (every 30 s), and
   * an alert that joins it doesn't wait for group_wait. Undefined if Alertmanager does not tell.
   */
  async lingeringGroups(signal?: AbortSignal): Promise<number | undefined> {
    const pass = signal ? { signal } : {}
    const [{ status, body }, shown] = await Promise.all([
      this.client.text({ path: '/metrics', ...pass }),
      this.client.ask(groups, { path: '/api/v2/alerts/groups', ...pass }),
    ])
    const value = /^alertmanager_dispatcher_aggregation_groups (\S+)$/m.exec(body)?.[1]
    return status !== 200 || value === undefined ? undefined : Math.max(0, Number(value) - shown.length)
  }

  /** @throws BackendError if it does not take them */
  async post(posted: readonly PostedAlert[], signal?: AbortSignal): Promise<void> {
    const time = (at: number) => new Date(at).toISOString()
    const body = posted.map(({ startsAt, endsAt, ...rest }) => ({
      ...rest,
      startsAt: time(startsAt),
      endsAt: time(endsAt),
    }))
    await this.client.post('/api/v2/alerts', body, signal)
  }

  #status(signal?: AbortSignal): Promise<z.infer<typeof status>> {
    return this.client.ask(status, { path: '/api/v2/status', ...(signal ? { signal } : {}) })
  }
}
