import { randomInt } from 'node:crypto'
import { resolve } from 'node:path'
import { type ExitCode, exitCodes } from '../lib/errors.ts'
import type { RunEvent } from '../lib/event.ts'
import { hex8 } from '../lib/trace-id.ts'
import type { CheckResult } from '../lib/verdict.ts'
import { openReportFolder } from '../reports/folder.ts'
import { junitReporter } from '../reports/junit.ts'
import { terminalReporter } from '../reports/terminal.ts'
import { exitCodeOf } from '../validators/run.ts'
import { type Flags, verbosityOf } from './flags.ts'
import { multiplexed } from './reporters.ts'

/**
 * Ends a command that judges without a run: verdicts in the terminal and, with `--out`, as junit.xml in a folder under it.
 * @param startedAt epoch milliseconds
 * @param sentence what holds if all is green
 */
export async function reportVerdicts(
  results: readonly CheckResult[],
  flags: Pick<Flags, 'out' | 'quiet' | 'verbose'>,
  { startedAt, sentence }: { readonly startedAt: number; readonly sentence: string },
): Promise<ExitCode> {
  const runId = hex8(randomInt(1, 2 ** 32 - 1))
  const folder = flags.out === undefined ? undefined : await openReportFolder(resolve(flags.out), runId)
  const reporter = multiplexed([
    terminalReporter({ stream: process.stdout, verbosity: verbosityOf(flags) }),
    ...(folder ? [junitReporter({ path: folder.junit })] : []),
  ])
  const exitCode = exitCodeOf(results)
  const endedAt = Date.now()
  const events: RunEvent[] = [
    ...results.map((result): RunEvent => ({ type: 'check', at: endedAt, result })),
    { type: 'run-ended', at: endedAt, end: { runId, exitCode, verdict: verdict(exitCode), startedAt, endedAt } },
  ]
  for (const event of events) await reporter.on(event)
  await reporter.close?.()
  if (folder) process.stdout.write(`Report  ${folder.junit}\n`)
  return exitCode

  function verdict(code: ExitCode): string {
    if (code === exitCodes.passed) return sentence
    if (results.every(({ verdict }) => verdict === 'skipped')) return 'Nothing was judged, so nothing is proven.'
    return code === exitCodes.environment
      ? 'Some checks could not be asked; no other failed.'
      : 'At least one check does not hold, or nothing was there to prove it.'
  }
}
