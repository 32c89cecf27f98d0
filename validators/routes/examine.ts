import { setMaxListeners } from 'node:events'
import type { StartAlertmanager } from '../../lib/lone-alertmanager.ts'
import type { Labels } from '../../lib/matcher.ts'
import type { Route } from '../../lib/route-tree.ts'
import { type CheckResult, isRed } from '../../lib/verdict.ts'
import { Gate } from '../backends/http.ts'
import type { AlertmanagerFile } from './alertmanager-file.ts'
import type { Surroundings } from './experiment.ts'
import { tryInhibition } from './inhibition.ts'
import { type AskCalendar, calendarChecks, tryIntervals } from './intervals.ts'
import { openDenyingProxy } from './proxy.ts'
import { Pulse } from './pulse.ts'
import { tryFailures } from './retry.ts'
import { routeCheck } from './route-check.ts'
import { tryRoutes } from './routing.ts'
import { trySilences } from './silences.ts'
import { SocketWatch, socketsAreSeen } from './socket-watch.ts'
import { tryTemplates } from './templates.ts'
import { textsCheck } from './text-snapshot.ts'
import { waitingTimes } from './waiting-times.ts'

/** A label set that is to be sent, and the route that it was derived for. */
export interface Probe {
  readonly route: Route
  readonly labels: Labels
}

export interface ExamineTools {
  /** Starts one Alertmanager in an environment from which nothing leaves (stack/lone-alertmanager.ts). */
  readonly start: StartAlertmanager
  /** Asks the helper program `timeinterval`; without it calendars are reported as skipped. */
  readonly askCalendar?: AskCalendar | undefined
  /** Where the rendered texts are kept; without it they are judged, but compared with nothing. */
  readonly texts?: { readonly path: string; readonly update: boolean } | undefined
  /** Label sets of alerts that are known to exist, perhaps without the labels that their expressions add. */
  readonly known?: readonly Labels[] | undefined
  readonly signal: AbortSignal
}

export interface Examination {
  readonly results: readonly CheckResult[]
  /** The receivers that answered to each probe, in the order of the probes; one entry a delivery, sorted. */
  readonly reached: readonly (readonly string[])[]
}

/** Alertmanagers that start at the same time; all that have started run side by side, for they mostly wait. */
const atOnce = 2

interface Outcome {
  readonly results: readonly CheckResult[]
}

/** Tries the user's file in real Alertmanagers whose destinations are sinks. @throws UsageError, EnvironmentError */
export async function examine(
  file: AlertmanagerFile,
  probes: readonly Probe[],
  tools: ExamineTools,
): Promise<Examination> {
  const proxy = await openDenyingProxy()
  const sockets = new SocketWatch()
  const pulse = new Pulse()
  // One that fails ends the others, and what they have started.
  const failed = new AbortController()
  const signal = AbortSignal.any([tools.signal, failed.signal])
  // Every experiment waits on it.
  setMaxListeners(0, signal)
  const around: Surroundings = {
    file,
    start: tools.start,
    proxy,
    signal,
    watch: (pid) => sockets.watch(pid),
    opening: new Gate(atOnce),
  }
  const times = waitingTimes(file.root)
  const begun = Date.now()
  const alone = new Gate(1)
  const running: Promise<unknown>[] = []
  const steadily = <T extends Outcome>(attempt: () => Promise<T>): Promise<T> => {
    const guarded = () =>
      judgedBy(pulse, attempt).catch((error: unknown) => {
        failed.abort(error)
        throw error
      })
    const first = guarded()
    running.push(first.catch(() => {}))
    // Not before all the others have ended: then the machine has its peace.
    const again = async () => {
      const { outcome, doubtful } = await first
      await Promise.all(running)
      if (!doubtful) return outcome
      return alone.through(async () => {
        const second = await guarded()
        return second.doubtful ? { ...second.outcome, results: second.outcome.results.map(unjudged) } : second.outcome
      })
    }
    return again()
  }
  const plain = (results: Promise<readonly CheckResult[]>) => results.then((list) => ({ results: list }))
  try {
    const [failures, routing, templates, ...rest] = await Promise.all([
      // What takes longest begins first.
      steadily(() => plain(tryFailures(around, probes, times))),
      steadily(() => tryRoutes(around, probes, times)),
      steadily(() => tryTemplates(around, probes)),
      steadily(() => plain(tryInhibition(around, times, tools.known ?? []))),
      steadily(() => plain(tryIntervals(around, probes, times))),
      steadily(() => plain(calendarChecks(file, tools.askCalendar))),
      steadily(() => plain(trySilences(around, probes, times))),
    ])
    const texts = tools.texts ? [await textsCheck(templates.texts, tools.texts)] : []
    const results = [routing, ...rest, failures, templates].flatMap((outcome) => outcome.results)
    const leaving = nothingLeaves(proxy.attempts, sockets.found, begun)
    return { results: [...results, ...texts, leaving], reached: routing.reached }
  } finally {
    await Promise.all(running)
    pulse.close()
    sockets.close()
    await proxy.close()
  }
}

/** An outcome with something red in it is in doubt if this process, and so its sinks, did not get to run meanwhile. */
async function judgedBy<T extends Outcome>(
  pulse: Pulse,
  attempt: () => Promise<T>,
): Promise<{ readonly outcome: T; readonly doubtful: boolean }> {
  const since = performance.now()
  const outcome = await attempt()
  return { outcome, doubtful: outcome.results.some(isRed) && pulse.stalledSince(since) }
}

function unjudged(result: CheckResult): CheckResult {
  if (!isRed(result)) return result
  const reason = `The machine was too busy to judge, twice (${result.reason ?? result.verdict}): try again when it has less to do.`
  return { ...result, verdict: 'errored', reason }
}

function nothingLeaves(attempts: readonly string[], sockets: readonly string[], from: number): CheckResult {
  return routeCheck(
    {
      id: 'nothing-leaves',
      title: 'Nothing that Alertmanager did left this machine',
      expected: 'no request at the proxy that refuses all, and no socket to another address than loopback',
      window: { from, to: Date.now() },
    },
    {
      actual: `${attempts.length} requests refused by the proxy, ${sockets.length} sockets to elsewhere${socketsAreSeen ? '' : ' (this system does not show them)'}`,
      problems: [
        ...[...new Set(attempts)].map((attempt) => `Alertmanager tried ${attempt}; the proxy refused it`),
        ...sockets.map((socket) => `Alertmanager had a socket to elsewhere: ${socket}`),
      ],
    },
  )
}
