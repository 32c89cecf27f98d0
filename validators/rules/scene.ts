import type { Series } from './evaluator/series.ts'
import { type Actor, type Phase, play } from './play.ts'
import type { RuleInContext } from './reading.ts'

/** One thing that happens, as series; step 0 is empty. */
export interface Incident {
  readonly name: string
  readonly series: readonly Series[]
  /** How many evaluations; the first at 0. */
  readonly steps: number
  /** The step at which what is named begins. */
  readonly onset: number
}

/** How finely a rule is simulated, and how many steps its window, `for` and keep_firing_for take. */
export interface Pace {
  readonly stepMs: number
  readonly window: number
  readonly hold: number
  readonly keep: number
}

const niceSteps = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400].map(
  (s) => s * 1000,
)
/** Longer windows are simulated with coarser steps. */
const mostSteps = 24
/** Samples in the shortest range: a rate needs two, and a coarser grid than this would hide what a short window is for. */
const fewestSamples = 2.5

/** As far apart as the group's evaluations, closer if its shortest range needs it, farther for windows of hours and days. */
export function paceOf(context: RuleInContext): Pace {
  const { rule, intervalMs, windowMs, shortestRangeMs } = context
  const whole = 2 * windowMs + rule.forMs + rule.keepFiringForMs
  const longest = Math.min(shortestRangeMs / fewestSamples, rule.forMs || Number.POSITIVE_INFINITY)
  const wanted = Math.max(Math.min(intervalMs, shortestRangeMs / 4), Math.min(whole / mostSteps, longest))
  return pacedBy(context, niceSteps.findLast((step) => step <= wanted) ?? Math.max(1, Math.floor(wanted)))
}

/** The pace of a rule at a given distance of evaluations, in milliseconds. */
export function pacedBy({ rule, windowMs }: RuleInContext, stepMs: number): Pace {
  return {
    stepMs,
    window: Math.ceil(windowMs / stepMs) + 1,
    hold: Math.ceil(rule.forMs / stepMs),
    keep: Math.ceil(rule.keepFiringForMs / stepMs),
  }
}

/** An incident from what its actors do; it begins with the second phase, if there is one. */
export function scene(name: string, actors: readonly Actor[], phases: readonly Phase[], stepMs: number): Incident {
  const [first, ...more] = phases
  return {
    name,
    series: play(actors, phases, stepMs).filter(({ values }) => values.some((value) => value !== undefined)),
    steps: 1 + phases.reduce((sum, { steps }) => sum + steps, 0),
    onset: more.length > 0 ? 1 + (first?.steps ?? 0) : 1,
  }
}
