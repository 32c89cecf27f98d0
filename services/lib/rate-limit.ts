/** Counts requests per user in windows of one second. */
export class RateLimit {
  readonly #perSecond: number
  readonly #now: () => number
  readonly #counts = new Map<string, number>()
  #second = 0

  /** @param now milliseconds of any clock */
  constructor(perSecond: number, now: () => number = Date.now) {
    this.#perSecond = perSecond
    this.#now = now
  }

  /** Whether one more request of this user is within the limit; it is counted. */
  allows(user: string): boolean {
    const second = Math.floor(this.#now() / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#counts.clear()
    }
    const count = (this.#counts.get(user) ?? 0) + 1
    this.#counts.set(user, count)
    return count <= this.#perSecond
  }
}
