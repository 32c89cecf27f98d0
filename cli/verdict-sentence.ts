import { type ExitCode, exitCodes } from '../lib/errors.ts'
import type { Verdict } from '../lib/verdict.ts'

/** What a run came to, in one sentence that fits a terminal's line. */
export function verdictSentence(exitCode: ExitCode, verdicts: readonly Verdict[]): string {
  const number = (...of: Verdict[]) => verdicts.filter((verdict) => of.includes(verdict)).length
  const skipped = number('skipped')
  const put = verdicts.length - skipped
  const red = number('failed', 'no-data', 'errored')
  if (exitCode === exitCodes.invalid) return 'The load was not as declared: nothing else counts.'
  if (put === 0) return 'No check was put, so nothing is proven.'
  if (exitCode === exitCodes.passed) {
    const accepted = number('accepted')
    const but = accepted === 0 ? '' : `, but for ${accepted} accepted ${accepted === 1 ? 'deviation' : 'deviations'}`
    return `All ${put} checks hold${but}${skipped === 0 ? '' : `; ${skipped} ${skipped === 1 ? 'was' : 'were'} skipped`}.`
  }
  if (exitCode === exitCodes.environment) return `${red} of ${put} checks could not be asked; no other failed.`
  return `${red} of ${put} checks ${red === 1 ? 'does' : 'do'} not hold.`
}
