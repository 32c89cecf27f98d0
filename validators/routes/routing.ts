import type { Labels } from '../../lib/matcher.ts'
import { pause } from '../../lib/poll.ts'
import { type Route, routesOf } from '../../lib/route-tree.ts'
import type { CheckResult } from '../../lib/verdict.ts'
import { deliveryChecks } from './delivery.ts'
import type { Probe } from './examine.ts'
import { Experiment, type Surroundings } from './experiment.ts'
import { type Delivery, probeLabel, type SentAlert } from './experiment-alert.ts'
import { type GroupingPair, groupingCheck, groupingPairs } from './grouping.ts'
import { all, withoutInhibition, withRoutes } from './route-changes.ts'
import { inWords, receiversInWords, routeCheck } from './route-check.ts'
import type { WaitingTimes } from './waiting-times.ts'

/** What answering may take beyond the waiting times; less than the floor below, so that who waited for that is seen. */
export const slackMs = 8000
/** A failing sibling holds up a group's later notifications so long, whatever group_interval says (`notify.MinTimeout`). */
export const notificationFloorMs = 10_000

export interface Routing {
  readonly results: readonly CheckResult[]
  /** By probe, in order: one entry a delivery, sorted. */
  readonly reached: readonly (readonly string[])[]
}

/** An alert of a probe, and whom the routing tree names for it. */
export interface ProbeAlert extends SentAlert {
  readonly routes: readonly Route[]
}

/** The probe's labels as they are sent; the routes are those of all the labels, muster's own too. */
export function probeAlert(id: string, labels: Labels, root: Route): ProbeAlert {
  const named = { ...labels, alertname: labels.alertname || 'MusterProbe' }
  const paths = (some: Labels) => pathsOf(routesOf({ ...some, [probeLabel]: id }, root))
  // Every alert of Prometheus has a name; one is added unless that leads elsewhere.
  const sent = paths(named) === paths(labels) ? named : labels
  return { id, labels: sent, routes: routesOf({ ...sent, [probeLabel]: id }, root) }
}

export function pathsOf(routes: readonly Route[]): string {
  return routes.map(({ path }) => path).join(' ')
}

/**
 * Sends every probe, all at once, and judges who was told: receivers, groups, each integration, resolutions. Inhibition
 * and time intervals are out of force, for they have experiments of their own.
 */
export async function tryRoutes(around: Surroundings, probes: readonly Probe[], times: WaitingTimes): Promise<Routing> {
  const { file, signal } = around
  const alerts = probes.map(({ labels }, n) => probeAlert(`p${n}`, labels, file.root))
  const pairs = groupingPairs(alerts, probes, file.root)
  const sent = [...alerts, ...pairs.map(({ other }) => other)]
  const experiment = await Experiment.open('routes', around, all(withRoutes(file, times), withoutInhibition))
  try {
    const firedAt = await experiment.fire(sent)
    // Whatever is late joins a group that exists, and waits for its next flush.
    const settledMs = times.longestGroupWait + times.longestGroupInterval
    await experiment.until(
      () => experiment.deliveries(),
      (deliveries) => {
        const seen = reachedBy(deliveries)
        return sent.every(({ id, routes }) => (seen.get(id)?.size ?? 0) >= distinct(routes))
      },
      settledMs + slackMs,
    )
    // Nor may anybody else be told, by then or later.
    await pause(Math.max(0, firedAt + settledMs - Date.now()), signal)
    experiment.alive()
    const fired = reachedBy(experiment.deliveries())
    const results = [
      ...reachChecks(file.path, probes, alerts, fired, { from: firedAt, to: Date.now() }),
      ...groupingResults(pairs, experiment.deliveries(), { from: firedAt, to: Date.now() }),
      ...(await deliveryChecks(experiment, { file, sent, firedAt, times })),
    ]
    return { results, reached: alerts.map(({ id }) => receiversOf(fired.get(id))) }
  } finally {
    await experiment.close()
  }
}

type Reached = ReadonlyMap<string, ReadonlyMap<string, string>>

/** By alert: group (with its receiver) to receiver. */
function reachedBy(deliveries: readonly Delivery[]): Reached {
  const reached = new Map<string, Map<string, string>>()
  for (const { id, receiver, groupKey, status } of deliveries) {
    if (status !== 'firing') continue
    const groups = reached.get(id) ?? new Map<string, string>()
    reached.set(id, groups.set(`${receiver} ${groupKey}`, receiver))
  }
  return reached
}

function receiversOf(groups: ReadonlyMap<string, string> | undefined): string[] {
  return [...(groups?.values() ?? [])].sort()
}

/** Routes whose groups can be told apart: two that have all in common have one key. */
function distinct(routes: readonly Route[]): number {
  return new Set(routes.map(keyOf)).size
}

function keyOf({ receiver, path, matchers }: Route): string {
  const parent = path.replace(/\.routes\[\d+\]$/, '')
  return JSON.stringify([receiver, parent, matchers.map(({ name, operator, value }) => [name, operator, value])])
}

function reachChecks(
  file: string,
  probes: readonly Probe[],
  alerts: readonly ProbeAlert[],
  reached: Reached,
  window: { readonly from: number; readonly to: number },
): CheckResult[] {
  return [...new Set(probes.map(({ route }) => route))].map((route) => {
    const own = alerts.filter((_, n) => probes[n]?.route === route)
    const problems = own.flatMap(({ id, labels, routes }) => {
      const expected = [...new Map(routes.map((one) => [keyOf(one), one.receiver])).values()].sort()
      const actual = receiversOf(reached.get(id))
      return expected.join('\n') === actual.join('\n')
        ? []
        : [
            `{${inWords(labels)}} is answered by ${receiversInWords(actual)}, but the routes say ${receiversInWords(expected)}`,
          ]
    })
    const first = own[0]
    return routeCheck(
      {
        id: `reach.${route.path}`,
        title: `${route.path} is answered by the receivers that the routing tree names, and by no other`,
        expected: `${own.length} label sets, each told to exactly ${receiversInWords(first?.routes.map(({ receiver }) => receiver) ?? [])} (line ${route.line})`,
        window,
        reproduce: `amtool config routes test --config.file='${file.replaceAll("'", `'\\''`)}' ${Object.entries(
          first?.labels ?? {},
        )
          .map(([name, value]) => `'${`${name}=${value}`.replaceAll("'", `'\\''`)}'`)
          .join(' ')}`,
      },
      {
        actual: own.map(({ id }) => receiversInWords(receiversOf(reached.get(id)))).join('; '),
        problems,
        empty: own.every(({ id }) => !reached.has(id)),
      },
    )
  })
}

function groupingResults(
  pairs: readonly GroupingPair[],
  deliveries: readonly Delivery[],
  window: { readonly from: number; readonly to: number },
): CheckResult[] {
  return [...new Set(pairs.map(({ route }) => route))].map((route) =>
    groupingCheck(
      route,
      pairs.filter((pair) => pair.route === route),
      deliveries,
      window,
    ),
  )
}
