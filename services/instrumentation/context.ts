import { type Context, propagation, ROOT_CONTEXT } from '@opentelemetry/api'
import type { Faults } from './faults.ts'

/** Reads and writes the W3C trace context of requests and messages, unless a sabotage loses it. */
export class TraceContext {
  readonly #faults: Faults

  constructor(faults: Faults) {
    this.#faults = faults
  }

  /** The caller's context in its headers; the root if there is none. */
  extract(headers: object): Context {
    return this.#faults.isOn('restart-context') ? ROOT_CONTEXT : propagation.extract(ROOT_CONTEXT, headers)
  }

  /** Adds the headers that tell the next service of this context. */
  inject(context: Context, headers: object): void {
    if (this.#faults.isOn('drop-context') || this.#faults.isOn('drop-queue-context')) return
    propagation.inject(context, headers)
  }
}
