import type { Tally } from '../../lib/attendance.ts'
import type { Asking, Finding, Outcome, Polling } from '../check.ts'
import { judged } from '../check.ts'
import type { ScenarioContext } from '../context.ts'
import type { RollCall } from '../roll-call/roll-call.ts'
import { missingLedger } from './expected.ts'

/** What was asked of the roll call, and how long that had taken. */
interface Called extends Polling {
  readonly finding: Finding
  readonly asking: Omit<Asking, 'window'>
  /** The signal in which something is missing: then it is told where it was likely lost. */
  readonly lost?: 'logs' | 'traces' | undefined
}

/** Puts a question to the roll call, which polls by itself: by now all is gathered that ever will be. */
export async function called(context: ScenarioContext, ask: (rollCall: RollCall) => Promise<Called>): Promise<Outcome> {
  const { rollCall, window } = context
  if (!rollCall) return missingLedger(context)
  const { finding, asking, lost, ...polling } = await ask(rollCall)
  const outcome = judged(finding, { ...asking, window }, polling)
  if (!lost || !outcome.reason) return outcome
  return { ...outcome, reason: `${outcome.reason}; ${await rollCall.cause(lost)}` }
}

/** What a tally says, as a finding: `verb` is logged or traced. */
export function findingOf(tally: Tally, verb: string): Finding {
  const [least, most] = tally.sent
  const problems = [
    ...lost(tally.missing, `not ${verb}`, tally.missingIds),
    ...lost(tally.doubled, `${verb} more than once`, tally.doubledIds),
    ...lost(tally.foreign, `${verb}, but never sent`, tally.foreignIds),
    ...lost(tally.uncalled, `${verb}, though they must not be`, tally.uncalledIds),
  ]
  return {
    actual: `${tally.present} ${verb} of ${least === most ? least : `${least} to ${most}`} sent: ${tally.missing} missing, ${tally.doubled} doubled, ${tally.foreign} foreign`,
    problems,
    empty: tally.present === 0 && least > 0,
  }
}

function lost(count: number, what: string, ids: readonly string[]): string[] {
  if (count === 0) return []
  const rest = count - ids.length
  return [
    `${count} ${count === 1 ? 'request' : 'requests'} ${what}`,
    ...ids,
    ...(rest > 0 ? [`… and ${rest} more`] : []),
  ]
}
