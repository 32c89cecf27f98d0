import type { Sample } from '../../lib/counter.ts'

/** The moments at which a course has values: `length` of them, the first at `from`, each `stepMs` after the one before. */
export interface Grid {
  readonly from: number
  readonly to: number
  readonly stepMs: number
  readonly length: number
}

/** The place of a moment on the grid; it may lie outside. */
function placeOn({ from, stepMs }: Grid, at: number): number {
  return Math.round((at - from) / stepMs)
}

/** Samples as values on a grid, null where there is none; of several at one place the largest. */
export function onGrid(grid: Grid, samples: readonly Sample[]): (number | null)[] {
  const values = new Array<number | null>(grid.length).fill(null)
  for (const { at, value } of samples) {
    const place = placeOn(grid, at)
    if (place < 0 || place >= grid.length || !Number.isFinite(value)) continue
    values[place] = Math.max(values[place] ?? Number.NEGATIVE_INFINITY, rounded(value))
  }
  return values
}

/** Events as a rate: how many fell into the stretch before each moment, a second. Null outside of the window. */
export function rateOnGrid(
  grid: Grid,
  counts: Iterable<readonly [at: number, count: number]>,
  window: { readonly from: number; readonly to: number },
): (number | null)[] {
  const sums = new Array<number>(grid.length).fill(0)
  for (const [at, count] of counts) {
    const place = Math.ceil((at - grid.from) / grid.stepMs)
    if (place >= 0 && place < grid.length) sums[place] = (sums[place] ?? 0) + count
  }
  // The stretch in which the window ends counts too.
  const [first, last] = [placeOn(grid, window.from), Math.ceil((window.to - grid.from) / grid.stepMs)]
  return sums.map((sum, place) => (place < first || place > last ? null : rounded((sum * 1000) / grid.stepMs)))
}

/** Of several series the first value at each place. */
export function merged(length: number, all: readonly (readonly (number | null)[])[]): (number | null)[] {
  return Array.from(
    { length },
    (_, place) => all.map((values) => values[place] ?? null).find((one) => one !== null) ?? null,
  )
}

/** Four digits are more than a picture shows. */
export function rounded(value: number): number {
  return Number(value.toPrecision(4))
}
