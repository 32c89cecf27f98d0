import { keptTries } from '../lib/tries.ts'
import type { Evidence } from '../lib/verdict.ts'

/** Attempts one after the other that found the same. */
export interface Stretch {
  /** When the first of them and the last had its answer; epoch milliseconds. */
  readonly from: number
  readonly to: number
  readonly attempts: number
  readonly found: string
}

/** What was tried when, in stretches that found the same; a number stands for so many attempts that were not kept. */
export function attemptsOf({ attempts, tries = [] }: Pick<Evidence, 'attempts' | 'tries'>): (Stretch | number)[] {
  const unkept = attempts - tries.length
  if (tries.length <= keptTries || unkept <= 0) return stretches(tries)
  return [...stretches(tries.slice(0, keptTries)), unkept, ...stretches(tries.slice(keptTries))]
}

function stretches(tries: NonNullable<Evidence['tries']>): Stretch[] {
  const found: Stretch[] = []
  for (const one of tries) {
    const last = found.at(-1)
    if (last?.found === one.found) found.splice(-1, 1, { ...last, to: one.at, attempts: last.attempts + 1 })
    else found.push({ from: one.at, to: one.at, attempts: 1, found: one.found })
  }
  return found
}

/** The time of day to the millisecond, in UTC: `14:00:05.120`. */
export function timeOfDay(at: number): string {
  const date = new Date(at)
  return Number.isNaN(date.getTime()) ? String(at) : date.toISOString().slice(11, 23)
}

/** A stretch in one line: when, and what was found. */
export function attemptLine(part: Stretch | number): string {
  if (typeof part === 'number') return `… ${part} more between`
  const { from, to, attempts, found } = part
  if (attempts === 1) return `${timeOfDay(from)} ${found}`
  return `${timeOfDay(from)} to ${timeOfDay(to)}, ${attempts} times: ${found}`
}
