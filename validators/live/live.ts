import type { ExitCode } from '../../lib/errors.ts'
import { UsageError } from '../../lib/errors.ts'
import type { RunEvent } from '../../lib/event.ts'
import type { Window } from '../../lib/verdict.ts'
import { Acceptances } from '../accepted.ts'
import { clockOffset } from '../clock.ts'
import { type BackendEndpoints, type Config, secretTexts } from '../config.ts'
import { connect, preflight } from '../preflight.ts'
import { exitCodeOf, judgeAll } from '../run.ts'
import { type LiveRow, liveTraffic } from './checks.ts'

/** What `muster check --since` needs. */
export interface LiveInput {
  readonly config: Config
  readonly endpoints: BackendEndpoints
  readonly targetUrl: string
  readonly window: Window
  readonly only: string | undefined
  readonly signal: AbortSignal
  readonly emit: (event: RunEvent) => void
}

/**
 * Judges the traffic of a period, whoever sent it, by what was counted, logged and traced of it. Nothing is driven.
 * @throws UsageError if the period holds no two scrapes; EnvironmentError if a backend does not answer
 */
export async function checkLive({ config, endpoints, targetUrl, window, only, signal, emit }: LiveInput): Promise<{
  exitCode: ExitCode
  rows: readonly LiveRow[]
}> {
  const backends = connect(endpoints, config.queries)
  if (backends.lacks('prometheus'))
    throw new UsageError('Live traffic is judged between scrapes: name backends.prometheus in the config.')
  const facts = await preflight(config, backends, targetUrl, signal)
  if (window.to - window.from < 2 * facts.scrapeMs) {
    const seconds = facts.scrapeMs / 1000
    throw new UsageError(`The period must be at least two scrapes of ${seconds} s long: name an earlier --since.`)
  }
  // No run: trace ids are what they are.
  const clock = await clockOffset(backends.prometheus, signal)
  const context = { runId: 0, config, secrets: secretTexts(config), backends, facts, clock, signal }
  const { checks, rows } = liveTraffic(context, window)
  const acceptances = new Acceptances(config.accepted, Date.now())
  const results = await judgeAll(checks, { only, signal, emit }, acceptances)
  results.push(...(await judgeAll(acceptances.checks(true), { only, signal, emit }, acceptances)))
  return { exitCode: exitCodeOf(results), rows: await rows() }
}
