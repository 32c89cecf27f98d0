import type { BurnAlert } from '../../lib/burn-evaluator.ts'
import type { Incident } from '../../lib/burn-incident.ts'
import { detectionMs, resetMs } from '../../lib/burn-rate.ts'

/** What an alert must do in an incident, by the formulas of lib/burn-rate.ts. */
export type Prediction =
  | { readonly fires: false }
  | {
      readonly fires: true
      /** From the first bad scrape's predecessor, the last good one, to the first evaluation that fires. */
      readonly detectionMs: number
      /** From the last bad scrape to the first evaluation that does not fire any more. */
      readonly resetMs: number
    }

/** One incident that shows one side of an alert. */
export interface Trial {
  readonly name: string
  /** What it shows, as a sentence about the alert. */
  readonly title: string
  readonly incident: Incident
  /** Place of the last good scrape before the incident, and of its last bad one. */
  readonly lastGood: number
  readonly lastBad: number
  readonly prediction: Prediction
}

/**
 * How far a ratio is from the threshold where it is to be just above or just below it. Like the other factors no simple
 * fraction: else windows would meet thresholds exactly, where a float's tail decides.
 */
const near = 0.047

/**
 * The trials of one alert: each begins with a clean long window, so that the formulas hold, and ends with time to reset.
 * @param stepMs between scrapes, which are evaluations at the same time
 */
export function trialsOf(alert: BurnAlert, stepMs: number): Trial[] {
  const { longMs, shortMs, threshold } = alert
  const steps = (ms: number) => Math.ceil(ms / stepMs)
  const history = steps(longMs)
  const trial = (name: string, title: string, badRatio: number, lasting: number, fires: boolean): Trial => {
    const tail = steps(shortMs) + 3
    return {
      name,
      title,
      // The first scrape is at time 0: it begins the history, and ends no interval of it.
      incident: [
        { steps: history + 1, badRatio: 0 },
        { steps: lasting, badRatio },
        { steps: name === 'recovery' ? history + tail : tail, badRatio: 0 },
      ],
      lastGood: history,
      lastBad: history + lasting,
      prediction: fires
        ? {
            fires,
            detectionMs: detectionMs(longMs, threshold, badRatio),
            resetMs: resetMs(shortMs, threshold, badRatio),
          }
        : { fires: false },
    }
  }
  const above = Math.min(threshold * (1 + near), (threshold + 1) / 2)
  const slow = Math.min(threshold * 1.47, (threshold + 1) / 2)
  const strong = Math.min(1, threshold * 3.7)
  const detected = (ratio: number) => steps(detectionMs(longMs, threshold, ratio)) + steps(shortMs)
  const halfway = Math.floor(detectionMs(longMs, threshold, strong) / 2 / stepMs)
  return [
    trial('outage', 'a total outage fires it in time, and it resets in time', 1, detected(1), true),
    trial('above', 'a bad ratio just above its threshold fires it in time', above, detected(above), true),
    trial(
      'below',
      'a bad ratio just below its threshold never fires it',
      threshold * (1 - near),
      steps(1.2 * longMs),
      false,
    ),
    // Spends half of what would be noticed.
    trial('burst', 'a burst too short to matter never fires it', strong, Math.max(1, halfway), false),
    trial('slow', 'a slow burn fires it in time', slow, detected(slow), true),
    trial('recovery', 'it resets in time after a long incident, and stays silent', strong, steps(longMs), true),
  ]
}

/** Index of the first and of the last evaluation that fired, and how many did. */
export interface Firing {
  readonly first: number
  readonly last: number
  readonly count: number
}

/** What differs from the prediction by more than one evaluation, one sentence each. */
export function compareFiring(trial: Trial, firing: Firing | undefined, stepMs: number): string[] {
  const { prediction, lastGood, lastBad } = trial
  if (!prediction.fires) return firing ? [`it fired for ${inWords(firing.count * stepMs)}, and should never have`] : []
  if (!firing) return [`it never fired, and should have after ${inWords(prediction.detectionMs)}`]
  const detected = (firing.first - lastGood) * stepMs
  const reset = (firing.last + 1 - lastBad) * stepMs
  return [
    ...off('fired', detected, prediction.detectionMs, stepMs),
    ...off('reset', reset, prediction.resetMs, stepMs),
    ...(firing.count === firing.last - firing.first + 1 ? [] : ['it fired, ended and fired again']),
  ]
}

/** What was observed, in words. */
export function observed({ lastGood, lastBad }: Trial, firing: Firing | undefined, stepMs: number): string {
  if (!firing) return 'never fired'
  return `fired after ${inWords((firing.first - lastGood) * stepMs)}, reset after ${inWords((firing.last + 1 - lastBad) * stepMs)}`
}

/** What is predicted, in words. */
export function predicted({ prediction }: Trial, stepMs: number): string {
  if (!prediction.fires) return 'never fires'
  return `fires after ${inWords(prediction.detectionMs)}, resets after ${inWords(prediction.resetMs)}, to within one evaluation (${inWords(stepMs)})`
}

function off(what: string, ms: number, wanted: number, stepMs: number): string[] {
  // A float's tail must not decide.
  if (Math.abs(ms - wanted) <= stepMs * 1.000_001) return []
  const by = ms < wanted ? 'too early' : 'too late'
  return [`it ${what} after ${inWords(ms)}, ${inWords(Math.abs(ms - wanted))} ${by}: theory says ${inWords(wanted)}`]
}

function inWords(ms: number): string {
  const minutes = ms / 60_000
  if (Math.abs(minutes) < 2) return `${Number((ms / 1000).toPrecision(4))} s`
  return minutes < 180 ? `${Number(minutes.toPrecision(4))} min` : `${Number((minutes / 60).toPrecision(4))} h`
}
