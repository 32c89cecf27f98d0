/**
 * The value below which the given part (0 to 1) of the values lies, linearly interpolated between neighbours as k6 does.
 * Undefined without values.
 */
export function quantile(values: Iterable<number>, part: number): number | undefined {
  const sorted = [...values].sort((a, b) => a - b)
  const place = Math.min(1, Math.max(0, part)) * (sorted.length - 1)
  const below = sorted[Math.floor(place)]
  const above = sorted[Math.ceil(place)]
  if (below === undefined || above === undefined) return undefined
  return below + (above - below) * (place - Math.floor(place))
}

/** Undefined without values. */
export function median(values: Iterable<number>): number | undefined {
  return quantile(values, 0.5)
}

/** Undefined without values. */
export function mean(values: Iterable<number>): number | undefined {
  let [count, sum] = [0, 0]
  for (const value of values) {
    count++
    sum += value
  }
  return count === 0 ? undefined : sum / count
}
