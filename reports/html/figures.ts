import { formatDuration } from '../../lib/duration.ts'

/** A moment in UTC, to the second: `2026-11-21 14:00:05`. */
export function moment(at: number): string {
  const date = new Date(at)
  return Number.isNaN(date.getTime()) ? String(at) : date.toISOString().slice(0, 19).replace('T', ' ')
}

/** A duration that may not be known. */
export function lasting(ms: number | null): string {
  return ms === null ? '?' : formatDuration(ms)
}

/** A word with its number: `1 check`, `2 checks`. */
export function counted(number: number, word: string): string {
  return `${number.toLocaleString('en-US')} ${word}${number === 1 ? '' : 's'}`
}
