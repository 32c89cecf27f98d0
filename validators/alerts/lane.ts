import type { AlertLane } from '../../lib/course.ts'
import type { Sources } from './evidence.ts'
import type { TrialPlan } from './plan.ts'
import { stationsOf } from './stations.ts'
import type { Timeline } from './timeline.ts'

/** Each alert's way in a trial, for the eye; the stations are those that are judged. */
export function lanesOf(plan: TrialPlan, timeline: Timeline, sources: Sources): AlertLane[] {
  const { startedAt, endedAt, effect, lifted } = timeline
  return plan.alerts.map((alert) => ({
    alert: alert.name,
    trial: plan.trial.name,
    from: startedAt,
    to: endedAt,
    fault: { from: effect.from, to: lifted.from },
    stations: stationsOf(alert, plan, timeline, sources).map(({ id, entry, at, since, bound }) => ({
      id,
      ...(entry === undefined ? {} : { receiver: entry }),
      at: at ?? null,
      permitted: { from: since.from + bound.earliestMs, to: since.to + bound.latestMs },
    })),
  }))
}
