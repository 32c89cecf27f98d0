import { parse } from 'yaml'
import { z } from 'zod'
import { parseDuration } from '../../lib/duration.ts'
import { BackendError, type JsonClient } from './http.ts'

const status = z.object({ versionInfo: z.object({ version: z.string() }), config: z.object({ original: z.string() }) })
const config = z.object({
  route: z.object({ group_wait: z.string().optional(), group_interval: z.string().optional() }),
})
const alerts = z.array(
  z.object({ labels: z.record(z.string(), z.string()), startsAt: z.string(), status: z.object({ state: z.string() }) }),
)

/** Reads Alertmanager's API v2. */
export class Alertmanager {
  readonly client: JsonClient
  constructor(client: JsonClient) {
    this.client = client
  }

  async version(signal?: AbortSignal): Promise<string> {
    return (await this.client.ask(status, { path: '/api/v2/status', ...(signal ? { signal } : {}) })).versionInfo
      .version
  }

  /** The root route's waiting times in milliseconds; Alertmanager's defaults are 30 s and 5 m. */
  async timing(signal?: AbortSignal): Promise<{ groupWait: number; groupInterval: number }> {
    const answer = await this.client.ask(status, { path: '/api/v2/status', ...(signal ? { signal } : {}) })
    const parsed = config.safeParse(parse(answer.config.original))
    if (!parsed.success) throw new BackendError('answer', 'alertmanager told a configuration without a route.')
    const { group_wait = '30s', group_interval = '5m' } = parsed.data.route
    return { groupWait: parseDuration(group_wait) ?? 30_000, groupInterval: parseDuration(group_interval) ?? 300_000 }
  }

  /** Names of the alerts it holds as active. */
  async active(signal?: AbortSignal): Promise<string[]> {
    const answer = await this.client.ask(alerts, {
      path: '/api/v2/alerts',
      params: { active: 'true' },
      ...(signal ? { signal } : {}),
    })
    return answer.map(({ labels }) => labels.alertname ?? '')
  }
}
