import { performance } from 'node:perf_hooks'
import { z } from 'zod'

/** Faults disturb the service itself; `rate-limit` refuses requests as if their user exceeded the limit. */
const disturbances = ['error', 'latency', 'stall', 'rate-limit'] as const
/** Sabotages of the telemetry that any service can suffer. */
export const commonSabotages = [
  // Spans.
  'drop-spans',
  'double-spans',
  'no-error-status',
  'sample-some',
  'small-span-queue',
  'clock-skew',
  // Log lines.
  'logs-off',
  'drop-logs',
  'drop-level',
  'double-logs',
  'delay-logs',
  'logs-without-trace',
  'wrong-trace-id',
  // Metrics.
  'skip-counter',
  'double-counter',
  'first-increment-lost',
  'lost-at-shutdown',
  'histogram-in-ms',
  'missing-bucket',
  'bad-exemplar',
  'no-metrics',
] as const
/** Those that only a service answering requests over HTTP can suffer. */
export const httpSabotages = [
  ...commonSabotages,
  'drop-child-span',
  'attribute-missing',
  'two-roots',
  'restart-context',
  'raw-route',
  'label-missing',
  'status-wrong',
] as const
/** Those of one service each. */
const particularSabotages = ['drop-context', 'drop-queue-context', 'secret-in-log'] as const

/** All that can be leased; each service grants those that mean something in it. */
export const faultNames = [...disturbances, ...httpSabotages, ...particularSabotages] as const
export type FaultName = (typeof faultNames)[number]

/** Faults that are nothing without `ms`. */
const needMs: readonly FaultName[] = ['latency', 'delay-logs', 'clock-skew']

/** The longest time a lease may last, in ms. */
const longestLease = 600_000

/** The levels of log lines. */
export const levels = ['debug', 'info', 'warn', 'error'] as const

/** What is asked for at the fault port. */
export const leaseRequest = z
  .strictObject({
    fault: z.enum(faultNames),
    ratio: z.number().gt(0).max(1).default(1),
    /** A duration in ms; only the skew of a clock may be negative. */
    ms: z.number().int().min(-60_000).max(60_000).default(0),
    /** The level whose lines `drop-level` drops. */
    level: z.enum(levels).default('error'),
    ttlMs: z.number().int().positive().max(longestLease),
  })
  .refine(({ fault, ms }) => ms !== 0 || !needMs.includes(fault), { path: ['ms'], error: 'is needed by this fault' })
  .refine(({ fault, ms }) => ms >= 0 || fault === 'clock-skew', { path: ['ms'], error: 'must not be negative' })
export type LeaseRequest = z.infer<typeof leaseRequest>

/** A fault that is switched on; `expiresAt` is in ms of the monotonic clock. */
export interface Lease extends LeaseRequest {
  readonly id: string
  readonly expiresAt: number
}

// The golden ratio's multiples are spread evenly, also along every k-th request: a journey of five steps with an error
// ratio of 0.2 is not hit at the same step each time, and the share is exact without a random number.
const golden = 0.618_033_988_749_894_9

/** The faults switched on in this process. A lease ends by itself, so that a killed muster leaves nothing broken. */
export class Faults {
  readonly supported: readonly FaultName[]
  readonly #leases = new Map<string, Lease>()
  readonly #now: () => number
  readonly #turns = new Map<FaultName, number>()
  #number = 0

  /**
   * @param supported the faults that mean something in this service; others are refused, since a sabotage that
   * silently does nothing would prove nothing
   * @param now monotonic clock in ms
   */
  constructor(supported: readonly FaultName[], now: () => number = () => performance.now()) {
    this.supported = supported
    this.#now = now
  }

  /** Switches a fault on for `ttlMs`. A later lease of the same fault wins while it lasts. */
  grant(request: LeaseRequest): Lease {
    const lease = { ...request, id: `lease-${++this.#number}`, expiresAt: this.#now() + request.ttlMs }
    this.#leases.set(lease.id, lease)
    this.#turns.set(request.fault, 0)
    return lease
  }

  /** Ends a lease; false if there is none of this id any more. */
  lift(id: string): boolean {
    this.#prune()
    return this.#leases.delete(id)
  }

  /** The leases that are running. */
  active(): readonly Lease[] {
    this.#prune()
    return [...this.#leases.values()]
  }

  /** The running lease of a fault, the latest if there are several. */
  get(fault: FaultName): Lease | undefined {
    if (this.#leases.size === 0) return undefined
    return this.active().findLast((lease) => lease.fault === fault)
  }

  /** No lease was left behind: the honest code need not ask any further. */
  get none(): boolean {
    return this.#leases.size === 0
  }

  isOn(fault: FaultName): boolean {
    return this.get(fault) !== undefined
  }

  /** Whether this event is among the lease's `ratio` of all events; evenly spread, without chance. */
  strikes(fault: FaultName): boolean {
    const lease = this.get(fault)
    if (lease === undefined) return false
    return (this.#turn(fault) * golden) % 1 < lease.ratio
  }

  /** Whether this event is the round(1 / ratio)-th since the last one, or since the lease began. */
  strikesEveryNth(fault: FaultName): boolean {
    const lease = this.get(fault)
    if (lease === undefined) return false
    return this.#turn(fault) % Math.max(1, Math.round(1 / lease.ratio)) === 0
  }

  #turn(fault: FaultName): number {
    const turn = (this.#turns.get(fault) ?? 0) + 1
    this.#turns.set(fault, turn)
    return turn
  }

  #prune(): void {
    const now = this.#now()
    for (const [id, lease] of this.#leases) if (lease.expiresAt <= now) this.#leases.delete(id)
  }
}
