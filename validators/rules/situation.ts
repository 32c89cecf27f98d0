import { MatcherSyntaxError } from '../../lib/matcher.ts'
import { Evaluator } from './evaluator/evaluator.ts'
import { EvaluationError, Unsupported } from './evaluator/operators.ts'
import { recordIncidents, unknownIncidents } from './general-incidents.ts'
import { alertIncidents } from './incidents.ts'
import { type Model, modelOf } from './model.ts'
import type { RuleInContext } from './reading.ts'
import { type Incident, type Pace, paceOf } from './scene.ts'
import { type Sought, seek } from './search.ts'
import { type Prediction, predict } from './timeline.ts'

/** A rule with the incidents it is put through and what should come of them. */
export interface Situation {
  readonly context: RuleInContext
  readonly pace: Pace
  readonly incidents: readonly Incident[]
  /** One for each incident; undefined where nothing exact can be said. */
  readonly predictions: readonly (Prediction | undefined)[]
  /** True if incidents must not share a storage. */
  readonly apart: boolean
  /** Why nothing was derived. */
  readonly underivable?: string
  /** What the expression itself shows to be wrong. */
  readonly sought?: Sought
  /** True for an expression that reads no series, such as a dead man's switch. */
  readonly always?: boolean
}

/** Finds a rule's incidents and what follows from its expression. */
export function situationOf(context: RuleInContext): Situation {
  const pace = paceOf(context)
  const { rule } = context
  const model = guarded(() => modelOf(context))
  if (model instanceof Unsupported || typeof model === 'string') {
    const reason = typeof model === 'string' ? model : model.message
    return without(context, pace, reason)
  }
  const attempt = guarded(() =>
    rule.kind === 'record' ? recorded(context, model, pace) : alerting(context, model, pace),
  )
  if (!(attempt instanceof Unsupported)) return attempt
  return {
    context,
    pace,
    incidents: unknownIncidents(context, model, pace),
    predictions: [],
    apart: true,
    underivable: attempt.message,
  }
}

function alerting(context: RuleInContext, model: Model, pace: Pace): Situation {
  const sought = seek(context, model, pace.stepMs)
  const incidents = sought.found
    ? alertIncidents(context, model, sought.found, pace)
    : unknownIncidents(context, model, pace)
  return derived(context, pace, incidents, sought)
}

function recorded(context: RuleInContext, model: Model, pace: Pace): Situation {
  return derived(context, pace, recordIncidents(context, model, pace))
}

function derived(context: RuleInContext, pace: Pace, incidents: readonly Incident[], sought?: Sought): Situation {
  const predictions = incidents.map(({ series, steps }) => {
    const prediction = predict(context, { series, stepMs: pace.stepMs }, steps)
    return prediction.tie ? undefined : prediction
  })
  return {
    context,
    pace,
    incidents,
    predictions,
    apart: context.clocked || saysSomethingOfNothing(context, pace),
    ...(sought ? { sought } : {}),
  }
}

/** A rule without series: there is only one thing that can happen to it. */
function without(context: RuleInContext, pace: Pace, reason: string): Situation {
  const incidents: Incident[] = [{ name: 'no data', series: [], steps: pace.hold + 4, onset: 1 }]
  const base = { context, pace, incidents, apart: true, always: context.leaves.length === 0 }
  const predicted = guarded(() => derived(context, pace, incidents))
  return predicted instanceof Unsupported || !base.always
    ? { ...base, predictions: [], underivable: reason }
    : { ...predicted, ...base }
}

function saysSomethingOfNothing(context: RuleInContext, pace: Pace): boolean {
  const world = { series: [], stepMs: pace.stepMs, recordings: context.parsed }
  return new Evaluator(world).vector(context.expr, pace.stepMs * (pace.window + 1)).length > 0
}

/** What the evaluator or the search for labels can't do is no error of the rule's. */
function guarded<Result>(attempt: () => Result): Result | Unsupported {
  try {
    return attempt()
  } catch (error) {
    if (error instanceof Unsupported) return error
    if (error instanceof EvaluationError)
      return new Unsupported(`on muster's series it can't be evaluated: ${error.message}`)
    if (error instanceof MatcherSyntaxError) return new Unsupported(`a pattern is ${error.message}`)
    throw error
  }
}
