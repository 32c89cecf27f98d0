import type { CheckResult } from '../../lib/verdict.ts'
import type { RuleName } from './rule-keys.ts'
import { pacedBy } from './scene.ts'
import { simulated } from './simulated.ts'
import type { Situation } from './situation.ts'
import { type KeptRule, keptTexts, sameIncident } from './snapshot.ts'
import type { Trial } from './trial.ts'
import type { VariantAnswer } from './trials.ts'

/** Kept incidents of a rule that it would not meet anyway, since the rule, or how incidents are made, has changed. */
export interface Replay {
  readonly name: string
  readonly number: number
  readonly trial: Trial
}

/** What must be run to compare a snapshot: for each rule the incidents that are not among today's. */
export function keptTrials(
  situations: readonly Situation[],
  names: readonly RuleName[],
  before: readonly KeptRule[],
): Replay[] {
  return situations.flatMap(({ context, incidents, pace, apart }, index): Replay[] => {
    const name = names[index]
    const old = before.find(({ rule, number }) => rule === name?.name && number === name?.number)
    if (!name || !old) return []
    const { stepMs } = old
    const others = old.incidents
      .map(({ incident }) => incident)
      .filter((incident) => stepMs !== pace.stepMs || !incidents.some((today) => sameIncident(today, incident)))
    if (others.length === 0) return []
    const then = pacedBy(context, stepMs)
    return [
      {
        name: name.name,
        number: name.number,
        trial: { context, incidents: others, pace: then, apart, variants: [context.rule] },
      },
    ]
  })
}

/** What is kept of a rule as it is now. */
export function kept(
  { incidents, pace }: Situation,
  name: RuleName | undefined,
  answer: VariantAnswer | undefined,
): KeptRule {
  return {
    rule: name?.name ?? '',
    number: name?.number ?? 1,
    stepMs: pace.stepMs,
    incidents: incidents.map((incident, index) => ({
      incident,
      observed:
        answer?.kind === 'observed'
          ? keptTexts(answer.timelines[index] ?? new Map(), incident.steps)
          : [`fails: ${answer?.why ?? ''}`],
    })),
  }
}

/** The verdicts, and what is to be written, if anything is. */
export interface Comparison {
  readonly results: readonly CheckResult[]
  readonly write?: readonly KeptRule[]
}

/** What is new in the snapshot was compared with nothing. */
export function snapshotWritten(path: string, rules: number): CheckResult {
  const title = 'Rules do in the snapshot’s incidents what they did when it was written'
  const reason = `What ${rules} rules do was written to ${path}: nothing was compared; read it, and keep it with the rules`
  const evidence = { expected: title, actual: 'not asked', attempts: 0, elapsedMs: 0 }
  return { id: 'alerts.rules.snapshot', title, signal: 'alerts', verdict: 'skipped', reason, evidence }
}

const remedy = 'have it written anew with --update if that is wanted'

export function compareSnapshot(parts: {
  /** Absent: there is none, or it is to be replaced. */
  readonly before: readonly KeptRule[] | undefined
  readonly now: readonly KeptRule[]
  readonly replays: readonly Replay[]
  /** One for each replay. */
  readonly answers: readonly VariantAnswer[]
}): Comparison {
  const { before, now, replays, answers } = parts
  if (!before) return { results: [], write: now }
  const same = (one: { rule: string; number: number }) => (other: { rule: string; number: number }) =>
    one.rule === other.rule && one.number === other.number
  const results = before.map((old): CheckResult => {
    const label = old.number === 1 ? old.rule : `${old.rule}#${old.number}`
    const place = replays.findIndex(({ name, number }) => name === old.rule && number === old.number)
    const [replay, answer] = [replays[place], answers[place]]
    const today = now.find(same(old))
    const problems = today
      ? old.incidents.flatMap(({ incident, observed }) => {
          const texts = observedNow(incident, today, old, replay, answer)
          if (texts.join('\n') === observed.join('\n')) return []
          return [`${incident.name}: ${shown(observed)} in the snapshot, ${shown(texts)} now; ${remedy}`]
        })
      : [`no rule ${label} is left; ${remedy}`]
    return {
      id: `alerts.rules.snapshot.${label}`,
      title: `${label} does in the snapshot's incidents what it did when it was written`,
      signal: 'alerts',
      ...simulated(
        {
          actual: `${old.incidents.length} incidents, ${problems.length} differ`,
          problems,
          empty: old.incidents.length === 0,
        },
        { expected: 'the same states and labels at the same evaluations' },
      ),
    }
  })
  const fresh = now.filter((one) => !before.some(same(one)))
  // What is new is added; what is there stays as it was until it is updated.
  return fresh.length > 0 ? { results, write: [...before, ...fresh] } : { results }
}

function observedNow(
  incident: KeptRule['incidents'][number]['incident'],
  today: KeptRule,
  old: KeptRule,
  replay: Replay | undefined,
  answer: VariantAnswer | undefined,
): readonly string[] {
  const replayed = replay?.trial.incidents.indexOf(incident) ?? -1
  if (replayed >= 0) {
    return answer?.kind === 'observed'
      ? keptTexts(answer.timelines[replayed] ?? new Map(), incident.steps)
      : [`fails: ${answer?.why ?? ''}`]
  }
  const match =
    old.stepMs === today.stepMs ? today.incidents.find((one) => sameIncident(one.incident, incident)) : undefined
  return match?.observed ?? ['it was not asked']
}

function shown(texts: readonly string[]): string {
  if (texts.length === 0) return 'silent'
  const text = texts.join('; ')
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}
