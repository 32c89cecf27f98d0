import type { Polled } from '../lib/poll.ts'
import type { CheckResult, Evidence, Signal, Verdict, Window } from '../lib/verdict.ts'
import { Absent } from './coverage.ts'

/** What a check found; the runner adds who asked. */
export interface Outcome {
  readonly verdict: Verdict
  readonly reason?: string
  readonly evidence: Evidence
}

/** One question that can be put to the run. */
export interface Check {
  readonly id: string
  readonly title: string
  readonly signal: Signal
  readonly scenario?: string
  /** Why it is not put at all. */
  readonly skip?: string
  run(): Promise<Outcome>
}

/** The verdict and what did not hold. `problems` empty means green. */
export interface Finding {
  readonly actual: string
  readonly problems: readonly string[]
  /** True if nothing was there to judge. */
  readonly empty?: boolean
}

/** How the question was asked, for the evidence. */
export interface Asking {
  readonly expected: string
  readonly window: Window
  readonly query?: string
  readonly reproduce?: string
  readonly link?: string
  readonly deadline?: string
}

const shownProblems = 20

/** Turns what polling found into an outcome: unasked is errored, nothing there is no-data. */
export function concluded(polled: Polled<Finding>, asking: Asking): Outcome {
  const { attempts, elapsedMs, tries } = polled
  const evidence = { ...asking, attempts, elapsedMs: Math.round(elapsedMs), ...someOf(tries) }
  if (polled.error instanceof Absent) throw polled.error
  if (polled.outcome === 'unasked' || !polled.value) {
    const reason = polled.error instanceof Error ? polled.error.message : 'no answer'
    return { verdict: 'errored', reason, evidence: { ...evidence, actual: 'could not ask' } }
  }
  return found(polled.value, evidence, polled.outcome === 'held')
}

/** How an answer was come by. */
export type Polling = Pick<Evidence, 'attempts' | 'elapsedMs' | 'tries'>

/** An outcome that needs no further look: one was enough, or `polling` tells how many there were. */
export function judged(
  finding: Finding,
  asking: Asking,
  { attempts, elapsedMs, tries }: Polling = { attempts: 1, elapsedMs: 0 },
): Outcome {
  const evidence = { ...asking, attempts, elapsedMs: Math.round(elapsedMs), ...someOf(tries) }
  return found(finding, evidence, finding.problems.length === 0 && !finding.empty)
}

function found({ actual, problems, empty }: Finding, evidence: Omit<Evidence, 'actual'>, held: boolean): Outcome {
  const rest = problems.length - shownProblems
  const details = [...problems.slice(0, shownProblems), ...(rest > 0 ? [`… and ${rest} more`] : [])]
  const full = { ...evidence, actual, ...(details.length > 0 ? { details } : {}) }
  if (held) {
    // What passed needs no story.
    const { tries: _, ...told } = full
    return { verdict: 'passed', evidence: told }
  }
  return { verdict: empty ? 'no-data' : 'failed', reason: problems[0] ?? `nothing to judge: ${actual}`, evidence: full }
}

function someOf(tries: Evidence['tries']): Pick<Evidence, 'tries'> {
  return tries === undefined || tries.length === 0 ? {} : { tries }
}

/** Puts the question; what it throws becomes `errored`, or `skipped` for what is Absent, unless the run was aborted. */
export async function put(check: Check, signal: AbortSignal): Promise<CheckResult> {
  const { id, title, signal: kind, scenario } = check
  const who = { id, title, signal: kind, ...(scenario === undefined ? {} : { scenario }) }
  const unasked = { expected: title, attempts: 0, elapsedMs: 0 }
  const skipped = (reason: string) =>
    ({ ...who, verdict: 'skipped', reason, evidence: { ...unasked, actual: 'not asked' } }) as const
  if (check.skip !== undefined) return skipped(check.skip)
  try {
    return { ...who, ...(await check.run()) }
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof Absent) return skipped(error.message)
    const reason = error instanceof Error ? error.message : String(error)
    return { ...who, verdict: 'errored', reason, evidence: { ...unasked, actual: 'could not ask', attempts: 1 } }
  }
}
