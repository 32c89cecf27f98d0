import { type BurnAlert, BurnEvaluator } from '../../lib/burn-evaluator.ts'
import { generateIncidents, type Incident, worstRatio } from '../../lib/burn-incident.ts'
import type { BurnWindow } from '../../lib/burn-rate.ts'
import type { Firing } from './theory.ts'

/** How often alerts were right: of those that fired, of the incidents that mattered. */
export interface Accuracy {
  readonly incidents: number
  /** Spent enough to matter, and fired. */
  readonly caught: number
  /** Spent enough to matter, and did not fire. */
  readonly missed: number
  /** Fired, and spent too little to matter. */
  readonly false: number
}

/** Undefined if nothing fired. */
export function precision({ caught, false: wrong }: Accuracy): number | undefined {
  return caught + wrong === 0 ? undefined : caught / (caught + wrong)
}

/** Undefined if nothing mattered. */
export function recall({ caught, missed }: Accuracy): number | undefined {
  return caught + missed === 0 ? undefined : caught / (caught + missed)
}

/**
 * When each alert fires in an incident, by our own evaluator.
 * @param startsAt what the counters stand at before, in events between two scrapes
 */
export function evaluate(
  alerts: readonly BurnAlert[],
  incident: Incident,
  stepMs: number,
  startsAt = 0,
): (Firing | undefined)[] {
  const evaluator = new BurnEvaluator(alerts, stepMs, startsAt)
  const firings = new Array<Firing | undefined>(alerts.length)
  let place = 0
  for (const { steps, badRatio } of incident) {
    const arrivals = { good: 1 - badRatio, bad: badRatio }
    for (let n = 0; n < steps; n += 1) {
      evaluator.observe(arrivals).forEach((fires, index) => {
        if (!fires) return
        const own = firings[index]
        firings[index] = { first: own?.first ?? place, last: place, count: (own?.count ?? 0) + 1 }
      })
      place += 1
    }
  }
  return firings
}

/**
 * Precision and recall over generated incidents. An incident matters to an alert if it spends that alert's share of the
 * budget within its long window, which is computed from the incident itself, without scrapes or rules; it matters to all
 * together if it matters to one.
 * @returns for each alert, and for all together
 */
export function accuracyOf(
  alerts: readonly (BurnAlert & BurnWindow)[],
  { count, seed, stepMs }: { readonly count: number; readonly seed: number; readonly stepMs: number },
): { readonly each: readonly Accuracy[]; readonly together: Accuracy } {
  const thresholds = alerts.map(({ threshold }) => threshold)
  const rows = generateIncidents(count, seed, { windows: alerts, thresholds, stepMs }).map((incident) => {
    const firings = evaluate(alerts, incident, stepMs)
    return alerts.map(({ longMs, threshold }, index) => ({
      matters: worstRatio(incident, longMs / stepMs) > threshold,
      fires: firings[index] !== undefined,
    }))
  })
  return {
    each: alerts.map((_, index) => tally(rows.flatMap((row) => row[index] ?? []))),
    together: tally(
      rows.map((row) => ({ matters: row.some(({ matters }) => matters), fires: row.some(({ fires }) => fires) })),
    ),
  }
}

function tally(rows: readonly { readonly matters: boolean; readonly fires: boolean }[]): Accuracy {
  const count = (matters: boolean, fires: boolean) =>
    rows.filter((row) => row.matters === matters && row.fires === fires).length
  return { incidents: rows.length, caught: count(true, true), missed: count(true, false), false: count(false, true) }
}
