import { crowdsOf } from './crowd.ts'
import { labelKey } from './evaluator/series.ts'
import { bystandersOf, type Model, type ModelSeries } from './model.ts'
import type { Actor, Levels, Phase } from './play.ts'
import type { RuleInContext } from './reading.ts'
import { type Incident, type Pace, scene } from './scene.ts'

/** What a recording rule is put through: every input has its own level, and each changes once. */
export function recordIncidents(context: RuleInContext, model: Model, pace: Pace): Incident[] {
  const base: Levels = model.quantities.map(({ kind }, index) =>
    kind === 'slope' ? 0 : (primes[index % primes.length] ?? 1),
  )
  const changes = model.quantities.map((_, place) =>
    base.map((level, index) => (index === place ? (level ?? 0) * 3 + 1 : level)),
  )
  return incidents(context, model, pace, base, [...changes, base])
}

/** What a rule is put through of which nothing but its series is known. */
export function unknownIncidents(context: RuleInContext, model: Model, pace: Pace): Incident[] {
  const usual: Levels = model.quantities.map((one) => one.usual)
  const all = (level: number): Levels => model.quantities.map(({ kind }) => (kind === 'slope' ? 0 : level))
  return incidents(context, model, pace, usual, [all(0), all(1), all(1_000_000), usual])
}

const primes = [11, 7, 5, 3, 13, 17, 2, 19, 23, 29, 31, 37]

function incidents(
  context: RuleInContext,
  model: Model,
  { stepMs, window, hold, keep }: Pace,
  base: Levels,
  course: readonly Levels[],
): Incident[] {
  const gone: Levels = base.map(() => undefined)
  const warm: Phase = { steps: window + 1 }
  const long: Phase = { steps: window + hold + 2 }
  const all = (levels: readonly Levels[], as?: Actor['as']): Actor => ({
    series: model.series,
    levels,
    ...(as ? { as } : {}),
  })
  const alone = (name: string, phases: readonly Phase[], levels: readonly Levels[]) =>
    scene(name, [all(levels)], phases, stepMs)
  const others = new Map<string, ModelSeries>()
  for (const one of bystandersOf(model, context).flat()) others.set(labelKey(one.labels), one)
  const { apart, merged } = crowdsOf(context, model, base, { stepMs, steps: window + 1 })
  const [changed = base] = course
  return [
    alone('healthy', [long], [base]),
    alone(
      'each input changes',
      [warm, ...course.map(() => ({ steps: Math.ceil(window / 3) + hold + 2 }))],
      [base, ...course],
    ),
    alone('no data', [{ steps: hold + 3 }], [gone]),
    alone('counter reset', [warm, { ...long, resets: true }], [base, base]),
    alone('target gone', [warm, { steps: window + keep + 2 }], [base, gone]),
    ...[apart, merged].flatMap((crowd, index) =>
      crowd
        ? scene(
            index === 0 ? 'one of many' : 'one of many, merged',
            crowd.members.map((as, member) => all([base, member === 0 ? changed : base], as)),
            [warm, long],
            stepMs,
          )
        : [],
    ),
    ...(others.size > 0
      ? [
          scene(
            'others change',
            [all([base, base]), { series: [...others.values()], levels: [base, changed] }],
            [warm, long],
            stepMs,
          ),
        ]
      : []),
  ]
}
