import { constants, setPriority } from 'node:os'
import { resolve } from 'node:path'
import { EnvironmentError, type ExitCode, UsageError } from '../lib/errors.ts'
import type { RunEvent } from '../lib/event.ts'
import { hex8 } from '../lib/trace-id.ts'
import { openReportFolder } from '../reports/folder.ts'
import { readRun } from '../reports/json.ts'
import type { Run } from '../reports/run-schema.ts'
import { readState } from '../stack/state.ts'
import { type BackendEndpoints, type Config, loadConfig } from '../validators/config.ts'
import { configPositions } from '../validators/config-position.ts'
import { checkLive } from '../validators/live/live.ts'
import { parsePeriod } from '../validators/live/period.ts'
import { recheck } from '../validators/recheck.ts'
import { readRecording } from '../validators/recording.ts'
import { planScenarios } from '../validators/scenarios.ts'
import { ended, toTheEnd } from './ending.ts'
import { endpointsOf } from './environment.ts'
import { type Flags, reportsFolder, verbosityOf } from './flags.ts'
import { folderReporters } from './folder-reporters.ts'
import { interruptible } from './interrupt.ts'
import { liveTable } from './live-table.ts'
import { multiplexed, openReporters } from './reporters.ts'

/** `muster check [run]`: the verdicts on a past run again; with `--since`, verdicts on live traffic. Without load. */
export function checkCommand(run: string | undefined, flags: Flags): Promise<ExitCode> {
  const live = flags.since !== undefined || flags.until !== undefined
  if (live && run !== undefined)
    throw new UsageError(`Either a run (${run}) or a period (--since) can be checked: leave one out.`)
  yieldToServices()
  return live ? checkPeriod(flags) : checkRun(run, flags)
}

async function checkRun(run: string | undefined, flags: Flags): Promise<ExitCode> {
  const signal = interruptible()
  const config = await loadConfig(flags.config, process.cwd())
  const folder = run ? resolve(run) : resolve(reportsFolder(flags, config), 'latest')
  const recording = await readRecording(folder)
  const positionOf = configPositions(config, await planScenarios(config, []))
  const startedAt = Date.now()
  const runId = hex8(recording.runId)
  // Beneath the run, whose own report stays what it was.
  const own = await openReportFolder(folder, checkName('check', startedAt), false)
  const reporters = await openReporters({ flags, config, reportFolder: own.path, positionOf })
  const files = multiplexed(await folderReporters(own, runId, config))
  const reporter = multiplexed([...reporters, files])
  // What the run recorded is not asked for again; only the verdicts are new.
  for (const event of recorded(await readRun(folder).catch(() => undefined), startedAt)) void files.on(event)
  const exitCode = await toTheEnd(reporter, { runId, startedAt }, () =>
    recheck({
      config,
      recording,
      endpoints: config.backends ?? endpointsOf(recording.backends),
      only: flags.only,
      signal,
      emit: (event) => void reporter.on(event),
    }),
  )
  const verdict = exitCode === 0 ? 'Passed again: every check that was put holds.' : 'Not passed: see above.'
  return ended(reporter, { runId, exitCode, verdict, startedAt })
}

function recorded(run: Run | undefined, at: number): RunEvent[] {
  if (run === undefined) return []
  const { plan, versions, scenarios, course, lanes, traces } = run
  return [
    ...(plan ? [{ type: 'run-started' as const, at, plan, versions }] : []),
    ...scenarios.map((result) => ({ type: 'scenario-ended' as const, at, result })),
    ...(course ? [{ type: 'course' as const, at, course }] : []),
    ...lanes.map((lane) => ({ type: 'alert-lane' as const, at, lane })),
    ...traces.map((trace) => ({ type: 'request-trace' as const, at, trace })),
  ]
}

/** The name of a folder that tells when it was made: `check-20261121-140000-123`. */
function checkName(what: 'check' | 'live', at: number): string {
  return `${what}-${new Date(at).toISOString().replace(/[-:Z]/g, '').replace(/[T.]/g, '-')}`
}

async function checkPeriod(flags: Flags): Promise<ExitCode> {
  const startedAt = Date.now()
  // Before anything is asked, so that nothing of ours lies in it.
  const window = parsePeriod(flags.since, flags.until, startedAt)
  const signal = interruptible()
  const config = await loadConfig(flags.config, process.cwd())
  const backends = await backendsOf(config)
  const verbosity = verbosityOf(flags)
  const runId = checkName('live', startedAt)
  const folder = await openReportFolder(reportsFolder(flags, config), runId, false)
  const reporters = await openReporters({
    flags,
    config,
    reportFolder: folder.path,
    positionOf: configPositions(config, []),
  })
  const reporter = multiplexed([...reporters, ...(await folderReporters(folder, runId, config))])
  const time = (at: number) => new Date(at).toISOString().slice(0, 19).replace('T', ' ')
  await reporter.on({
    type: 'phase',
    at: startedAt,
    text: `judging traffic of ${time(window.from)} to ${time(window.to)} UTC`,
  })
  const { exitCode, rows } = await toTheEnd(reporter, { runId, startedAt }, () =>
    checkLive({
      config,
      ...backends,
      window,
      only: flags.only,
      signal,
      emit: (event) => void reporter.on(event),
    }),
  )
  if (verbosity !== 'quiet' && reporters.some(({ name }) => name === 'terminal')) {
    const lines = liveTable(rows, process.stdout.columns ?? 80)
    process.stdout.write(['', ...lines, ''].join('\n'))
  }
  const verdict = exitCode === 0 ? 'Live traffic is accounted for.' : 'Live traffic is not accounted for: see above.'
  return ended(reporter, { runId, exitCode, verdict, startedAt })
}

/** The config's own backends, or those of the stack that is up. */
async function backendsOf(config: Config): Promise<{ endpoints: BackendEndpoints; targetUrl: string }> {
  const { backends, target } = config
  if (backends && target) return { endpoints: backends, targetUrl: target.url }
  const up = await readState(config.folder)
  if (up) return { endpoints: endpointsOf(up.urls), targetUrl: target?.url ?? up.urls.gateway }
  throw new EnvironmentError(
    'There are no backends to ask about live traffic: name yours in backends of the config, or start a stack with muster up.',
  )
}

/** Whoever is under load on this machine comes first: the roll call can wait for a core. */
function yieldToServices(): void {
  try {
    setPriority(constants.priority.PRIORITY_LOW)
  } catch {
    // Not every platform lets a process do that; then it asks at the usual priority.
  }
}
