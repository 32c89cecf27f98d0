/** One attempt to get an answer. */
export interface Try {
  /** When its answer came, or did not; epoch milliseconds. */
  readonly at: number
  /** What it said, in words and figures. */
  readonly found: string
}

/** So many are kept of the first attempts, and as many of the last. */
export const keptTries = 5

const longest = 200

/** Notes attempts as they are made; of many only the first and the last are kept, since those between tell little. */
export class Tries {
  readonly #first: Try[] = []
  readonly #last: Try[] = []

  /** @param at epoch milliseconds; now unless told otherwise */
  note(found: string, at = Date.now()): void {
    const one = { at, found: found.length > longest ? `${found.slice(0, longest)}…` : found }
    if (this.#first.length < keptTries) this.#first.push(one)
    else if (this.#last.push(one) > keptTries) this.#last.shift()
  }

  get kept(): readonly Try[] {
    return [...this.#first, ...this.#last]
  }

  /** One attempts' story after the other. */
  static joined(...stories: readonly (readonly Try[])[]): readonly Try[] {
    const tries = new Tries()
    for (const { found, at } of stories.flat()) tries.note(found, at)
    return tries.kept
  }
}

/** What an answer says: a finding says it itself, a number is one, of others only that there was one is told. */
export function wordsOf(answer: unknown): string {
  if (typeof answer === 'number' || typeof answer === 'boolean') return String(answer)
  const says = typeof answer === 'object' && answer !== null && 'actual' in answer ? answer.actual : undefined
  return typeof says === 'string' ? says : 'an answer'
}

/** Why there was no answer. */
export function whyNot(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
