import { createServer } from 'node:net'
import { z } from 'zod'
import type { LiveLoad } from '../lib/event.ts'

/** A port of loopback that is free now. k6 may find it taken all the same: then it is started without. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}

const metric = z.object({ data: z.object({ attributes: z.object({ sample: z.record(z.string(), z.number()) }) }) })

export interface LookPauses {
  readonly shortestMs: number
  readonly longestMs: number
}

/** k6 sorts its samples to tell a percentile: asking may take it one part in so many of its time. */
const share = 20

/** Asks k6 over its REST interface what it sees, while it runs; what cannot be had is left out, and nothing fails for it. */
export class LiveLook {
  readonly #base: string
  readonly #pauses: LookPauses
  readonly #ended = new AbortController()
  #latest: LiveLoad | undefined
  #before: { readonly at: number; readonly count: number } | undefined

  constructor(port: number, pauses: LookPauses = { shortestMs: 1000, longestMs: 5000 }) {
    this.#pauses = pauses
    this.#base = `http://127.0.0.1:${port}/v1/metrics`
    void this.#watch()
  }

  /** Undefined before k6 has answered. */
  get latest(): LiveLoad | undefined {
    return this.#latest
  }

  end(): void {
    this.#ended.abort()
  }

  async #watch(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      const begun = performance.now()
      await this.#look().catch(() => undefined)
      const took = performance.now() - begun
      const { shortestMs, longestMs } = this.#pauses
      await this.#pause(Math.min(longestMs, Math.max(shortestMs, took * share)))
    }
  }

  async #look(): Promise<void> {
    const requests = await this.#sample('http_reqs')
    const failed = await this.#sample('http_req_failed')
    const duration = await this.#sample('http_req_duration')
    const at = performance.now()
    if (requests?.count === undefined || requests.rate === undefined) return
    const { count, rate } = requests
    const before = this.#before
    this.#before = { at, count }
    this.#latest = {
      // The first time, since the start.
      rate: before === undefined ? rate : ((count - before.count) * 1000) / (at - before.at),
      errorRatio: failed?.rate ?? null,
      p95Ms: duration?.['p(95)'] ?? null,
    }
  }

  /** Undefined for a metric without samples yet. */
  async #sample(name: string): Promise<Readonly<Record<string, number>> | undefined> {
    const signal = AbortSignal.any([this.#ended.signal, AbortSignal.timeout(2000)])
    const response = await fetch(`${this.#base}/${name}`, { signal })
    if (response.ok) return metric.parse(await response.json()).data.attributes.sample
    await response.body?.cancel()
    return undefined
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const { signal } = this.#ended
      const done = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      signal.addEventListener('abort', done, { once: true })
    })
  }
}
