import { pause } from '../../lib/poll.ts'
import type { CheckResult } from '../../lib/verdict.ts'
import type { Probe } from './examine.ts'
import { Experiment, type Surroundings } from './experiment.ts'
import type { SentAlert } from './experiment-alert.ts'
import { all, withoutInhibition, withRoutes } from './route-changes.ts'
import { inWords, routeCheck } from './route-check.ts'
import { notificationFloorMs, type ProbeAlert, probeAlert, slackMs } from './routing.ts'
import type { WaitingTimes } from './waiting-times.ts'

interface Trial {
  readonly receiver: string
  /** Told before the silence begins. */
  readonly before: ProbeAlert
  /** Begins within the silence. */
  readonly during: SentAlert
  /** Has the labels of `during` but for one, which the silence names. */
  readonly near: SentAlert
}

/** One trial for each receiver that a probe reaches. */
function trialsOf(probes: readonly Probe[], around: Surroundings): Trial[] {
  const receivers = new Map<string, Trial>()
  for (const [n, { route, labels }] of probes.entries()) {
    if (receivers.has(route.receiver)) continue
    const before = probeAlert(`s${n}-before`, labels, around.file.root)
    if (!before.routes.includes(route)) continue
    const other = (id: string): SentAlert => ({ id: `s${n}-${id}`, labels: before.labels })
    receivers.set(route.receiver, { receiver: route.receiver, before, during: other('during'), near: other('near') })
  }
  return [...receivers.values()]
}

/**
 * Silences alerts of each receiver: told before the silence begins, not told during it, told after it, and what one
 * label keeps out of it is told all the time.
 */
export async function trySilences(
  around: Surroundings,
  probes: readonly Probe[],
  times: WaitingTimes,
): Promise<CheckResult[]> {
  const trials = trialsOf(probes, around)
  if (trials.length === 0) return []
  const experiment = await Experiment.open('silences', around, all(withRoutes(around.file, times), withoutInhibition))
  try {
    const settledMs = times.longestGroupWait + times.longestGroupInterval
    const begun = Date.now()
    const told = ({ id }: SentAlert, receiver: string) =>
      experiment.deliveries().filter((one) => one.id === id && one.receiver === receiver && one.status === 'firing')
    const allTold = (of: (trial: Trial) => SentAlert, withinMs: number) =>
      experiment.until(
        () => trials.every((trial) => told(of(trial), trial.receiver).length > 0),
        (every) => every,
        withinMs + slackMs,
      )
    await experiment.fire(trials.map(({ before }) => before))
    await allTold(({ before }) => before, settledMs)
    const silenceFrom = Date.now()
    await Promise.all(
      trials.map(({ before, during }) => experiment.silence(before.labels, `${before.id}|${during.id}`)),
    )
    const firedAt = await experiment.fire(trials.flatMap(({ during, near }) => [during, near]))
    await allTold(({ near }) => near, settledMs)
    // Held back for as long as a group can take to tell.
    await pause(Math.max(0, firedAt + settledMs - Date.now()), around.signal)
    const silenceTo = Date.now()
    await experiment.expireSilences()
    await allTold(({ during }) => during, Math.max(times.longestGroupInterval, notificationFloorMs))
    experiment.alive()
    const window = { from: begun, to: Date.now() }
    return trials.map(({ receiver, before, during, near }) => {
      const first = (alert: SentAlert) => told(alert, receiver)[0]?.at
      const [early, muted, missed] = [first(before), first(during), first(near)]
      const problems = [
        ...(early === undefined || early > silenceFrom
          ? [`an alert of before the silence was told ${early === undefined ? 'never' : 'only within it'}`]
          : []),
        ...(muted === undefined ? ['the silenced alert was not told after the silence had ended'] : []),
        ...(muted !== undefined && muted < silenceTo ? ['the silenced alert was told during the silence'] : []),
        ...(missed === undefined || missed >= silenceTo
          ? ['an alert that one label keeps out of the silence was silenced with it: some silence covers too much']
          : []),
      ]
      return routeCheck(
        {
          id: `silence.${receiver}`,
          title: `A silence holds back from receiver "${receiver}" what it names, as long as it says, and nothing else`,
          expected: `{${inWords(before.labels)}} told before, held back during, told after the silence; told all the time if one label differs`,
          window,
        },
        {
          actual: [
            `before: ${since(early, silenceFrom)}`,
            `during: ${since(muted, silenceTo)} to its end`,
            `near miss: ${since(missed, silenceFrom)}`,
          ].join('; '),
          problems,
        },
      )
    })
  } finally {
    await experiment.close()
  }
}

function since(at: number | undefined, mark: number): string {
  if (at === undefined) return 'never told'
  return `told ${at < mark ? '-' : '+'}${(Math.abs(at - mark) / 1000).toFixed(1)} s`
}
