import type { CheckResult } from '../../lib/verdict.ts'
import { behaviourOf } from './behaviour.ts'
import { mutantsOf } from './mutants.ts'
import { type RuleInContext, readRules } from './reading.ts'
import { parseRules, Recordings } from './recordings.ts'
import type { RuleGroup } from './rule-file.ts'
import { ruleNames } from './rule-keys.ts'
import { scoreIncidents } from './score.ts'
import { type Situation, situationOf } from './situation.ts'
import { type KeptRule, readSnapshot, writeSnapshot } from './snapshot.ts'
import { compareSnapshot, kept, keptTrials, snapshotWritten } from './snapshot-check.ts'
import { runTrials } from './trials.ts'
import { readUserTests, scoreUserTests } from './user-tests.ts'

export interface ExamineOptions {
  readonly groups: readonly RuleGroup[]
  /** Where behaviour is kept between runs; written when absent. */
  readonly snapshotPath: string
  /** True: what is observed now replaces the snapshot. */
  readonly update: boolean
  /** Path of the program. */
  readonly promtool: string
  /** The user's own promtool test files. */
  readonly tests?: readonly string[]
  readonly signal: AbortSignal
  readonly onProgress?: (text: string) => void
}

/** One line of the table: what one rule does in one incident. */
export interface BehaviourRow {
  readonly file: string
  readonly line: number
  readonly rule: string
  readonly kind: 'alert' | 'record'
  /** E.g. `just above`. */
  readonly incident: string
  /** What promtool says, in words, counted from where the incident begins: `pending 5m, fires 7m, resolves 20m`. */
  readonly observed: string
  /** What follows from the expression; absent where it could not be derived. */
  readonly expected?: string
}

/** How many mutants of one rule a suite of tests notices. */
export interface MutationScore {
  readonly file: string
  readonly line: number
  readonly rule: string
  readonly suite: 'muster' | 'own'
  readonly mutants: number
  readonly killed: number
  /** What was changed and not noticed: `threshold 0.05 -> 0.1`. */
  readonly survivors: readonly string[]
  /** Why there is no score, e.g. that no test of the user's names the rule. */
  readonly reason?: string
}

export interface Examination {
  readonly table: readonly BehaviourRow[]
  readonly results: readonly CheckResult[]
  readonly mutation: readonly MutationScore[]
  /** Milliseconds that the parts took. */
  readonly took: { readonly incidents: number; readonly mutants: number; readonly ownTests: number }
}

/**
 * Puts every rule through simulated incidents in promtool, compares with what follows from its expression and with the
 * snapshot, and does the same with its mutants.
 * @throws UsageError for a snapshot or test file that cannot be read; EnvironmentError if promtool does not answer;
 * PromqlError for an expression that is none
 */
export async function examineRules(options: ExamineOptions): Promise<Examination> {
  const { groups, snapshotPath, update, promtool, tests = [], signal } = options
  const say = (text: string) => options.onProgress?.(text)
  const running = (what: string, of: number) => ({
    promtool,
    signal,
    onProgress: (done: number) => say(`${what}: ${done} of ${of}`),
  })
  const began = performance.now()
  const before = await readSnapshot(snapshotPath)
  const own = await readUserTests(tests)
  const contexts = readRules(groups)
  const named = ruleNames(contexts.map(({ rule }) => rule.name))
  say(`incidents for ${contexts.length} rules`)
  const situations: Situation[] = []
  for (const context of contexts) {
    signal.throwIfAborted()
    situations.push(situationOf(context))
    // Computing incidents must not hold up Ctrl-C and the progress line.
    await new Promise(setImmediate)
  }
  const asItIs = situations.map(({ context, incidents, pace, apart }) => ({
    context,
    incidents,
    pace,
    apart,
    variants: [context.rule],
  }))
  const replays = update ? [] : keptTrials(situations, named, before ?? [])
  const all = [...asItIs, ...replays.map(({ trial }) => trial)]
  const answers = await runTrials(all, running('rules in incidents', all.length))
  const firsts = answers.map(([first]) => first ?? { kind: 'failed' as const, why: 'promtool did not answer' })
  const behaviours = situations.map((situation, index) =>
    behaviourOf(
      situation,
      firsts[index] ?? { kind: 'failed', why: 'promtool did not answer' },
      named[index]?.label ?? '',
    ),
  )
  const now: KeptRule[] = situations.map((situation, index) => kept(situation, named[index], firsts[index]))
  const compared = compareSnapshot({
    before: update ? undefined : before,
    now,
    replays,
    answers: firsts.slice(situations.length),
  })
  const added = compared.write ? compared.write.length - (update ? 0 : (before?.length ?? 0)) : 0
  if (compared.write) await writeSnapshot(snapshotPath, compared.write)
  const incidentsEnded = performance.now()

  const recordings = new Recordings(parseRules(groups))
  const suspects = situations.map((situation, index) => {
    const answer = firsts[index]
    const { rule, intervalMs } = situation.context
    const { mutants } = mutantsOf(rule, { intervalMs, inlined: (expr) => recordings.inlined(expr) })
    return { situation, mutants, observed: answer?.kind === 'observed' ? answer.timelines : undefined }
  })
  const scored = await scoreIncidents(suspects, running('mutants in incidents', suspects.length))
  const mutantsEnded = performance.now()
  const ownScores =
    own.length === 0
      ? []
      : await scoreUserTests(
          scored.map(({ valid }, index) => ({ context: contextAt(contexts, index), mutants: valid })),
          own,
          contexts,
          { promtool, signal, onProgress: (done) => say(`mutants in your tests: ${done} files`) },
        )
  return {
    table: behaviours.flatMap(({ rows }) => rows),
    results: [
      ...behaviours.map(({ result }) => result),
      ...compared.results,
      ...(added > 0 ? [snapshotWritten(snapshotPath, added)] : []),
    ],
    mutation: [...scored.map(({ score }) => score), ...ownScores],
    took: {
      incidents: incidentsEnded - began,
      mutants: mutantsEnded - incidentsEnded,
      ownTests: performance.now() - mutantsEnded,
    },
  }
}

function contextAt(contexts: readonly RuleInContext[], index: number): RuleInContext {
  const context = contexts[index]
  if (!context) throw new Error(`no rule ${index}`)
  return context
}
