import { type PromtoolOptions, runPromtool } from './promtool.ts'
import type { Timeline } from './timeline.ts'
import { filesOf, observedIn, type Trial } from './trial.ts'

/** What became of one variant of a trial. */
export type VariantAnswer =
  | { readonly kind: 'observed' /** By the incident's place. */; readonly timelines: readonly Timeline[] }
  /** Prometheus evaluates it, and fails. */
  | { readonly kind: 'failed'; readonly why: string }
  /** Prometheus doesn't load it. */
  | { readonly kind: 'refused'; readonly why: string }

interface Open {
  readonly trial: Trial
  /** Which of the original trial's variants these are. */
  readonly places: readonly number[]
  readonly answers: (VariantAnswer | undefined)[]
}

/** Each round takes out what failed; a rule's variants are few, so that this is far more than is ever needed. */
const mostRounds = 30

/**
 * Puts every variant of every trial through its incidents. One that Prometheus refuses would take the others of its file along,
 * so these are asked again without it.
 * @returns by trial, by variant
 */
export async function runTrials(
  trials: readonly Trial[],
  options: Omit<PromtoolOptions, 'dump'>,
): Promise<(readonly VariantAnswer[])[]> {
  const all: Open[] = trials.map((trial) => ({
    trial,
    places: trial.variants.map((_, index) => index),
    answers: trial.variants.map(() => undefined),
  }))
  let open = all
  for (let round = 0; open.length > 0 && round < mostRounds; round++) open = await runRound(open, options)
  return all.map(({ answers }) =>
    answers.map((answer) => answer ?? { kind: 'failed', why: 'promtool did not say what it does' }),
  )
}

/** Runs each once; returns what is left to be asked. */
async function runRound(open: readonly Open[], options: Omit<PromtoolOptions, 'dump'>): Promise<Open[]> {
  const files = open.map(({ trial }, index) => filesOf(`t${index}`, trial))
  const { dumps, complaints } = await runPromtool(
    files.map(({ rules, tests }, index) => ({
      files: { [`t${index}.rules.yml`]: rules, 'test.yml': tests },
      test: 'test.yml',
      cost: costOf(open[index]?.trial),
    })),
    { ...options, dump: true },
  )
  const left: Open[] = []
  for (const [index, one] of open.entries()) {
    const { trial, places, answers } = one
    const stands = files[index]?.places ?? []
    if (stands.every(({ group }) => dumps.has(group))) {
      for (const [variant, place] of places.entries()) {
        const timelines: Timeline[] = trial.incidents.map(() => new Map())
        for (const stand of stands) {
          timelines[stand.incident] = observedIn(dumps.get(stand.group) ?? [], trial, stand, variant)
        }
        answers[place] = { kind: 'observed', timelines }
      }
      continue
    }
    left.push(...without(one, complaints.get(index) ?? []))
  }
  return left
}

/** What is left of a trial after complaints: the variants that none of them names. */
function without({ trial, places, answers }: Open, complaints: readonly string[]): Open[] {
  const named = new Map<number, string>()
  for (const text of complaints) {
    for (const [, number] of text.matchAll(/variant_(\d+)\b/g)) named.set(Number(number), text)
  }
  if (named.size === 0) {
    const why = complaints[0] ?? 'promtool said nothing of it'
    // Without a name it may be the size of the storage: each incident by itself is the smallest there is.
    if (!trial.apart) return [{ trial: { ...trial, apart: true }, places, answers }]
    if (trial.variants.length > 1) {
      return trial.variants.map((variant, index) => ({
        trial: { ...trial, variants: [variant] },
        places: places.slice(index, index + 1),
        answers,
      }))
    }
    for (const place of places) answers[place] = { kind: 'failed', why }
    return []
  }
  for (const [variant, why] of named) {
    const place = places[variant]
    if (place !== undefined) answers[place] = { kind: /, time: .*, err: /.test(why) ? 'failed' : 'refused', why }
  }
  const kept = trial.variants.flatMap((variant, index) =>
    named.has(index) ? [] : [{ variant, place: places[index] ?? 0 }],
  )
  if (kept.length === 0) return []
  return [
    {
      trial: { ...trial, variants: kept.map(({ variant }) => variant) },
      places: kept.map(({ place }) => place),
      answers,
    },
  ]
}

function costOf(trial: Trial | undefined): number {
  if (!trial) return 0
  const steps = trial.incidents.reduce((sum, { steps: own }) => sum + own + trial.pace.window, 0)
  // Opening a storage costs as much as some hundred evaluations.
  return (
    150 * (trial.apart ? trial.incidents.length : 1) + steps * (trial.variants.length + trial.context.recordings.length)
  )
}
