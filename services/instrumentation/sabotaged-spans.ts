import { type Attributes, type HrTime, SpanKind, SpanStatusCode } from '@opentelemetry/api'
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace-node'
import { ATTR_DB_SYSTEM_NAME, ATTR_HTTP_ROUTE } from '@opentelemetry/semantic-conventions'
import type { Faults } from './faults.ts'

/** Stands between the tracer and the honest processor, and passes ended spans on as the sabotages will have them. */
export class SabotagedSpans implements SpanProcessor {
  readonly #faults: Faults
  readonly #honest: SpanProcessor
  readonly #narrow: (pauseMs: number) => SpanProcessor
  #narrowed: SpanProcessor | undefined

  /** @param narrow makes the processor of a small queue whose every export begins after a pause in ms */
  constructor(faults: Faults, honest: SpanProcessor, narrow: (pauseMs: number) => SpanProcessor) {
    this.#faults = faults
    this.#honest = honest
    this.#narrow = narrow
  }

  onStart(...[span, parent]: Parameters<SpanProcessor['onStart']>): void {
    this.#honest.onStart(span, parent)
  }

  onEnd(span: ReadableSpan): void {
    if (this.#faults.none) {
      this.#honest.onEnd(span)
      return
    }
    if (this.#isDropped(span)) return
    const distorted = this.#distort(span)
    const next = this.#next()
    next.onEnd(distorted)
    if (this.#faults.strikesEveryNth('double-spans')) next.onEnd(distorted)
  }

  #next(): SpanProcessor {
    const narrow = this.#faults.get('small-span-queue')
    if (!narrow) return this.#honest
    this.#narrowed ??= this.#narrow(narrow.ms)
    return this.#narrowed
  }

  #isDropped(span: ReadableSpan): boolean {
    if (isEntry(span)) return this.#faults.strikesEveryNth('drop-spans')
    return isLeaf(span) && this.#faults.strikesEveryNth('drop-child-span')
  }

  #distort(span: ReadableSpan): ReadableSpan {
    const changes: { -readonly [Key in keyof ReadableSpan]?: ReadableSpan[Key] | undefined } = {}
    if (isEntry(span) && this.#faults.strikesEveryNth('attribute-missing')) {
      changes.attributes = without(span.attributes, ATTR_HTTP_ROUTE)
    }
    if (isEntry(span) && this.#faults.isOn('two-roots')) changes.parentSpanContext = undefined
    if (span.status.code === SpanStatusCode.ERROR && this.#faults.isOn('no-error-status')) {
      changes.status = { code: SpanStatusCode.UNSET }
    }
    const skew = this.#faults.get('clock-skew')
    if (skew) {
      changes.startTime = shifted(span.startTime, skew.ms)
      changes.endTime = shifted(span.endTime, skew.ms)
      changes.events = span.events.map((event) => ({ ...event, time: shifted(event.time, skew.ms) }))
    }
    // What is not changed is still the span's own, its getters and methods included.
    return Object.assign(Object.create(span), changes)
  }

  async forceFlush(): Promise<void> {
    await Promise.all([this.#honest.forceFlush(), this.#narrowed?.forceFlush()])
  }

  async shutdown(): Promise<void> {
    await Promise.allSettled([this.#honest.shutdown(), this.#narrowed?.shutdown()])
  }
}

/** The span of what came in: a request or a message. */
function isEntry({ kind }: ReadableSpan): boolean {
  return kind === SpanKind.SERVER || kind === SpanKind.CONSUMER
}

/** A span of the service's own work that no other service is below. */
function isLeaf({ kind, attributes }: ReadableSpan): boolean {
  return kind === SpanKind.INTERNAL || attributes[ATTR_DB_SYSTEM_NAME] !== undefined
}

function without(attributes: Attributes, name: string): Attributes {
  const { [name]: _, ...rest } = attributes
  return rest
}

function shifted([seconds, nanos]: HrTime, ms: number): HrTime {
  const whole = Math.floor(ms / 1000)
  const sum = nanos + (ms - whole * 1000) * 1e6
  return sum < 1e9 ? [seconds + whole, sum] : [seconds + whole + 1, sum - 1e9]
}
