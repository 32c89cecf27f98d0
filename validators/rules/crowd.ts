import { Evaluator, type World } from './evaluator/evaluator.ts'
import { EvaluationError, Unsupported } from './evaluator/operators.ts'
import { selects } from './evaluator/selects.ts'
import type { Labels } from './evaluator/series.ts'
import type { Model } from './model.ts'
import { type Actor, type Levels, play } from './play.ts'
import type { RuleInContext } from './reading.ts'

/** Label sets under which the same series exist several times. */
export interface Crowd {
  readonly members: readonly Labels[]
}

/** How many of the same there are in a crowd: enough that one is the minority. */
const size = 3

/**
 * Labels by which several of the same series give several results (`apart`), and labels by which they are merged into one
 * (`merged`); each absent if there is none.
 */
export function crowdsOf(
  context: RuleInContext,
  model: Model,
  levels: Levels,
  at: { readonly stepMs: number; readonly steps: number },
): { apart?: Crowd; merged?: Crowd } {
  const crowds: { apart?: Crowd; merged?: Crowd } = {}
  for (const [name, value] of Object.entries(model.common)) {
    const members = Array.from(
      { length: size },
      (_, index): Labels => ({ [name]: index === 0 ? value : `${value}${index + 1}` }),
    )
    if (!model.series.every(({ labels }) => members.every((as) => sameSelection(labels, as, context)))) continue
    const actors = members.map((as): Actor => ({ series: model.series, as, levels: [levels] }))
    const count = resultsOf(context, actors, at)
    if (count === size) crowds.apart ??= { members }
    else if (count === 1) crowds.merged ??= { members }
  }
  return crowds
}

/** How many results an expression has once the actors' first levels have lasted; 0 if it cannot be evaluated. */
export function resultsOf(
  { expr, parsed }: RuleInContext,
  actors: readonly Actor[],
  { stepMs, steps }: { readonly stepMs: number; readonly steps: number },
): number {
  const world: World = { series: play(actors, [{ steps }], stepMs), stepMs, recordings: parsed }
  try {
    return new Evaluator(world).vector(expr, steps * stepMs).length
  } catch (error) {
    if (error instanceof Unsupported || error instanceof EvaluationError) return 0
    throw error
  }
}

function sameSelection(labels: Labels, as: Labels, { leaves }: RuleInContext): boolean {
  const renamed = { ...labels, ...as }
  return leaves.every((leaf) => selects(leaf, labels) === selects(leaf, renamed))
}
