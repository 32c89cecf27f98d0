import type { Labels } from '../../lib/matcher.ts'
import { type Route, routesOf } from '../../lib/route-tree.ts'
import type { CheckResult, Window } from '../../lib/verdict.ts'
import type { Probe } from './examine.ts'
import { type Delivery, probeLabel } from './experiment-alert.ts'
import { routeCheck } from './route-check.ts'
import { type ProbeAlert, pathsOf } from './routing.ts'

/** Two alerts of one route that differ in one label. */
export interface GroupingPair {
  readonly route: Route
  readonly one: ProbeAlert
  readonly other: ProbeAlert
  /** The label in which they differ. */
  readonly differsIn: string
}

/**
 * For each route a pair that differs in nothing that it groups by, and for each label of its group_by one that differs in
 * that alone, if the matchers leave that label free.
 */
export function groupingPairs(alerts: readonly ProbeAlert[], probes: readonly Probe[], root: Route): GroupingPair[] {
  const tried = new Set<Route>()
  return alerts.flatMap((one, n) => {
    const route = probes[n]?.route
    if (!route || tried.has(route) || !one.routes.includes(route)) return []
    tried.add(route)
    const labelNames = route.groupBy.filter((name) => name !== '...' && name !== probeLabel)
    const variants: readonly (readonly [string, Labels])[] = [
      [probeLabel, one.labels],
      ...labelNames.map((name) => [name, { ...one.labels, [name]: `${one.labels[name] ?? ''}-other` }] as const),
    ]
    return variants.flatMap(([differsIn, labels], v) => {
      const id = `${one.id}-${v}`
      const routes = routesOf({ ...labels, [probeLabel]: id }, root)
      return pathsOf(routes) === pathsOf(one.routes) ? [{ route, one, other: { id, labels, routes }, differsIn }] : []
    })
  })
}

/** Judges group keys and batches: group_by puts together what has its labels in common, and nothing else. */
export function groupingCheck(
  route: Route,
  pairs: readonly GroupingPair[],
  deliveries: readonly Delivery[],
  window: Window,
): CheckResult {
  const groupsOf = (id: string) =>
    new Set(deliveries.filter((delivery) => delivery.id === id).map((found) => `${found.receiver} ${found.groupKey}`))
  let empty = true
  const told: string[] = []
  const problems = pairs.flatMap(({ one, other, differsIn }) => {
    const [mine, theirs] = [groupsOf(one.id), groupsOf(other.id)]
    if (mine.size > 0 && theirs.size > 0) empty = false
    const common = [...mine].filter((key) => theirs.has(key)).length
    const joining = one.routes.filter((each) => groupsTogether(each, one, other))
    const expected = new Set(joining.map(({ receiver, matchers }) => JSON.stringify([receiver, matchers]))).size
    const batched = deliveries.some(({ id, together }) => id === one.id && together.includes(other.id))
    told.push(`${differsIn}: ${common} of ${mine.size} groups in common`)
    if (common !== expected) {
      return [
        `alerts that differ in ${differsIn} alone share ${common} groups; group_by ${wordsOf(route)} says ${expected}`,
      ]
    }
    return expected > 0 && !batched
      ? [`alerts that differ in ${differsIn} alone were never told in one notification, though they share a group`]
      : []
  })
  return routeCheck(
    {
      id: `grouping.${route.path}`,
      title: `${route.path} tells together what its group_by puts together, and apart what it keeps apart`,
      expected: `pairs of alerts share a group if and only if they agree in group_by ${wordsOf(route)}`,
      window,
    },
    { actual: told.join('; '), problems, empty },
  )
}

function groupsTogether({ groupBy }: Route, one: ProbeAlert, other: ProbeAlert): boolean {
  if (groupBy.includes('...')) return false
  const labelOf = (alert: ProbeAlert, name: string) => (name === probeLabel ? alert.id : (alert.labels[name] ?? ''))
  return groupBy.every((name) => labelOf(one, name) === labelOf(other, name))
}

function wordsOf({ groupBy }: Route): string {
  return `[${groupBy.join(', ')}]`
}
