/**
 * Multi-window, multi-burn-rate alerts: Google, The Site Reliability Workbook, chapter 5 "Alerting on SLOs", section 6
 * (https://sre.google/workbook/alerting-on-slos/). All durations are milliseconds, all ratios lie in 0 to 1.
 */

/** Wake somebody now, or have somebody look during the day. */
export type Urgency = 'page' | 'ticket'

/** One alert: it fires while the bad ratio over the long and over the short window are both above its threshold. */
export interface BurnWindow {
  readonly urgency: Urgency
  /** The share of the period's error budget that is spent when an even burn fills the long window. */
  readonly budgetShare: number
  readonly longMs: number
  /** Makes the alert end soon after the errors do; a twelfth of the long window as the workbook has it. */
  readonly shortMs: number
}

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

/** The period that the workbook's windows are made for: there the factors are 14.4, 6, 3 and 1. */
export const standardPeriodMs = 30 * day

/** The workbook's table 5-8: 2 % of the budget in 1 h and 5 % in 6 h page, 10 % in 1 d and 10 % in 3 d make tickets. */
export const standardWindows: readonly BurnWindow[] = [
  { urgency: 'page', budgetShare: 0.02, longMs: hour, shortMs: 5 * minute },
  { urgency: 'page', budgetShare: 0.05, longMs: 6 * hour, shortMs: 30 * minute },
  { urgency: 'ticket', budgetShare: 0.1, longMs: day, shortMs: 2 * hour },
  { urgency: 'ticket', budgetShare: 0.1, longMs: 3 * day, shortMs: 6 * hour },
]

/** The standard windows stretched or shrunk with the period, in whole milliseconds; the factors then stay 14.4, 6, 3 and 1. */
export function scaledWindows(periodMs: number): readonly BurnWindow[] {
  const scale = periodMs / standardPeriodMs
  return standardWindows.map(({ longMs, shortMs, ...rest }) => ({
    ...rest,
    longMs: Math.round(longMs * scale),
    shortMs: Math.round(shortMs * scale),
  }))
}

/**
 * How many times faster than evenly over the period the budget is spent when its share is spent in the long window:
 * share * period / window. 14.4 is 2 % of 30 days in 1 hour; over 28 days the same 2 % are 13.44.
 */
export function burnFactor({ budgetShare, longMs }: BurnWindow, periodMs: number): number {
  // Twelve digits: 0.1 * 30 / 3 is to be 1.
  return Number(((budgetShare * periodMs) / longMs).toPrecision(12))
}

/** The share of bad events that the objective leaves: 0.001 of 0.999, without a float's tail. */
export function errorBudget(objective: number): number {
  return Number((1 - objective).toPrecision(12))
}

/** The bad ratio that burns the budget at this factor: factor * (1 - objective), the very float that PromQL makes of it. */
export function burnThreshold(factor: number, objective: number): number {
  return factor * errorBudget(objective)
}

/**
 * From the beginning of an even bad ratio to the alert: the long window holds ratio * t / W of it, which passes the threshold
 * at W * threshold / ratio. Holds after a clean long window, at even traffic; Infinity if the ratio is not above the threshold.
 */
export function detectionMs(longMs: number, threshold: number, ratio: number): number {
  return ratio > threshold ? (longMs * threshold) / ratio : Number.POSITIVE_INFINITY
}

/**
 * From the end of an even bad ratio to the alert's end: the short window still holds ratio * (1 - t / w) of it, which is at
 * the threshold at w * (1 - threshold / ratio). Holds if the errors lasted for the short window at least, and the alert fired.
 */
export function resetMs(shortMs: number, threshold: number, ratio: number): number {
  return shortMs * (1 - threshold / ratio)
}

/**
 * What is wrong with windows for an objective and a period, each a clause that can follow the SLO's name; empty if nothing.
 * @param objective the share of good events that is promised
 */
export function burnProblems(windows: readonly BurnWindow[], objective: number, periodMs: number): string[] {
  return windows.flatMap((window) => {
    const factor = burnFactor(window, periodMs)
    const threshold = burnThreshold(factor, objective)
    const name = `${percent(window.budgetShare)} of the budget in ${inDays(window.longMs)} of ${inDays(periodMs)}`
    if (window.shortMs >= window.longMs) return [`${name}: the short window must be shorter than the long one`]
    if (window.longMs > periodMs) return [`${name}: the long window must not be longer than the period`]
    if (threshold >= 1) {
      return [
        `its burn factor ${round(factor)} (${name}) needs a bad ratio above ${round(threshold)}, which no service can have:` +
          ` raise the objective above ${percent(1 - 1 / factor)}, shorten the period, or widen the window`,
      ]
    }
    if (factor < 1) {
      return [
        `its burn factor ${round(factor)} (${name}) is below 1, at which the budget outlasts the period:` +
          " lengthen the period, shorten the window, or scale the windows with the period (windows: 'scaled')",
      ]
    }
    return []
  })
}

/** A ratio in percent, without a float's tail. */
export function percent(ratio: number): string {
  return `${Number((ratio * 100).toPrecision(6))} %`
}

function round(value: number): number {
  return Number(value.toPrecision(6))
}

function inDays(ms: number): string {
  for (const [unit, size] of [
    ['d', day],
    ['h', hour],
    ['min', minute],
  ] as const) {
    if (ms >= size && ms % size === 0) return `${ms / size} ${unit}`
  }
  return `${ms / 1000} s`
}
