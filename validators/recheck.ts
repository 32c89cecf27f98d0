import { EnvironmentError, type ExitCode } from '../lib/errors.ts'
import type { RunEvent } from '../lib/event.ts'
import { makeLedger } from '../lib/ledger.ts'
import type { CheckResult } from '../lib/verdict.ts'
import { Acceptances } from './accepted.ts'
import { type BackendEndpoints, type Config, secretTexts } from './config.ts'
import { loadScenario } from './k6.ts'
import { connect, preflight } from './preflight.ts'
import type { Recording } from './recording.ts'
import { withRollCall } from './roll-call/roll-call.ts'
import { rollCallTable } from './roll-call/table.ts'
import { exitCodeOf, judgeAll, scenarioChecks } from './run.ts'
import { recalled } from './sentinels.ts'

/** What `muster check` needs. */
export interface RecheckInput {
  readonly config: Config
  readonly recording: Recording
  readonly endpoints: BackendEndpoints
  readonly only: string | undefined
  readonly signal: AbortSignal
  readonly emit: (event: RunEvent) => void
}

/**
 * Judges a past run's scenarios again, without load; alerts and the stack are of the moment and are left out.
 * @throws EnvironmentError if the backends no longer hold the run's data
 */
export async function recheck({ config, recording, endpoints, only, signal, emit }: RecheckInput): Promise<ExitCode> {
  const backends = connect(endpoints, config.queries)
  const facts = await preflight(config, backends, recording.targetUrl, signal)
  const results: CheckResult[] = []
  const acceptances = new Acceptances(config.accepted, Date.now())
  for (const one of recording.scenarios) {
    const scenario = await loadScenario(one.file)
    const asked = !backends.lacks('prometheus')
    if (asked && (await backends.prometheus.raw('up', one.window.from, one.window.to, signal)).length === 0) {
      throw new EnvironmentError(
        `Prometheus at ${backends.prometheus.client.url} no longer holds the data of ${scenario.name}: check a run while its stack is up (run --keep, or up first).`,
      )
    }
    const plan = {
      run: recording.runId,
      instance: 0,
      firstNumber: one.firstNumber,
      rate: one.rate,
      durationMs: one.durationMs,
    }
    const sentinel = one.sentinel && (await recalled(config, one.firstNumber, one.sentinel))
    const sentinels = sentinel?.requests ?? []
    const context = withRollCall({
      runId: recording.runId,
      config,
      secrets: secretTexts(config),
      backends,
      facts,
      signal,
      horizon: one.judgedAt,
      scenario,
      thresholds: one.thresholds,
      window: one.window,
      edges: one.edges,
      summary: one.summary,
      ledger: one.summary && makeLedger({ scenario, plan, summary: one.summary, oddLines: one.oddLines, sentinels }),
      sentinel,
      load: { exitCode: one.load.exitCode, exitMeaning: one.load.exitMeaning, words: one.load.words },
    })
    results.push(...(await judgeAll(scenarioChecks(context), { only, signal, emit }, acceptances)))
    const rollCall = await rollCallTable(context)
    if (rollCall) emit({ type: 'roll-call', at: Date.now(), rollCall })
  }
  // Alerts and the stack are not judged again.
  results.push(...(await judgeAll(acceptances.checks(true), { only, signal, emit }, acceptances)))
  return exitCodeOf(results)
}
