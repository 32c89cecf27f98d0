import { Evaluator } from './evaluator/evaluator.ts'
import { constantOf, walk } from './expression.ts'
import type { Model, Quantity } from './model.ts'
import { type Levels, play } from './play.ts'
import type { RuleInContext } from './reading.ts'

/** Levels at which a rule is silent, and at which its expression is true. */
export interface Levelled {
  readonly healthy: Levels
  readonly bad: Levels
  /** The share of the way from healthy to bad at which it becomes true; absent if there is no such point (`== 0`). */
  readonly crossing?: number
}

export interface Sought {
  readonly found?: Levelled
  /** Healthy alone, if nothing makes it true. */
  readonly healthy?: Levels
  /** True if every combination of the candidates was tried. */
  readonly exhausted: boolean
  readonly tried: number
  /** True if it is true although every telling quantity says that nothing is wrong, at any amount of traffic. */
  readonly trueWhenUsual: boolean
}

const mostTrials = 3000
const bisections = 40
/** Of the way to bad, where the first step of it is bad already. */
const smallest = 0.001

/**
 * Looks for levels of a model's quantities that keep an alert's expression false, and true, in a steady state.
 * @throws Unsupported, EvaluationError
 */
export function seek(context: RuleInContext, model: Model, stepMs: number): Sought {
  const steps = Math.ceil(context.windowMs / stepMs) + 3
  const candidates = model.quantities.map((quantity) => candidatesFor(quantity, context))
  let tried = 0
  const usual = model.quantities.map((one): number | undefined => one.usual)
  const trueWhenUsual = model.quantities.some(({ telling }) => telling) && atAnyTraffic()
  const healthy = state(usual).holds ? (silent(true) ?? silent(false)) : usual
  const all = candidates.reduce((product, { length }) => product * length, 1)
  if (!healthy) {
    const bad = state(usual).holds ? usual : undefined
    return {
      exhausted: tried >= all,
      tried,
      trueWhenUsual,
      ...(bad ? { found: { healthy: bad.map(() => undefined), bad } } : {}),
    }
  }
  const bad = variations(healthy, (levels) => state(levels).holds)
  if (!bad) return { healthy, exhausted: all <= mostTrials, tried, trueWhenUsual }
  const crossing = cross(healthy, bad)
  return {
    found: { healthy, bad, ...(crossing === undefined ? {} : { crossing }) },
    exhausted: true,
    tried,
    trueWhenUsual,
  }

  function state(levels: Levels): { holds: boolean; compared: boolean } {
    tried++
    const evaluator = new Evaluator({
      series: play([{ series: model.series, levels: [levels] }], [{ steps }], stepMs).filter(({ values }) =>
        values.some((v) => v !== undefined),
      ),
      stepMs,
      recordings: context.parsed,
    })
    const holds = evaluator.vector(context.expr, steps * stepMs).length > 0
    return { holds, compared: evaluator.compared }
  }

  function silent(compared: boolean): Levels | undefined {
    return variations(usual, (levels) => {
      const found = state(levels)
      return !found.holds && (found.compared || !compared)
    })
  }

  function atAnyTraffic(): boolean {
    // Only where names say of every metric what is wrong with it: else the levels are guesses.
    const told = new Set(model.quantities.flatMap(({ metric, telling }) => (telling ? [metric] : [])))
    if (model.quantities.some(({ kind, metric, telling }) => !told.has(metric) || (kind !== 'counter' && !telling)))
      return false
    return [0.01, 1, 100, 10_000].every(
      (factor) =>
        state(model.quantities.map(({ kind, usual: level }) => (kind === 'counter' ? level * factor : level))).holds,
    )
  }

  /** The first change of one quantity, then of two, and so on, that fulfils a condition. */
  function variations(from: Levels, fulfils: (levels: Levels) => boolean): Levels | undefined {
    const began = tried
    for (let size = 1; size <= from.length; size++) {
      for (const places of combinations(from.length, size)) {
        for (const levels of assignments(from, places)) {
          if (tried - began > mostTrials) return undefined
          if (fulfils(levels)) return levels
        }
      }
    }
    return undefined
  }

  function* assignments(from: Levels, places: readonly number[]): Generator<Levels> {
    const [place, ...rest] = places
    if (place === undefined) {
      yield from
      return
    }
    for (const level of candidates[place] ?? []) {
      if (level === from[place]) continue
      yield* assignments(
        from.map((one, index) => (index === place ? level : one)),
        rest,
      )
    }
  }

  function cross(from: Levels, to: Levels): number | undefined {
    if (from.some((level, index) => (level === undefined) !== (to[index] === undefined))) return undefined
    let [low, high] = [0, 1]
    for (let round = 0; round < bisections; round++) {
      const middle = (low + high) / 2
      if (state(between(from, to, middle)).holds) high = middle
      else low = middle
    }
    // True at once (`> 0`): a thousandth of the way shows it, and there is nothing below.
    if (high < 1e-6) return state(between(from, to, smallest)).holds ? smallest : undefined
    const above = state(between(from, to, high * 1.02)).holds
    return above && !state(between(from, to, high * 0.98)).holds ? high : undefined
  }
}

/** Levels on the way from healthy to bad: 0 is healthy, 1 is bad. */
export function between(healthy: Levels, bad: Levels, share: number): Levels {
  return healthy.map((from, index) => {
    const to = bad[index]
    return from === undefined || to === undefined ? to : Number((from + (to - from) * share).toPrecision(8))
  })
}

function* combinations(of: number, size: number, from = 0): Generator<number[]> {
  if (size === 0) {
    yield []
    return
  }
  for (let first = from; first <= of - size; first++) {
    for (const rest of combinations(of, size - 1, first + 1)) yield [first, ...rest]
  }
}

/** Levels worth trying: round ones, and those around the constants of the expression. */
function candidatesFor({ kind, telling, usual }: Quantity, { expr, parsed }: RuleInContext): (number | undefined)[] {
  const parts = [expr, ...parsed.map((one) => one.expr)].flatMap((one) => [...walk(one)])
  const constants = parts.flatMap((part) => {
    const value = part.kind === 'number' || part.kind === 'binary' ? constantOf(part) : undefined
    return value !== undefined && Number.isFinite(value) && value !== 0 ? [value] : []
  })
  const ranges = parts.flatMap((part) => (part.kind === 'selector' && part.rangeMs ? [part.rangeMs / 1000] : []))
  const around = constants.flatMap((value) => [value * 2, value / 2])
  const levels =
    kind === 'slope'
      ? [0, -1, 1, -100, 100, ...around]
      : kind === 'counter'
        ? [
            telling ? 10 : 0,
            0,
            10,
            1000,
            ...around,
            ...constants.flatMap((value) => ranges.map((range) => (2 * value) / range)),
          ].filter((level) => level >= 0)
        : telling
          ? [0, 1]
          : [0, 1, ...constants, ...around, usual, 10_000, 1e9, ...constants.map((value) => -2 * value), -1e9]
  return [...new Set(levels.map((level) => Number(level.toPrecision(6)))), undefined]
}
