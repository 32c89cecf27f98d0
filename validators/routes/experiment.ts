import type { LoneAlertmanager, StartAlertmanager } from '../../lib/lone-alertmanager.ts'
import type { Labels } from '../../lib/matcher.ts'
import { eventually, type Polled } from '../../lib/poll.ts'
import { Alertmanager } from '../backends/alertmanager.ts'
import { Gate, JsonClient } from '../backends/http.ts'
import { isDelivered, type Notification } from '../sinks/notification.ts'
import { Sinks } from '../sinks/sinks.ts'
import type { AlertmanagerFile } from './alertmanager-file.ts'
import { bodyOf, type Delivery, probeLabel, type SentAlert } from './experiment-alert.ts'
import { isErrorOf, type LogLine, logLine } from './log-line.ts'
import { type PlacedIntegration, type Rewritten, rewrite } from './rewrite.ts'
import { type Branch, writeTree } from './yaml-tree.ts'

export interface Surroundings {
  readonly file: AlertmanagerFile
  readonly start: StartAlertmanager
  readonly proxy: { readonly url: string }
  readonly signal: AbortSignal
  /** Observes each Alertmanager as soon as it runs; what it returns is called before that ends. */
  readonly watch: (pid: number) => () => void
  /** Lets few start at once: what would all start together would not be ready in time. */
  readonly opening: Gate
}

/** How the rewritten file differs from the user's beyond its destinations. */
export type Change = (tree: Branch) => void

const silencer = 'muster tries the routes'
const alertLifeMs = 3_600_000
const requestTimeoutMs = 10_000
/** Longer than Alertmanager pauses between two attempts at the beginning. */
const quietMs = 3000
const longestDelayMs = 60_000

/** One Alertmanager with the rewritten file, and sinks of its own. */
export class Experiment {
  readonly sinks: Sinks
  readonly rewritten: Rewritten
  readonly api: Alertmanager
  readonly #process: LoneAlertmanager
  readonly #signal: AbortSignal
  readonly #unwatch: () => void
  readonly #deliveries: Delivery[] = []
  readonly #log: LogLine[] = []
  #logRead = 0
  /** How many notifications `#deliveries` was made of. */
  #read = 0

  private constructor(
    sinks: Sinks,
    rewritten: Rewritten,
    started: LoneAlertmanager,
    { signal, watch }: Pick<Surroundings, 'signal' | 'watch'>,
  ) {
    this.sinks = sinks
    this.rewritten = rewritten
    this.#process = started
    this.#signal = signal
    this.#unwatch = watch(started.pid)
    const endpoint = { url: started.url, timeoutMs: requestTimeoutMs, ui: false } as const
    this.api = new Alertmanager(new JsonClient('alertmanager', endpoint, new Gate(4)))
  }

  /** @throws EnvironmentError if Alertmanager does not start; UsageError if the file cannot be rewritten */
  static open(name: string, around: Surroundings, change: Change): Promise<Experiment> {
    return around.opening.through(() => Experiment.#open(name, around, change))
  }

  static async #open(name: string, around: Surroundings, change: Change): Promise<Experiment> {
    const sinks = await Sinks.open()
    try {
      const rewritten = rewrite(around.file, {
        url: (type, id) => sinks.url(type, id),
        smtp: sinks.smtp,
        proxy: around.proxy.url,
      })
      change(rewritten.tree)
      const config = writeTree(rewritten.tree)
      const env = environment(around.proxy.url)
      const started = await around.start({ name, config, env, signal: around.signal })
      return new Experiment(sinks, rewritten, started, around)
    } catch (error) {
      await sinks.close()
      throw error
    }
  }

  /** Has the alerts fire from now on, or again. @returns epoch milliseconds just before */
  async fire(alerts: readonly SentAlert[]): Promise<number> {
    const at = Date.now()
    await this.api.post(
      alerts.map((alert) => ({ ...bodyOf(alert), startsAt: at, endsAt: at + alertLifeMs })),
      this.#signal,
    )
    return at
  }

  /** Has them end now. @returns epoch milliseconds just before */
  async resolve(alerts: readonly SentAlert[]): Promise<number> {
    const at = Date.now()
    // An alert that has no length would not have been.
    await this.api.post(
      alerts.map((alert) => ({ ...bodyOf(alert), startsAt: at - 1, endsAt: at })),
      this.#signal,
    )
    return at
  }

  /** Silences from now on what has exactly these labels; a regular expression for `probeLabel`. */
  async silence(labels: Labels, ids: string): Promise<void> {
    const equal = Object.entries(labels).map(([name, value]) => ({ name, value, isRegex: false, isEqual: true }))
    await this.api.client.post(
      '/api/v2/silences',
      {
        matchers: [...equal, { name: probeLabel, value: ids, isRegex: true, isEqual: true }],
        startsAt: new Date().toISOString(),
        endsAt: new Date(Date.now() + alertLifeMs).toISOString(),
        createdBy: silencer,
        comment: silencer,
      },
      this.#signal,
    )
  }

  /** Ends the silences of `silence`, and no other. @throws BackendError, or Error if Alertmanager refuses */
  async expireSilences(): Promise<void> {
    const own = (await this.api.silences(this.#signal)).filter(({ comment }) => comment === silencer)
    await Promise.all(
      own.map(async ({ id }) => {
        const url = `${this.api.client.url}/api/v2/silence/${encodeURIComponent(id)}`
        const { status } = await fetch(url, { method: 'DELETE', signal: AbortSignal.timeout(requestTimeoutMs) })
        if (status !== 200) throw new Error(`Alertmanager did not end a silence: it answered ${status}`)
      }),
    )
  }

  /** What the mirrors were told, oldest first. */
  deliveries(): readonly Delivery[] {
    const all = this.sinks.notifications()
    for (const notification of all.slice(this.#read)) {
      this.#read += 1
      this.#deliveries.push(...this.#deliveriesOf(notification, this.#read))
    }
    return this.#deliveries
  }

  /** @param since epoch milliseconds */
  deliveriesSince(since: number): readonly Delivery[] {
    return this.deliveries().filter(({ at }) => at >= since)
  }

  #deliveriesOf(notification: Notification, n: number): Delivery[] {
    const receiver = this.rewritten.mirrors.get(notification.receiver)
    if (receiver === undefined || !isDelivered(notification)) return []
    const { alerts, groupKey = '', at } = notification
    const together = alerts.map(({ labels }) => labels[probeLabel] ?? '')
    return alerts.map(({ labels, status }) => ({
      id: labels[probeLabel] ?? '',
      receiver,
      groupKey,
      status,
      at,
      notification: n,
      together,
    }))
  }

  /** What arrived at one integration's sink. */
  arrived(integration: PlacedIntegration, since = 0): Notification[] {
    return this.sinks.notifications(since).filter(({ receiver }) => receiver === integration.id)
  }

  /**
   * Waits for what has not come yet; beyond `withinMs` for as long as anything else still arrives, since a busy machine is
   * slow and proves nothing.
   * @throws the abort reason
   */
  until<T>(look: () => T, holds: (value: T) => boolean, withinMs: number): Promise<Polled<T>> {
    const from = Date.now()
    const ask = async () => {
      this.alive()
      return look()
    }
    const hopeless = () => {
      const last = this.sinks.notifications().at(-1)?.at ?? 0
      return Date.now() > Math.max(from + withinMs, last + quietMs)
    }
    const options = { withinMs: withinMs + longestDelayMs, signal: this.#signal, longestPauseMs: 150, patience: 1 }
    return eventually(ask, holds, { ...options, hopeless })
  }

  /** @throws Error if Alertmanager has ended by itself: nothing that did not arrive is proof then */
  alive(): void {
    const exit = this.#process.exited()
    if (exit !== undefined) throw new Error(`Alertmanager did not live to answer: ${exit}`)
  }

  /** Lines that Alertmanager logged, parsed; `msg`, `level`, `err`, `receiver`, `integration`, ... */
  log(): readonly LogLine[] {
    const text = this.#process.log()
    const end = text.lastIndexOf('\n') + 1
    for (const line of text.slice(this.#logRead, end).split('\n')) {
      const parsed = logLine(line)
      if (parsed) this.#log.push(parsed)
    }
    this.#logRead = end
    return this.#log
  }

  /** @param since epoch milliseconds */
  logSince(since: number): LogLine[] {
    return this.log().filter(({ time }) => typeof time === 'string' && Date.parse(time) >= since)
  }

  /** Why Alertmanager last failed to notify by an integration; undefined if it did not. */
  lastError({ receiver, runsAs }: PlacedIntegration, since = 0): string | undefined {
    const own = this.logSince(since).filter((line) => isErrorOf(line, receiver, runsAs))
    const error = own.findLast(({ err }) => typeof err === 'string')?.err
    return typeof error === 'string' ? error : undefined
  }

  /** How often Alertmanager has tried an integration anew: such an attempt may have arrived, and its answer got lost. */
  triedAnew(receiver: string, runsAs: string): number {
    return this.log()
      .filter((line) => line.msg === 'Notify success' && line.receiver === receiver && line.integration === runsAs)
      .reduce((sum, { attempts }) => sum + (typeof attempts === 'number' ? attempts - 1 : 0), 0)
  }

  async close(): Promise<void> {
    this.#unwatch()
    await this.#process.stop()
    await this.sinks.close()
  }
}

/** Nothing of ours, every proxy the one that refuses, and no way to the credentials of a cloud. */
function environment(proxy: string): Readonly<Record<string, string>> {
  const proxies = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy']
  return {
    ...Object.fromEntries(proxies.map((name) => [name, proxy])),
    AWS_ACCESS_KEY_ID: 'muster',
    AWS_SECRET_ACCESS_KEY: 'muster',
    AWS_REGION: 'us-east-1',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '',
    AWS_WEB_IDENTITY_TOKEN_FILE: '',
    GOOGLE_APPLICATION_CREDENTIALS: '/dev/null',
  }
}
