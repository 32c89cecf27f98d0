import { findLabels, type Wanted } from '../../../lib/label-set.ts'
import { allRoutes, type Route, routesOf } from '../../../lib/route-tree.ts'
import { wantedToAnswer, wantedToEnter, wayTo } from '../derive.ts'
import { inWords } from '../route-check.ts'
import type { Examined, Finding } from './finding.ts'

/** Routes that no alert reaches, or that none is left for. */
export function unreachableRoutes({ derived, file: { root } }: Examined): Finding[] {
  return derived.flatMap(({ route, state, reason }): Finding[] => {
    const { path, line, receiver } = route
    if (state === 'unreachable') {
      const sentence = `${path} (receiver ${receiver}) is reached by no alert: ${reason}`
      return [{ kind: 'unreachable', severity: 'fails', line, sentence }]
    }
    if (state === 'undecided') {
      const sentence = `${path} (receiver ${receiver}): whether an alert reaches it was not decided, ${reason}`
      return [{ kind: 'unreachable', severity: 'undecided', line, sentence }]
    }
    if (state === 'entered') {
      const what = route === root ? `the default receiver ${receiver}` : `receiver ${receiver}`
      const sentence = `${path} (${what}) never answers itself: ${reason}`
      return [{ kind: 'never-answers', severity: 'noted', line, sentence }]
    }
    return []
  })
}

/** `continue: true` after which nothing further can match. */
export function idleContinues({ file: { root }, parents }: Examined): Finding[] {
  return allRoutes(root).flatMap((route): Finding[] => {
    if (!route.continue) return []
    const siblings = parents.get(route)?.routes ?? []
    const later = siblings.slice(siblings.indexOf(route) + 1)
    const own = wantedToEnter(route, parents)
    if (later.some((sibling) => findLabels(both(own, wantedToEnter(sibling, parents))) !== 'none')) return []
    const why = later.length === 0 ? 'it is the last of its siblings' : 'no later sibling can match the same alert'
    const sentence = `${route.path} (receiver ${route.receiver}) has a continue that changes nothing: ${why}`
    return [{ kind: 'idle-continue', severity: 'noted', line: route.line, sentence }]
  })
}

/** Pairs of routes by which one alert reaches the same receiver twice. */
export function duplicateDeliveries({ file: { root }, parents, known }: Examined): Finding[] {
  const routes = allRoutes(root)
  return routes.flatMap((first, n) =>
    routes.slice(n + 1).flatMap((second): Finding[] => {
      if (second.receiver !== first.receiver || !mayBothAnswer(first, second, parents)) return []
      const [one, other] = [wantedToAnswer(first, parents), wantedToAnswer(second, parents)]
      const together = findLabels(both(one, other))
      if (typeof together === 'string') return []
      const told = known.find(({ labels }) => {
        const answering = routesOf(labels, root)
        return answering.includes(first) && answering.includes(second)
      })
      // Intervals may divide the time between the two.
      const divided = [first, second].some(
        (route) => route.muteTimeIntervals.length + route.activeTimeIntervals.length > 0,
      )
      const always = within(one, other) || within(other, one)
      const example = told ? `${told.labels.alertname} (${told.from})` : `an alert with ${inWords(together.labels)}`
      const sentence = `${second.path} and ${first.path} (line ${first.line}) tell receiver ${first.receiver} twice of ${example}`
      const severity = !divided && (told !== undefined || always) ? 'fails' : 'noted'
      return [{ kind: 'duplicate-delivery', severity, line: second.line, sentence }]
    }),
  )
}

function both(one: Wanted, other: Wanted): Wanted {
  return { all: [...one.all, ...other.all], none: [...one.none, ...other.none] }
}

/** True if every label set of the narrow one is one of the wide one. */
function within(narrow: Wanted, wide: Wanted): boolean {
  if (findLabels({ all: narrow.all, none: [...narrow.none, wide.all] }) !== 'none') return false
  return wide.none.every((matchers) => findLabels({ all: [...narrow.all, ...matchers], none: narrow.none }) === 'none')
}

/** True if the first one's branch, where the ways part, continues to the second one's. */
function mayBothAnswer(first: Route, second: Route, parents: ReadonlyMap<Route, Route>): boolean {
  const [one, other] = [wayTo(first, parents), wayTo(second, parents)]
  const parting = one.findIndex((route, n) => route !== other[n])
  return parting > 0 && one[parting]?.continue === true && other[parting] !== undefined
}
