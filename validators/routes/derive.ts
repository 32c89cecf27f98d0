import { type Found, findLabels, type Wanted } from '../../lib/label-set.ts'
import { type Labels, matcher, matches } from '../../lib/matcher.ts'
import { samples } from '../../lib/regular-language.ts'
import { allRoutes, type Route } from '../../lib/route-tree.ts'
import type { Probe } from './examine.ts'

/** What is known of one route: label sets that it answers to, or why there are none. */
export interface Derived {
  readonly route: Route
  readonly probes: readonly Probe[]
  /**
   * `answers`: the probes prove it. `entered`: alerts come in, but its children take all of them. `unreachable`: proven, for the
   * reason given. `undecided`: the search was given up.
   */
  readonly state: 'answers' | 'entered' | 'unreachable' | 'undecided'
  readonly reason?: string
}

/** Values that a regular expression lists beyond so many get no probe of their own. */
const mostAlternatives = 20

/** The alert name of probes, wherever routing leaves it open. */
const probeName = 'MusterProbe'

/** Label sets for every route of the tree, the root first, in the tree's order. */
export function derive(root: Route): readonly Derived[] {
  const parents = parentsOf(root)
  return allRoutes(root).map((route) => deriveOne(route, parents))
}

function deriveOne(route: Route, parents: ReadonlyMap<Route, Route>): Derived {
  const answering = wantedToAnswer(route, parents)
  const found = findProbe(answering)
  if (found === 'undecided')
    return { route, probes: [], state: 'undecided', reason: 'the search for a label set was given up' }
  if (found !== 'none') {
    const listed = alternativesWanted(route, answering).flatMap((wanted) => {
      const one = findProbe(wanted)
      return typeof one === 'string' ? [] : [one.labels]
    })
    const sets = listed.length > 0 ? listed : [found.labels]
    return { route, probes: distinct(sets).map((labels) => ({ route, labels })), state: 'answers' }
  }
  const entering = findLabels(wantedToEnter(route, parents))
  if (entering === 'undecided')
    return { route, probes: [], state: 'undecided', reason: 'the search for a label set was given up' }
  if (entering !== 'none') return { route, probes: [], state: 'entered', reason: 'its own routes take every alert' }
  return { route, probes: [], state: 'unreachable', reason: whyUnreachable(route, parents) }
}

/** Each route's parent; the root has none. */
export function parentsOf(root: Route): ReadonlyMap<Route, Route> {
  return new Map(allRoutes(root).flatMap((route) => route.routes.map((child) => [child, route] as const)))
}

/** The way from the root to the route, both included. */
export function wayTo(route: Route, parents: ReadonlyMap<Route, Route>): readonly Route[] {
  const parent = parents.get(route)
  return parent ? [...wayTo(parent, parents), route] : [route]
}

/** What labels must fulfil to be matched against the route's children: all matchers on the way, and no earlier sibling that ends the search. */
export function wantedToEnter(route: Route, parents: ReadonlyMap<Route, Route>): Wanted {
  const way = wayTo(route, parents)
  return {
    all: way.flatMap(({ matchers }) => matchers),
    none: way.flatMap((node) => earlierStoppers(node, parents).map(({ matchers }) => matchers)),
  }
}

/** What labels must fulfil for the route itself to answer: to enter it, and to match none of its children. */
export function wantedToAnswer(route: Route, parents: ReadonlyMap<Route, Route>): Wanted {
  const { all, none } = wantedToEnter(route, parents)
  return { all, none: [...none, ...route.routes.map(({ matchers }) => matchers)] }
}

function earlierStoppers(route: Route, parents: ReadonlyMap<Route, Route>): readonly Route[] {
  const siblings = parents.get(route)?.routes ?? []
  return siblings.slice(0, siblings.indexOf(route)).filter((sibling) => !sibling.continue)
}

/** Like findLabels, but with an alert name, which Prometheus gives to every alert. */
function findProbe(wanted: Wanted): Found {
  const named = findLabels({ ...wanted, all: [...wanted.all, matcher('alertname', '!=', '')] })
  const found = named === 'none' ? findLabels(wanted) : named
  if (typeof found === 'string') return found
  const renamed: Labels = { ...found.labels, alertname: probeName }
  return fulfils(renamed, wanted) ? { labels: renamed } : found
}

function fulfils(labels: Labels, { all, none }: Wanted): boolean {
  return matches(all, labels) && !none.some((matchers) => matches(matchers, labels))
}

/** What is wanted, once for each value that the route's own matchers list: `team=~"a|b"` is wanted as a and as b. */
function alternativesWanted(route: Route, wanted: Wanted): Wanted[] {
  return route.matchers
    .filter(({ operator }) => operator === '=~')
    .flatMap(({ name, language }) =>
      samples(language, mostAlternatives).texts.map((text) => ({
        ...wanted,
        all: [...wanted.all, matcher(name, '=', text)],
      })),
    )
}

function distinct(sets: readonly Labels[]): Labels[] {
  return [...new Map(sets.map((labels) => [labelsKey(labels), labels])).values()]
}

/** Equal for equal label sets. */
export function labelsKey(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function whyUnreachable(route: Route, parents: ReadonlyMap<Route, Route>): string {
  const way = wayTo(route, parents)
  const all = way.flatMap(({ matchers }) => matchers)
  if (findLabels({ all, none: [] }) === 'none') {
    const parent = parents.get(route)
    const alone = findLabels({ all: route.matchers, none: [] }) === 'none'
    return alone || !parent
      ? 'its matchers contradict each other'
      : `its matchers contradict those of ${parent.path} above it`
  }
  const stoppers = way.flatMap((node) => earlierStoppers(node, parents))
  const thief = stoppers.find(({ matchers }) => findLabels({ all, none: [matchers] }) === 'none')
  if (thief) return `${thief.path} (line ${thief.line}) takes every such alert before it, without continue`
  return `${stoppers.map(({ path }) => path).join(', ')} together take every such alert before it`
}
