import { performance } from 'node:perf_hooks'
import { setTimeout as wait } from 'node:timers/promises'
import { type Context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { Counter, Gauge, Histogram } from 'prom-client'
import type { HttpClient } from '../instrumentation/http-client.ts'
import { durationBuckets } from '../instrumentation/metrics.ts'
import type { Service } from '../instrumentation/service.ts'
import type { Message, Outbox, Settlement } from './outbox.ts'

interface Limits {
  /** Deliveries under way at once. */
  readonly concurrency: number
  /** Attempts until a message is dead. */
  readonly attempts: number
  /** Pause after the first failed attempt in ms; doubled after each further one. */
  readonly backoffMs: number
  /** Pause between looks at an empty queue in ms. */
  readonly idleMs: number
}

const usualLimits: Limits = { concurrency: 16, attempts: 5, backoffMs: 100, idleMs: 50 }

/** Messages read ahead; what is beyond stays in the table. */
const readAhead = 256
/** Messages waiting for their next attempt at most; beyond it nothing new is read. */
const waitingAtMost = 10_000

/** Takes messages from the outbox and posts them to the subscriber, at least once, in spans, metrics and log lines. */
export class Deliveries {
  readonly #service: Service
  readonly #outbox: Outbox
  readonly #subscriber: HttpClient
  readonly #limits: Limits
  readonly #metrics
  readonly #ready: Message[] = []
  readonly #waiting = new Map<number, NodeJS.Timeout>()
  readonly #underWay = new Set<Promise<void>>()
  #settlements: Settlement[] = []
  #lastId = 0
  #timer: NodeJS.Timeout | undefined
  #flushing: NodeJS.Immediate | undefined
  #stopped = false

  constructor(service: Service, outbox: Outbox, subscriber: HttpClient, limits: Partial<Limits> = {}) {
    this.#service = service
    this.#outbox = outbox
    this.#subscriber = subscriber
    this.#limits = { ...usualLimits, ...limits }
    this.#metrics = deliveryMetrics(service, outbox)
  }

  start(): void {
    this.#look()
  }

  /** Takes nothing more, waits for the deliveries under way and records their outcomes. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    for (const timer of this.#waiting.values()) clearTimeout(timer)
    await Promise.allSettled(this.#underWay)
    this.#settle()
  }

  #look(): void {
    clearTimeout(this.#timer)
    if (this.#stopped) return
    this.#work()
    this.#timer = setTimeout(() => this.#look(), this.#limits.idleMs)
  }

  #work(): void {
    if (this.#service.faults.isOn('stall') || this.#stopped) return
    if (this.#ready.length < this.#limits.concurrency && this.#waiting.size < waitingAtMost) this.#read()
    while (this.#underWay.size < this.#limits.concurrency) {
      const message = this.#ready.shift()
      if (message === undefined) return
      const delivery = this.#deliver(message).finally(() => {
        this.#underWay.delete(delivery)
        this.#settleSoon()
      })
      this.#underWay.add(delivery)
    }
  }

  #read(): void {
    for (const message of this.#outbox.after(this.#lastId, readAhead)) {
      this.#lastId = message.id
      if (message.dueAt > Date.now()) this.#wait(message)
      else this.#ready.push(message)
    }
  }

  #wait(message: Message): void {
    const timer = setTimeout(() => {
      this.#waiting.delete(message.id)
      this.#ready.push(message)
      this.#work()
    }, message.dueAt - Date.now())
    this.#waiting.set(message.id, timer)
  }

  // Outcomes of one turn of the event loop share a transaction, and freed places are filled again.
  #settleSoon(): void {
    this.#flushing ??= setImmediate(() => {
      this.#flushing = undefined
      this.#settle()
      this.#work()
    })
  }

  #settle(): void {
    const settlements = this.#settlements
    this.#settlements = []
    this.#outbox.settle(settlements)
  }

  async #deliver(message: Message): Promise<void> {
    const { telemetry, metrics, logs } = this.#service
    const startedAt = performance.now()
    const attempt = message.attempts + 1
    const parent = telemetry.context.extract({ traceparent: message.traceparent })
    const attributes = {
      'messaging.system': 'outbox',
      'messaging.operation.type': 'process',
      'messaging.destination.name': message.event,
      'messaging.message.id': String(message.id),
      'messaging.delivery.attempt': attempt,
    }
    const name = `${message.event} process`
    const span = telemetry.tracer.startSpan(name, { kind: SpanKind.CONSUMER, attributes }, parent)
    const failure = await this.#post(message, trace.setSpan(parent, span))
    const status = failure === undefined ? 'delivered' : attempt < this.#limits.attempts ? 'failed' : 'dead'
    if (failure !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: failure })
    span.end()
    this.#conclude(message, attempt, status)

    const spanContext = span.spanContext()
    const durationMs = performance.now() - startedAt
    const { deliveries, durations, retries } = this.#metrics
    metrics.record({
      counter: deliveries,
      labels: { status },
      durations,
      durationLabels: {},
      seconds: durationMs / 1000,
      spanContext,
    })
    if (attempt > 1) retries.inc()
    const fields = {
      status,
      event: message.event,
      attempt,
      duration_ms: Math.round(durationMs * 1000) / 1000,
      ...(failure !== undefined && { error: failure }),
    }
    const level = status === 'delivered' ? 'info' : status === 'failed' ? 'warn' : 'error'
    logs.write(level, 'deliveries', 'delivery completed', fields, { requestId: message.requestId, spanContext })
  }

  /** Why the subscriber did not take the message; undefined if it did. */
  async #post(message: Message, context: Context): Promise<string | undefined> {
    const { faults } = this.#service
    const latency = faults.get('latency')
    if (latency) await wait(latency.ms)
    if (faults.strikes('error')) return 'a fault was injected'
    try {
      const { status } = await this.#subscriber.send({
        method: 'POST',
        path: '',
        headers: {
          'content-type': 'application/json',
          'x-event': message.event,
          'x-message-id': String(message.id),
          'x-request-id': message.requestId,
        },
        body: message.body,
        context,
      })
      return status >= 200 && status < 300 ? undefined : `the subscriber answered ${status}`
    } catch (error) {
      return error instanceof Error ? error.message : 'sending failed'
    }
  }

  #conclude(message: Message, attempts: number, status: 'delivered' | 'failed' | 'dead'): void {
    const { id } = message
    if (status !== 'failed') {
      this.#settlements.push({ id, attempts, outcome: status })
      return
    }
    const dueAt = Date.now() + this.#limits.backoffMs * 2 ** (attempts - 1)
    this.#settlements.push({ id, attempts, outcome: 'again', dueAt })
    if (!this.#stopped) this.#wait({ ...message, attempts, dueAt })
  }
}

function deliveryMetrics(service: Service, outbox: Outbox) {
  const registers = [service.metrics.registry]
  const enableExemplars = true
  const deliveries = new Counter({
    name: 'webhook_deliveries_total',
    help: 'Attempts to deliver by outcome: failed will be tried again, dead will not.',
    labelNames: ['status'],
    registers,
    enableExemplars,
  })
  for (const status of ['delivered', 'failed', 'dead']) deliveries.inc({ labels: { status }, value: 0 })
  const durations = new Histogram({
    name: 'webhook_delivery_duration_seconds',
    help: 'Duration of one attempt to deliver.',
    buckets: durationBuckets,
    registers,
    enableExemplars,
  })
  durations.zero({})
  const retries = new Counter({
    name: 'webhook_retries_total',
    help: 'Attempts to deliver after the first.',
    registers,
  })
  new Gauge({
    name: 'webhook_queue_depth',
    help: 'Messages that are neither delivered nor dead.',
    registers,
    collect() {
      this.set(outbox.depth())
    },
  })
  return { deliveries, durations, retries }
}
