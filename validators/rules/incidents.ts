import { crowdsOf, resultsOf } from './crowd.ts'
import { labelKey } from './evaluator/series.ts'
import { bystandersOf, type Model, type ModelSeries } from './model.ts'
import type { Actor, Levels, Phase } from './play.ts'
import type { RuleInContext } from './reading.ts'
import { type Incident, type Pace, scene } from './scene.ts'
import { between, type Levelled } from './search.ts'
import { fires, predict } from './timeline.ts'

/** How far beside the threshold "just" is: far above rounding, and near enough for people. */
const margin = 0.05
const surge = 10

/** What an alert with known levels is put through. */
export function alertIncidents(context: RuleInContext, model: Model, levels: Levelled, pace: Pace): Incident[] {
  const { healthy, bad, crossing } = levels
  const { stepMs, window, hold, keep } = pace
  const above = crossing === undefined ? bad : between(healthy, bad, crossing * (1 + margin))
  const below = crossing === undefined ? healthy : between(healthy, bad, crossing * (1 - margin))
  const gone: Levels = healthy.map(() => undefined)
  const warm: Phase = { steps: window + 1 }
  const long: Phase = { steps: window + hold + 2 }
  const cool: Phase = { steps: window + keep + 2 }
  const counted = model.quantities.some(({ kind }) => kind === 'counter')
  const all = (course: readonly Levels[], as?: Actor['as']): Actor => ({
    series: model.series,
    levels: course,
    ...(as ? { as } : {}),
  })
  const alone = (name: string, phases: readonly Phase[], course: readonly Levels[]) =>
    scene(name, [all(course)], phases, stepMs)
  return [
    alone('healthy', [long], [healthy]),
    ...(crossing === undefined
      ? []
      : [
          alone('just below', [warm, long], [healthy, below]),
          alone('just above', [warm, long], [healthy, above]),
          alone('at the threshold', [warm, { steps: hold + 2 }], [healthy, rounded(between(healthy, bad, crossing))]),
        ]),
    blip(),
    alone('sustained', [warm, long], [healthy, bad]),
    alone('recovery', [warm, long, cool], [healthy, bad, healthy]),
    flapping(),
    alone('no data', [{ steps: hold + 3 }], [gone]),
    ...(counted ? [alone('counter reset', [warm, { ...long, resets: true }], [healthy, healthy])] : []),
    ...(counted ? [alone('surge', [warm, warm, long], [healthy, below, scaled(model, below, surge)])] : []),
    alone('target gone', [warm, long, cool], [healthy, bad, gone]),
    ...ofMany(),
    ...bystanders(),
  ]

  /** The longest that stays shorter than `for`, one step if none does. */
  function blip(): Incident {
    for (let steps = Math.min(hold, 12); steps > 1; steps--) {
      const incident = alone('blip', [warm, { steps }, cool], [healthy, bad, healthy])
      if (!fires(predict(context, { series: incident.series, stepMs }, incident.steps).timeline)) return incident
    }
    return alone('blip', [warm, { steps: 1 }, cool], [healthy, bad, healthy])
  }

  function flapping(): Incident {
    const steps = Math.max(1, Math.floor(hold / 2))
    const times = Array.from({ length: Math.max(4, Math.ceil((hold + 2) / steps)) }, (_, index) => index)
    const course = times.map((index) => (index % 2 === 0 ? bad : healthy))
    return alone('flapping', [warm, ...times.map(() => ({ steps }))], [healthy, ...course])
  }

  function ofMany(): Incident[] {
    const steady = { stepMs, steps: window + 1 }
    const { apart, merged } = crowdsOf(context, model, bad, steady)
    const many = (apart ?? merged)?.members ?? []
    const one = scene(
      'one of many',
      many.map((as, index) => all([healthy, index === 0 ? bad : healthy], as)),
      [warm, long],
      stepMs,
    )
    const mixed = merged?.members ?? []
    const share = scaled(model, above, 1 / mixed.length, true)
    const spread = scene(
      'spread over many',
      mixed.map((as) => all([healthy, share], as)),
      [warm, long],
      stepMs,
    )
    const heavy = counted ? heaviest((factor) => resultsOf(context, crowd(factor), steady) > 0) : undefined
    return [
      ...(many.length > 0 ? [one] : []),
      ...(mixed.length > 0 ? [spread] : []),
      ...(heavy === undefined || mixed.length === 0
        ? []
        : [scene('one large and well', crowd(heavy), [warm, long], stepMs)]),
    ]

    /** The first is so much larger than the others, which are all bad. */
    function crowd(factor: number): Actor[] {
      return mixed.map((as, index) => {
        const large = scaled(model, healthy, factor)
        return all(index === 0 ? [large, large] : [bad, bad], as)
      })
    }
  }

  function bystanders(): Incident[] {
    const others = new Map<string, ModelSeries>()
    for (const one of bystandersOf(model, context).flat()) others.set(labelKey(one.labels), one)
    const series = [...others.values()]
    if (series.length === 0) return []
    return [
      scene('others fail', [all([healthy, healthy]), { series, levels: [healthy, bad] }], [warm, long], stepMs),
      scene('others are well', [all([healthy, above]), { series, levels: [healthy, healthy] }], [warm, long], stepMs),
    ]
  }
}

/** The largest factor that still fulfils a condition, a little less to be clear of it; undefined if 1 doesn't, or all do. */
function heaviest(fulfils: (factor: number) => boolean): number | undefined {
  let [low, high] = [1, 100_000]
  if (!fulfils(low) || fulfils(high)) return undefined
  for (let round = 0; round < 20; round++) {
    const middle = Math.sqrt(low * high)
    if (fulfils(middle)) low = middle
    else high = middle
  }
  return Number((low * (1 - margin)).toPrecision(4))
}

/** All counters (with `gauges` all quantities) times a factor. */
function scaled({ quantities }: Model, levels: Levels, factor: number, gauges = false): Levels {
  return levels.map((level, index) =>
    level === undefined || (quantities[index]?.kind !== 'counter' && !gauges)
      ? level
      : Number((level * factor).toPrecision(12)),
  )
}

function rounded(levels: Levels): Levels {
  return levels.map((level) => (level === undefined ? undefined : Number(level.toPrecision(6))))
}
