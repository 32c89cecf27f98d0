import { pause } from '../../lib/poll.ts'
import type { Backends } from '../context.ts'
import type { Notification } from '../sinks/notification.ts'
import { type Spell, Spells, type Watched } from './timeline.ts'

/** How often a trial looks; part of what a trial's tolerance must cover. */
export const lookMs = 200

/** What a trial listens to. */
export interface Ears {
  notifications(since?: number): readonly Notification[]
  readonly strangers: readonly string[]
}

/** Looks at Prometheus' rules and Alertmanager's alerts until it is stopped, and remembers what changed when. */
export class Watch {
  readonly #backends: Pick<Backends, 'prometheus' | 'alertmanager'>
  readonly #prometheus = new Spells()
  readonly #alertmanager = new Spells()
  readonly #unasked = new Map<Watched, string>()
  readonly #ended = new AbortController()
  readonly #looking: Promise<void>
  #looks = 0

  constructor(backends: Pick<Backends, 'prometheus' | 'alertmanager'>, signal: AbortSignal) {
    this.#backends = backends
    const either = AbortSignal.any([signal, this.#ended.signal])
    this.#looking = this.#look(either)
    // An abort ends it; whoever waits for the watch hears of it there.
    this.#looking.catch(() => {})
  }

  get prometheus(): readonly Spell[] {
    return this.#prometheus.all
  }

  get alertmanager(): readonly Spell[] {
    return this.#alertmanager.all
  }

  /** How often both were asked. */
  get looks(): number {
    return this.#looks
  }

  /** What both hold at the moment. */
  get current(): readonly Spell[] {
    return [...this.#prometheus.current, ...this.#alertmanager.current]
  }

  get unasked(): Readonly<Partial<Record<Watched, string>>> {
    return Object.fromEntries(this.#unasked)
  }

  /** Waits until something is true, looking whenever there is something new; returns at the deadline in any case. */
  async until(holds: () => boolean, withinMs: number, signal: AbortSignal): Promise<void> {
    const end = performance.now() + withinMs
    while (!holds() && performance.now() < end) await pause(Math.min(lookMs, 50), signal)
  }

  async stop(): Promise<void> {
    this.#ended.abort(new Error('the watch is over'))
    await this.#looking.catch(() => {})
  }

  async #look(signal: AbortSignal): Promise<void> {
    for (;;) {
      this.#looks += 1
      await Promise.all([
        this.#ask('prometheus', signal, async () => {
          const rules = await this.#backends.prometheus.rules(signal)
          const alerts = rules.flatMap(({ alerts }) => alerts)
          this.#prometheus.look(Date.now(), alerts)
        }),
        this.#ask('alertmanager', signal, async () => {
          const alerts = await this.#backends.alertmanager.alerts(signal)
          this.#alertmanager.look(Date.now(), alerts)
        }),
      ])
      await pause(lookMs, signal)
    }
  }

  async #ask(who: Watched, signal: AbortSignal, look: () => Promise<void>): Promise<void> {
    try {
      await look()
      this.#unasked.delete(who)
    } catch (error) {
      signal.throwIfAborted()
      this.#unasked.set(who, error instanceof Error ? error.message : String(error))
    }
  }
}
