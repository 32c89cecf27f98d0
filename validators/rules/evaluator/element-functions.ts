type ElementFunction = (value: number, scalars: readonly number[]) => number

/** Functions of each element of an instant vector, which drop the metric's name. */
export const elementFunctions: Readonly<Record<string, ElementFunction>> = {
  abs: Math.abs,
  ceil: Math.ceil,
  floor: Math.floor,
  sqrt: Math.sqrt,
  exp: Math.exp,
  ln: Math.log,
  log2: Math.log2,
  log10: Math.log10,
  sgn: Math.sign,
  // Prometheus multiplies by the inverse, for the sake of 0.1 and the like.
  round: (value, [nearest = 1]) => Math.floor(value * (1 / nearest) + 0.5) / (1 / nearest),
  clamp_min: (value, [low = Number.NaN]) => Math.max(value, low),
  clamp_max: (value, [high = Number.NaN]) => Math.min(value, high),
  clamp: (value, [low = Number.NaN, high = Number.NaN]) => Math.max(low, Math.min(high, value)),
}
