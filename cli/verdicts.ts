import { randomInt } from 'node:crypto'
import { dirname, resolve } from 'node:path'
import { type ExitCode, exitCodes } from '../lib/errors.ts'
import { hex8 } from '../lib/trace-id.ts'
import type { CheckResult } from '../lib/verdict.ts'
import { openReportFolder } from '../reports/folder.ts'
import { junitReporter } from '../reports/junit.ts'
import { exitCodeOf } from '../validators/run.ts'
import { ended, toTheEnd } from './ending.ts'
import { type Flags, verbosityOf } from './flags.ts'
import { multiplexed, openReporters } from './reporters.ts'

/** What a command found that judges without a run. */
export interface Judged {
  readonly results: readonly CheckResult[]
  /** What holds if all is green. */
  readonly sentence: string
}

/** Prints lines for people; silent where they are not told, or want failures only. */
export type Print = (lines: readonly string[]) => void

/**
 * Does a command that judges without a run: its verdicts go to the reporters that the flags name, as a run's do, and with
 * `--out` to a junit.xml in a folder under it.
 * @param file the file that is judged; where reporters show what has no line of its own
 * @throws UsageError for reporters and folders that will not do, before anything is judged
 */
export async function reportVerdicts(
  file: string,
  flags: Pick<Flags, 'out' | 'quiet' | 'verbose' | 'reporter'>,
  judge: (print: Print) => Promise<Judged>,
): Promise<ExitCode> {
  const run = { runId: hex8(randomInt(1, 2 ** 32 - 1)), startedAt: Date.now() }
  const folder = flags.out === undefined ? undefined : await openReportFolder(resolve(flags.out), run.runId)
  const reporters = await openReporters({
    flags,
    // The config's own reporters are those of a run, whose files would be lost.
    config: { file: resolve(file), folder: dirname(resolve(file)), reporters: undefined },
    positionOf: () => undefined,
  })
  const terminal = reporters.filter(({ name }) => name === 'terminal')
  const forPeople = terminal.length > 0
  const others = multiplexed([
    ...reporters.filter((one) => !terminal.includes(one)),
    ...(folder ? [junitReporter({ path: folder.junit })] : []),
  ])
  const reporter = multiplexed([...terminal, others])
  // People are told on standard error what broke off.
  const { results, sentence } = await toTheEnd(others, run, () =>
    judge((lines) => {
      if (forPeople && verbosityOf(flags) !== 'quiet') process.stdout.write(`${lines.join('\n')}\n`)
    }),
  )
  const at = Date.now()
  for (const result of results) await reporter.on({ type: 'check', at, result })
  const exitCode = exitCodeOf(results)
  await ended(reporter, { ...run, exitCode, verdict: verdictOn(results, exitCode, sentence) })
  if (folder && forPeople) process.stdout.write(`Report  ${folder.junit}\n`)
  return exitCode
}

function verdictOn(results: readonly CheckResult[], exitCode: ExitCode, sentence: string): string {
  if (exitCode === exitCodes.passed) return sentence
  if (results.every(({ verdict }) => verdict === 'skipped')) return 'Nothing was judged, so nothing is proven.'
  return exitCode === exitCodes.environment
    ? 'Some checks could not be asked; no other failed.'
    : 'At least one check does not hold, or nothing was there to prove it.'
}
