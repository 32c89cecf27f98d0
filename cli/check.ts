import { resolve } from 'node:path'
import type { ExitCode } from '../lib/errors.ts'
import { hex8 } from '../lib/trace-id.ts'
import { terminalReporter } from '../reports/terminal.ts'
import { loadConfig } from '../validators/config.ts'
import { recheck } from '../validators/recheck.ts'
import { readRecording } from '../validators/recording.ts'
import { endpointsOf } from './environment.ts'
import { type Flags, reportsFolder, verbosityOf } from './flags.ts'
import { interruptible } from './interrupt.ts'

/** `muster check [run]`: the verdicts on a past run again, without load. */
export async function checkCommand(run: string | undefined, flags: Flags): Promise<ExitCode> {
  const signal = interruptible()
  const config = await loadConfig(flags.config, process.cwd())
  const folder = run ? resolve(run) : resolve(reportsFolder(flags, config), 'latest')
  const recording = await readRecording(folder)
  const reporter = terminalReporter({ stream: process.stdout, verbosity: verbosityOf(flags), reportFolder: folder })
  const startedAt = Date.now()
  const endpoints = config.backends ?? endpointsOf(recording.backends)
  const exitCode = await recheck({
    config,
    recording,
    endpoints,
    only: flags.only,
    signal,
    emit: (event) => void reporter.on(event),
  })
  const verdict = exitCode === 0 ? 'Passed again: every check that was put holds.' : 'Not passed: see above.'
  await reporter.on({
    type: 'run-ended',
    at: Date.now(),
    end: { runId: hex8(recording.runId), exitCode, verdict, startedAt, endedAt: Date.now() },
  })
  await reporter.close?.()
  return exitCode
}
