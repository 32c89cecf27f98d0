import type { MutationScore } from './examine.ts'
import type { Mutant } from './mutants.ts'
import type { PromtoolOptions } from './promtool.ts'
import type { Situation } from './situation.ts'
import { fingerprint, type Timeline } from './timeline.ts'
import type { Trial } from './trial.ts'
import { runTrials } from './trials.ts'

/** A rule's mutants, and what the rule itself did in its incidents. */
export interface Suspect {
  readonly situation: Situation
  readonly mutants: readonly Mutant[]
  /** By the incident's place; absent if the rule itself could not be evaluated. */
  readonly observed: readonly Timeline[] | undefined
}

/** What of a rule's mutants is known after muster's incidents. */
export interface Judged {
  readonly score: MutationScore
  /** Mutants that Prometheus loads; others are no rules. */
  readonly valid: readonly Mutant[]
}

/**
 * The incidents that tell most changes come first; only what survives them meets the next. Nine of ten mutants end in the
 * first two rounds.
 */
const rounds: readonly (readonly string[])[] = [
  ['just above', 'others fail', 'each input changes'],
  ['just below', 'recovery', 'others are well', 'one large and well', 'surge', 'one of many, merged', 'others change'],
]

/**
 * Puts the mutants through the same incidents as their rule. One is killed by the first incident in which it does anything else:
 * another time, another label, another value.
 */
export async function scoreIncidents(
  suspects: readonly Suspect[],
  options: Omit<PromtoolOptions, 'dump'>,
): Promise<Judged[]> {
  const killed = suspects.map(() => new Set<Mutant>())
  const refused = suspects.map(() => new Set<Mutant>())
  for (let round = 0; round <= rounds.length; round++) {
    const trials = suspects.flatMap((suspect, index) => {
      const { situation, observed } = suspect
      const mutants = suspect.mutants.filter((mutant) => !killed[index]?.has(mutant) && !refused[index]?.has(mutant))
      const places = [...situation.incidents.keys()].filter(
        (place) => roundOf(situation.incidents[place]?.name ?? '') === round,
      )
      if (!observed || mutants.length === 0 || places.length === 0) return []
      const { context, pace, apart } = situation
      const incidents = places.flatMap((place) => situation.incidents[place] ?? [])
      const trial: Trial = { context, pace, apart, incidents, variants: mutants }
      return [{ index, mutants, places, observed, trial }]
    })
    const answers = await runTrials(
      trials.map(({ trial }) => trial),
      options,
    )
    for (const [number, { index, mutants, places, observed }] of trials.entries()) {
      for (const [variant, mutant] of mutants.entries()) {
        const answer = answers[number]?.[variant]
        if (answer?.kind === 'refused') refused[index]?.add(mutant)
        const differs =
          answer?.kind === 'failed' ||
          (answer?.kind === 'observed' &&
            places.some((place, at) => {
              const [own, other] = [observed[place], answer.timelines[at]]
              return own !== undefined && other !== undefined && fingerprint(own, true) !== fingerprint(other, true)
            }))
        if (differs) killed[index]?.add(mutant)
      }
    }
  }
  return suspects.map(({ situation, mutants, observed }, index) => {
    const valid = mutants.filter((mutant) => !refused[index]?.has(mutant))
    const survivors = valid.filter((mutant) => !killed[index]?.has(mutant))
    const { file, line, name: rule } = situation.context.rule
    return {
      valid,
      score: {
        file,
        line,
        rule,
        suite: 'muster',
        mutants: observed ? valid.length : 0,
        killed: observed ? valid.length - survivors.length : 0,
        survivors: observed ? survivors.map(({ what }) => what) : [],
        ...(observed ? {} : { reason: 'the rule itself could not be evaluated' }),
      },
    }
  })
}

function roundOf(incident: string): number {
  const round = rounds.findIndex((names) => names.includes(incident))
  return round === -1 ? rounds.length : round
}
