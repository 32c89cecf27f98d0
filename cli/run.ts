import { randomInt } from 'node:crypto'
import { EnvironmentError, type ExitCode, exitCodes, MusterError } from '../lib/errors.ts'
import type { RunEvent } from '../lib/event.ts'
import { hex8 } from '../lib/trace-id.ts'
import type { Verdict } from '../lib/verdict.ts'
import { openReportFolder } from '../reports/folder.ts'
import { perform } from '../stack/action.ts'
import { obtain } from '../stack/obtain.ts'
import { recipes } from '../stack/recipes.ts'
import { loadConfig } from '../validators/config.ts'
import { configPositions } from '../validators/config-position.ts'
import { planRun, run } from '../validators/run.ts'
import { openEnvironment, type RunEnvironment } from './environment.ts'
import { type Flags, reportsFolder, sizesOf } from './flags.ts'
import { folderReporters } from './folder-reporters.ts'
import { interruptible } from './interrupt.ts'
import { multiplexed, openReporters } from './reporters.ts'
import { verdictSentence } from './verdict-sentence.ts'
import { version } from './version.ts'

/** `muster run [scenario…]`: a stack, load, verdicts, a report; everything started is stopped again. */
export async function runCommand(scenarios: readonly string[], flags: Flags): Promise<ExitCode> {
  const signal = interruptible()
  const config = await loadConfig(flags.config, process.cwd())
  const planned = await planRun(config, scenarios, sizesOf(flags))
  const runId = randomInt(1, 2 ** 32 - 1)
  const name = hex8(runId)
  const folder = await openReportFolder(reportsFolder(flags, config), name)
  const reporters = await openReporters({
    flags,
    config,
    reportFolder: folder.path,
    positionOf: configPositions(config, planned),
  })
  const reporter = multiplexed([...reporters, ...(await folderReporters(folder, name, config))])
  const startedAt = Date.now()
  const verdicts: Verdict[] = []
  const emit = (event: RunEvent) => {
    if (event.type === 'check') verdicts.push(event.result.verdict)
    void reporter.on(event)
  }
  const phase = (text: string) => emit({ type: 'phase', at: Date.now(), text })
  let environment: RunEnvironment | undefined
  let exitCode: ExitCode = exitCodes.failed
  let said = ''
  try {
    const { k6 } = await obtain(['k6'], { signal, onProgress: ({ text }) => phase(text) })
    environment = await openEnvironment({
      config,
      folder: folder.path,
      keep: flags.keep ?? false,
      signal,
      onProgress: phase,
    })
    const { watchdog } = environment
    exitCode = await run({
      ...environment,
      config,
      runId,
      planned,
      only: flags.only,
      k6Path: k6,
      folder: folder.path,
      signal,
      emit,
      versions: {
        muster: version,
        node: process.version,
        k6: recipes.k6.version,
        // Jaeger does not tell its version; that of muster's own stack is known.
        ...(config.backends ? {} : { jaeger: recipes.jaeger.version }),
      },
      guard: {
        k6: (pid) => watchdog.add(pid, 'k6'),
        fault: (lift) => watchdog.fault(lift),
      },
      perform,
    })
  } catch (error) {
    const known = asMusterError(signal.aborted ? signal.reason : error)
    exitCode = known?.exitCode ?? exitCodes.environment
    said =
      known?.message ??
      `muster itself failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`
  } finally {
    await environment?.release(!signal.aborted)
  }
  emit({
    type: 'run-ended',
    at: Date.now(),
    end: {
      runId: name,
      exitCode,
      verdict: said || verdictSentence(exitCode, verdicts),
      startedAt,
      endedAt: Date.now(),
    },
  })
  await reporter.close?.()
  if (said) process.stderr.write(`${said}\n`)
  return exitCode
}

function asMusterError(error: unknown): MusterError | undefined {
  if (error instanceof MusterError) return error
  if (error instanceof Error && 'code' in error && error.code === 'ENOSPC')
    return new EnvironmentError('The disk is full: free some space.')
  return undefined
}
