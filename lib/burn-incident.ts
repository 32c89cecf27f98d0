import type { BurnWindow } from './burn-rate.ts'
import { seeded } from './random.ts'

/** So many scrapes, between which so large a share of the events was bad. */
export interface Stretch {
  readonly steps: number
  readonly badRatio: number
}

/** Stretches one after the other, at even traffic. */
export type Incident = readonly Stretch[]

export function stepsOf(incident: Incident): number {
  return incident.reduce((sum, { steps }) => sum + steps, 0)
}

/**
 * The largest bad ratio that any window of this length sees, exactly: the mean over a sliding window is linear between the
 * moments at which one of its ends passes from one stretch to the next, so its maximum lies at one of those. Before the
 * incident all was good.
 */
export function worstRatio(incident: Incident, windowSteps: number): number {
  const marks = [{ at: 0, bad: 0 }]
  for (const { steps, badRatio } of incident) {
    const { at, bad } = marks.at(-1) ?? { at: 0, bad: 0 }
    marks.push({ at: at + steps, bad: bad + steps * badRatio })
  }
  const end = marks.at(-1)?.at ?? 0
  /** Bad steps until a moment. */
  const until = (moment: number): number => {
    const next = marks.findIndex(({ at }) => at >= moment)
    const [one, other] = [marks[next - 1], marks[next]]
    if (moment <= 0) return 0
    if (!one || !other) return marks.at(-1)?.bad ?? 0
    return one.bad + ((other.bad - one.bad) * (moment - one.at)) / (other.at - one.at)
  }
  const moments = marks.flatMap(({ at }) => [at, at + windowSteps]).filter((at) => at <= end)
  return Math.max(...moments.map((at) => (until(at) - until(at - windowSteps)) / windowSteps))
}

/**
 * Incidents of every kind that services have: outages, bursts, slow burns, flapping, ramps, and such as spend little. Each
 * begins with good traffic for the longest window and ends with good traffic for its sixth.
 * @param stepMs the scrape interval
 */
export function generateIncidents(
  count: number,
  seed: number,
  { windows, thresholds, stepMs }: { windows: readonly BurnWindow[]; thresholds: readonly number[]; stepMs: number },
): Incident[] {
  const random = seeded(seed)
  const between = (low: number, high: number) => low * (high / low) ** random()
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
  const longest = Math.max(...windows.map(({ longMs }) => longMs)) / stepMs
  return Array.from({ length: count }, () => {
    const index = Math.floor(random() * windows.length)
    const long = Math.max(2, (windows[index]?.longMs ?? 0) / stepMs)
    const threshold = thresholds[index] ?? 1
    const ratio = (low: number, high: number) => Math.min(1, threshold * between(low, high))
    const steps = (low: number, high: number) => Math.max(1, Math.round(long * between(low, high)))
    const kinds: readonly (() => Stretch[])[] = [
      // Outage.
      () => [{ steps: steps(0.01, 0.5), badRatio: 1 }],
      // Burst: strong and short.
      () => [{ steps: steps(0.02, 0.3), badRatio: ratio(1.5, 20) }],
      // Slow burn: weak and long, on either side of the threshold.
      () => [{ steps: steps(0.8, 1.3), badRatio: ratio(0.5, 2.5) }],
      // Flapping.
      () => {
        const [on, off, badRatio] = [steps(0.02, 0.2), steps(0.02, 0.2), ratio(0.8, 8)]
        return Array.from({ length: 2 + Math.floor(random() * 6) }, () => [
          { steps: on, badRatio },
          { steps: off, badRatio: 0 },
        ]).flat()
      },
      // A burst with a long tail.
      () => [
        { steps: steps(0.02, 0.2), badRatio: ratio(2, 10) },
        { steps: steps(0.1, 0.8), badRatio: ratio(0.1, 0.9) },
      ],
      // A ramp up.
      () => {
        const top = ratio(0.7, 5)
        const each = steps(0.05, 0.2)
        return [0.2, 0.4, 0.6, 0.8, 1].map((part) => ({ steps: each, badRatio: top * part }))
      },
      // Noise that the budget is made for.
      () => [{ steps: steps(0.5, 1.2), badRatio: ratio(0.05, 0.6) }],
    ]
    return [
      { steps: Math.ceil(longest), badRatio: 0 },
      ...pick(kinds)(),
      { steps: Math.ceil(longest / 6), badRatio: 0 },
    ]
  })
}
