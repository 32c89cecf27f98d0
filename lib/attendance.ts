import type { Band, Ledger } from './ledger.ts'
import type { Roll } from './roll.ts'

/** How many ids are named where some are missing, doubled or foreign. */
const named = 10

/** Whether a request must, may, or must not be seen. */
export type Demand = 'must' | 'may' | 'never'

/** How often each request was seen in one signal of one service. */
export class Attendance {
  readonly #roll: Roll
  /** By place, saturating. */
  readonly counts: Uint8Array
  #foreign = 0
  readonly #foreignIds: string[] = []

  constructor(roll: Roll) {
    this.#roll = roll
    this.counts = new Uint8Array(roll.size)
  }

  /** Notes one sighting of an id. @returns its place, -1 if no such request was sent */
  mark(id: string): number {
    const place = this.#roll.place(id)
    if (place >= 0) this.counts[place] = Math.min(255, (this.counts[place] ?? 0) + 1)
    // Other scenarios of the run may end when this one begins; what they sent is theirs to judge.
    else if (!this.#roll.isElsewhere(id)) {
      this.#foreign += 1
      if (this.#foreignIds.length < named) this.#foreignIds.push(id)
    }
    return place
  }

  /** Forgets all, for another look. */
  clear(): void {
    this.counts.fill(0)
    this.#foreign = 0
    this.#foreignIds.length = 0
  }

  /**
   * Holds what was seen against what must have been seen of this service.
   * @param demand what is asked of a request; else all that were surely sent must be seen
   */
  tally(ledger: Ledger, service: string, demand?: (place: number) => Demand): Tally {
    const roll = this.#roll
    const excuses = excusesOf(ledger, service)
    const sent: [number, number] = [0, 0]
    const missing = new Ids(roll)
    const doubled = new Ids(roll)
    const uncalled = new Ids(roll)
    let [present, excused] = [0, 0]
    for (const [place, step] of roll.places()) {
      const count = this.counts[place] ?? 0
      const own = demand?.(place) ?? (roll.must(place) ? 'must' : 'may')
      if (!step.declared.services.includes(service) || own === 'never') {
        if (count > 0) uncalled.add(place)
        continue
      }
      const must = own === 'must'
      sent[1] += 1
      if (must) sent[0] += 1
      if (count > 0) present += 1
      if (count > 1) doubled.add(place)
      if (count > 0 || !must) continue
      const excuse = excuses.get(step) ?? 0
      if (excuse > 0) {
        excuses.set(step, excuse - 1)
        excused += 1
      } else missing.add(place)
    }
    sent[0] -= excused
    return {
      sent,
      present,
      missing: missing.count,
      missingIds: missing.ids,
      doubled: doubled.count,
      doubledIds: doubled.ids,
      foreign: this.#foreign,
      foreignIds: [...this.#foreignIds],
      uncalled: uncalled.count,
      uncalledIds: uncalled.ids,
    }
  }
}

/** The roll call of one signal of one service; of ids the first few are named. */
export interface Tally {
  /** At least, at most: equal unless requests were cut off or never answered. */
  readonly sent: Band
  /** Distinct requests that were seen. */
  readonly present: number
  readonly missing: number
  readonly missingIds: readonly string[]
  /** Seen more than once. */
  readonly doubled: number
  readonly doubledIds: readonly string[]
  /** Sightings of ids that were never sent. */
  readonly foreign: number
  readonly foreignIds: readonly string[]
  /** Seen, though their step does not name the service, or though they were not wanted. */
  readonly uncalled: number
  readonly uncalledIds: readonly string[]
}

class Ids {
  readonly #roll: Roll
  readonly ids: string[] = []
  count = 0

  constructor(roll: Roll) {
    this.#roll = roll
  }

  add(place: number): void {
    this.count += 1
    if (this.ids.length < named) this.ids.push(this.#roll.id(place))
  }
}

/**
 * By step, how many requests may be missing: whose answer never came may not have been received, and what ended before its
 * declared status may not have reached the services behind the first. Which of them they were is not known.
 */
function excusesOf(ledger: Ledger, service: string) {
  return new Map(
    ledger.steps.map((step) => {
      const first = step.declared.services[0] === service
      const unsure = step.unexpected.filter(({ status }) => status === 0 || !first)
      return [step, unsure.reduce((sum, { count }) => sum + count, 0)]
    }),
  )
}
