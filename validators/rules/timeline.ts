import { Evaluator, type World } from './evaluator/evaluator.ts'
import { labelKey, withoutName } from './evaluator/series.ts'
import type { RuleInContext } from './reading.ts'

/** One alert's states, or one recorded series' values, by step: `p` pending, `f` firing; absent where there is none. */
export type Track = ReadonlyMap<number, string>

/** What a rule makes of an incident: tracks by label set, as sorted texts. */
export type Timeline = ReadonlyMap<string, Track>

/** What follows from the expression, step by step. */
export interface Prediction {
  readonly timeline: Timeline
  /** True: some comparison is decided by rounding, so that no prediction can be exact. */
  readonly tie: boolean
}

/**
 * Evaluates the rule at each step and moves its alerts through pending and firing as Prometheus does (rules/alerting.go).
 * Alerts are told apart by the labels of the expression, without those that the rule adds.
 * @throws Unsupported, EvaluationError
 */
export function predict(
  { rule, expr, parsed }: RuleInContext,
  world: Omit<World, 'recordings'>,
  steps: number,
): Prediction {
  const evaluator = new Evaluator({ ...world, recordings: parsed })
  const active = new Map<string, { since: number; firing: boolean; lostAt?: number }>()
  const timeline = new Map<string, Map<number, string>>()
  const { stepMs } = world
  for (let step = 0; step < steps; step++) {
    const at = step * stepMs
    const samples = evaluator.vector(expr, at)
    const present = new Set<string>()
    for (const { labels, value } of samples) {
      const key = labelKey(withoutName(labels))
      present.add(key)
      if (rule.kind === 'record') mark(key, step, String(value))
      else if (!active.has(key)) active.set(key, { since: at, firing: false })
    }
    for (const [key, alert] of active) {
      if (present.has(key)) {
        delete alert.lostAt
        if (at - alert.since >= rule.forMs) alert.firing = true
      } else {
        alert.lostAt ??= at
        if (!alert.firing || at - alert.lostAt >= rule.keepFiringForMs) {
          active.delete(key)
          continue
        }
      }
      mark(key, step, alert.firing ? 'f' : 'p')
    }
  }
  return { timeline, tie: evaluator.tie }

  function mark(key: string, step: number, state: string): void {
    // The first step can't be seen in promtool's dump.
    if (step === 0) return
    const track = timeline.get(key) ?? new Map<number, string>()
    track.set(step, state)
    timeline.set(key, track)
  }
}

/** True if any alert fires. */
export function fires(timeline: Timeline): boolean {
  return [...timeline.values()].some((track) => [...track.values()].includes('f'))
}

/** One text for what can be compared: the tracks, sorted, without the names that tell them apart if `labelled` is false. */
export function fingerprint(timeline: Timeline, labelled: boolean): string {
  return [...timeline]
    .map(
      ([key, track]) =>
        `${labelled ? key : ''}${[...track].map(([step, state]) => `${step}${shortened(state)}`).join()}`,
    )
    .sort()
    .join('\n')
}

/** Rounding in the last digits is no difference. */
function shortened(state: string): string {
  const value = Number(state)
  return Number.isNaN(value) ? state : value.toPrecision(9)
}
