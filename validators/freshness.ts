import type { Sighting } from '../lib/freshness.ts'
import type { Step } from '../lib/journey.ts'
import { pause } from '../lib/poll.ts'
import { literal } from './backends/prometheus.ts'
import { namedBy } from './backends/trace-source.ts'
import { pipelineDeadline, type RunContext } from './context.ts'
import { whyUnjudged } from './coverage.ts'
import { lineQuery } from './log-format.ts'

/** From the start of one look to the start of the next, if the answer is there by then. */
const intervalMs = 250
/** How far the clock of a service may be off before its lines are looked for in the wrong place. */
const edgeMs = 10_000

/** What was seen of one signal. */
export interface Observed {
  readonly sightings: readonly Sighting[]
  readonly looks: number
  /** Why requests were given up though the last look for them got no answer. */
  readonly error?: string
}

/** What was seen while the load ran. Metrics are not among it: scrapes leave timestamps, which can be read later. */
export interface ObservedFreshness {
  readonly logs: Observed
  readonly traces: Observed
}

/**
 * Looks for answered requests in logs and traces, by id, until each is found in every service of its step. One query at a
 * time for either signal, each for the few ids that are still open.
 */
export class FreshnessWatch {
  readonly #context: Pick<RunContext, 'config' | 'backends'>
  readonly #logs: Lookout
  readonly #traces: Lookout
  readonly #ended: Promise<ObservedFreshness>

  /** @param patienceMs after which a request counts as never found */
  constructor(context: Pick<RunContext, 'config' | 'backends' | 'signal'>, patienceMs = pipelineDeadline().ms) {
    this.#context = context
    const { config, backends, signal } = context
    const lookForLines: Look = async (open, found) => {
      const { service = '' } = open[0] ?? {}
      const logs = config.services[service]?.logs
      if (logs === undefined) return
      const ids = open.map(({ id }) => id)
      const query = `${lineQuery(logs)} |~ ${literal(ids.join('|'))}`
      const since = Math.min(...open.map(({ answeredAt }) => answeredAt)) - edgeMs
      // Lines may be doubled; a limit too small for them would hide ids for one look at most.
      const lines = await backends.loki.examples(query, 10 * ids.length + 100, since, Date.now() + edgeMs, signal)
      for (const line of lines) for (const id of ids) if (line.includes(id)) found(id, service)
    }
    const lookForSpans: Look = async (open, found) => {
      const { traces } = backends
      const names = new Map(
        open.map(({ service }) => {
          const name = config.services[service]?.traces?.service ?? service
          return [namedBy(traces, name), service]
        }),
      )
      const note: Parameters<typeof traces.lookUp>[1] = (spans) => {
        for (const span of spans) found(span.traceId, names.get(span.service) ?? '')
      }
      await traces.lookUp([...new Set(open.map(({ id }) => id))], note, signal)
    }
    this.#logs = new Lookout(lookForLines, { patienceMs, signal, perService: true })
    this.#traces = new Lookout(lookForSpans, { patienceMs, signal, perService: false })
    this.#ended = Promise.all([this.#logs.run(), this.#traces.run()]).then(([logs, traces]) => ({ logs, traces }))
  }

  /** To be called when the answer arrives. */
  add(id: string, { services }: Pick<Step, 'services'>): void {
    const seenIn = (signal: 'logs' | 'traces') =>
      services.filter((name) => whyUnjudged(this.#context, name, signal) === undefined)
    this.#logs.add(id, seenIn('logs'))
    this.#traces.add(id, seenIn('traces'))
  }

  /** Nothing is added any more. Settles when all was found, or was waited for long enough; never rejects. */
  end(): Promise<ObservedFreshness> {
    this.#logs.close()
    this.#traces.close()
    return this.#ended
  }
}

/** One query; `found` is called for what is there, whether it was asked for or not. */
type Look = (open: readonly Pending[], found: (id: string, service: string) => void) => Promise<void>

interface Pending {
  readonly id: string
  readonly service: string
  /** Epoch milliseconds. */
  readonly answeredAt: number
  /** On the monotonic clock. */
  readonly arrivedAt: number
  /** When it was surely not there yet: the beginning of the last look that did not find it. */
  absentAt: number
}

interface LookoutOptions {
  /** After which a request counts as never found. */
  readonly patienceMs: number
  readonly signal: AbortSignal
  /** Whether each service needs a query of its own. */
  readonly perService: boolean
}

class Lookout {
  readonly #look: Look
  readonly #options: LookoutOptions
  readonly #pending = new Set<Pending>()
  readonly #sightings: Sighting[] = []
  #looks = 0
  #error: string | undefined
  #closed = false

  constructor(look: Look, options: LookoutOptions) {
    this.#look = look
    this.#options = options
  }

  add(id: string, services: readonly string[]): void {
    const [answeredAt, arrivedAt] = [Date.now(), performance.now()]
    for (const service of services) this.#pending.add({ id, service, answeredAt, arrivedAt, absentAt: arrivedAt })
  }

  close(): void {
    this.#closed = true
  }

  async run(): Promise<Observed> {
    const { signal } = this.#options
    while (!signal.aborted && !(this.#closed && this.#pending.size === 0)) {
      const begun = performance.now()
      for (const group of this.#groups()) await this.#lookFor(group)
      const left = intervalMs - (performance.now() - begun)
      await pause(Math.max(0, left), signal).catch(() => undefined)
    }
    const error = this.#error
    return { sightings: this.#sightings, looks: this.#looks, ...(error === undefined ? {} : { error }) }
  }

  #groups(): Pending[][] {
    const open = [...this.#pending]
    if (!this.#options.perService) return open.length > 0 ? [open] : []
    return [...new Set(open.map(({ service }) => service))].map((name) =>
      open.filter(({ service }) => service === name),
    )
  }

  async #lookFor(open: readonly Pending[]): Promise<void> {
    const asked = performance.now()
    const found = new Set<string>()
    let failure: string | undefined
    this.#looks += 1
    try {
      await this.#look(open, (id, service) => found.add(`${id} ${service}`))
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error)
    }
    const seenAt = performance.now()
    for (const one of open) {
      const { id: traceId, service, arrivedAt, absentAt } = one
      if (found.has(`${traceId} ${service}`)) {
        this.#sightings.push({ traceId, service, afterMs: seenAt - arrivedAt, resolutionMs: seenAt - absentAt })
      } else if (asked - arrivedAt > this.#options.patienceMs) {
        this.#sightings.push({ traceId, service, resolutionMs: 0 })
        this.#error ??= failure
      } else {
        if (failure === undefined) one.absentAt = asked
        continue
      }
      this.#pending.delete(one)
    }
  }
}
