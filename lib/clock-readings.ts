/**
 * Two signals tell of one request by two readings of a clock, a few lines of code apart. Between them a process may be
 * paused, by its memory management or by a busy machine. That hits single requests; a fault hits many.
 */

/** How many of `pairs` readings may lie further apart than tolerated: one in a thousand, and one. */
export function outliersOf(pairs: number): number {
  return 1 + Math.floor(pairs / 1000)
}

/** How far apart two readings of one duration may lie, in milliseconds: 50, or a tenth of it. */
export function toleranceOf(durationMs: number): number {
  return Math.max(50, 0.1 * durationMs)
}

export const toleranceInWords = '50 ms or 10 %'
