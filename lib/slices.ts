/** A stretch of time [from, to), epoch milliseconds. */
export type Slice = readonly [from: number, to: number]

/** Cuts [from, to) at whole milliseconds into about so many slices of equal width. */
export function slicesOf(from: number, to: number, pieces: number): Slice[] {
  const count = Math.max(1, Math.ceil(pieces))
  const width = (to - from) / count
  const edges = Array.from({ length: count }, (_, n) => Math.floor(from + n * width))
  return edges.map((edge, n): Slice => [edge, edges[n + 1] ?? Math.ceil(to)]).filter(([begin, end]) => end > begin)
}

/**
 * Asks for every slice, several at once. An answer that was cut off counts for nothing: its slice is asked for again in
 * halves.
 * @returns the slices of a millisecond whose answers were cut all the same
 */
export async function eachSlice(
  slices: readonly Slice[],
  parallel: number,
  ask: (slice: Slice) => Promise<'whole' | 'cut'>,
): Promise<Slice[]> {
  const open = [...slices].reverse()
  const left: Slice[] = []
  const work = async () => {
    for (let slice = open.pop(); slice !== undefined; slice = open.pop()) {
      if ((await ask(slice)) === 'whole') continue
      const [from, to] = slice
      const middle = Math.floor((from + to) / 2)
      if (middle <= from) left.push(slice)
      else open.push([middle, to], [from, middle])
    }
  }
  await Promise.all(Array.from({ length: parallel }, work))
  return left
}
