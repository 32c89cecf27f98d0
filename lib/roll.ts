import type { Ledger, StepAccount } from './ledger.ts'
import { decodeTraceId, type Origin, setupScenario, traceId } from './trace-id.ts'

/** A run of iterations of one step: their places in the roll follow each other. */
interface Block {
  readonly first: Origin
  readonly base: number
  length: number
  /** Index into `steps`. */
  readonly step: number
}

/** The iteration field is cut so that set-up requests, whose high bits name the journey, are as dense as the others. */
const blockBits = 23

/**
 * Every request that was sent, each with a small number, its place: what is known of a request is then kept in a typed
 * array, a few bytes each, and not in a set of strings.
 */
export class Roll {
  /** Places are 0 to size - 1; some may have no request. */
  readonly size: number
  readonly steps: readonly StepAccount[]
  readonly #run: number
  readonly #groups = new Set<number>()
  readonly #blocks = new Map<number, Block>()
  readonly #ordered: Block[] = []
  /** 0: not sent, 1: may have been, 2: was. */
  readonly #state: Uint8Array

  constructor(ledger: Ledger) {
    const { steps } = ledger
    this.steps = steps
    const numbers = new Map(steps.map((account, index) => [account, index]))
    const extents = new Map<number, { first: Origin; least: number; most: number; step: number }>()
    let run = 0
    for (const { origin, account } of ledger.sent()) {
      run = origin.run
      this.#groups.add(groupOf(origin))
      const key = keyOf(origin)
      const extent = extents.get(key)
      if (extent === undefined) {
        const step = numbers.get(account) ?? 0
        extents.set(key, { first: origin, least: origin.iteration, most: origin.iteration, step })
      } else {
        if (origin.iteration > extent.most) extent.most = origin.iteration
        if (origin.iteration < extent.least) extent.least = origin.iteration
      }
    }
    this.#run = run
    let size = 0
    for (const [key, { first, least, most, step }] of extents) {
      const block = { first: { ...first, iteration: least }, base: size, length: most - least + 1, step }
      this.#blocks.set(key, block)
      this.#ordered.push(block)
      size += block.length
    }
    this.size = size
    this.#state = new Uint8Array(size)
    for (const { origin, must } of ledger.sent()) this.#state[this.#placeOf(origin)] = must ? 2 : 1
  }

  /** The place of a trace id, -1 if no such request was sent. */
  place(id: string): number {
    const origin = decodeTraceId(id)
    if (origin === undefined || origin.run !== this.#run) return -1
    const place = this.#placeOf(origin)
    return place >= 0 && this.#state[place] !== 0 ? place : -1
  }

  /** True for an id of this run that another scenario, or the trial of an alert, must have sent. */
  isElsewhere(id: string): boolean {
    const origin = decodeTraceId(id)
    return origin !== undefined && origin.run === this.#run && !this.#groups.has(groupOf(origin))
  }

  /** True if the request at this place was surely sent. */
  must(place: number): boolean {
    return this.#state[place] === 2
  }

  /** Where the request at this place comes from. */
  origin(place: number): Origin {
    const { first, base } = this.#blockAt(place)
    return { ...first, iteration: first.iteration + place - base }
  }

  id(place: number): string {
    return traceId(this.origin(place))
  }

  step(place: number): StepAccount {
    const account = this.steps[this.#blockAt(place).step]
    if (account === undefined) throw new RangeError(`place ${place} has no step`)
    return account
  }

  /** All places that have a request, in the order of blocks, with its step. */
  *places(): Generator<readonly [place: number, step: StepAccount]> {
    for (const { base, length, step } of this.#ordered) {
      const account = this.steps[step]
      if (account === undefined) continue
      for (let place = base; place < base + length; place++) if (this.#state[place] !== 0) yield [place, account]
    }
  }

  #placeOf(origin: Origin): number {
    const block = this.#blocks.get(keyOf(origin))
    if (block === undefined) return -1
    const offset = origin.iteration - block.first.iteration
    return offset >= 0 && offset < block.length ? block.base + offset : -1
  }

  #blockAt(place: number): Block {
    let [low, high] = [0, this.#ordered.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#ordered[middle]?.base ?? 0) <= place) low = middle
      else high = middle - 1
    }
    const block = this.#ordered[low]
    if (block === undefined) throw new RangeError(`place ${place} is outside the roll`)
    return block
  }
}

/** Requests that only one scenario can have sent: of its journeys, or around one of them. */
function groupOf({ instance, scenario, iteration }: Origin): number {
  return instance * 2 ** 16 + scenario * 2 ** 8 + (scenario === setupScenario ? iteration >>> 24 : 0)
}

/** Below 2^41, so exact as a number. */
function keyOf({ instance, scenario, step, repetition, iteration }: Origin): number {
  const place = instance * 2 ** 24 + scenario * 2 ** 16 + step * 2 ** 8 + repetition
  return place * 2 ** (32 - blockBits) + (iteration >>> blockBits)
}
