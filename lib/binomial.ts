/** Beyond it lie 0.1 % of a normal distribution, both sides together. */
const z999 = 3.2905

/**
 * Between how many and how many of `trials` a chance of `share` strikes, but for one case in 1,000: the normal
 * approximation with a correction for whole numbers, both ends included.
 */
export function binomialBand(trials: number, share: number): readonly [number, number] {
  const spread = z999 * Math.sqrt(trials * share * (1 - share)) + (share > 0 && share < 1 ? 1 : 0)
  const mean = trials * share
  return [Math.max(0, Math.floor(mean - spread)), Math.min(trials, Math.ceil(mean + spread))]
}
