import { type Labels, type Matcher, matches } from './matcher.ts'

/** A node of Alertmanager's routing tree; what it did not say is inherited, but for its time intervals. */
export interface Route {
  /** `route`, `route.routes[2]`, `route.routes[2].routes[0]`. */
  readonly path: string
  /** In the file, from 1. */
  readonly line: number
  readonly receiver: string
  /** Label names, or `...` alone for all of them. */
  readonly groupBy: readonly string[]
  readonly groupWaitMs: number
  readonly groupIntervalMs: number
  readonly repeatIntervalMs: number
  readonly matchers: readonly Matcher[]
  readonly continue: boolean
  readonly muteTimeIntervals: readonly string[]
  readonly activeTimeIntervals: readonly string[]
  readonly routes: readonly Route[]
}

/**
 * The routes that answer to an alert, in the order in which they are asked: Alertmanager's dispatch.Route.Match. A route answers itself
 * only if none of its children does; a route that matched and does not continue ends the search among its siblings.
 */
export function routesOf(labels: Labels, root: Route): readonly Route[] {
  if (!matches(root.matchers, labels)) return []
  const found: Route[] = []
  for (const child of root.routes) {
    const answering = routesOf(labels, child)
    found.push(...answering)
    if (answering.length > 0 && !child.continue) break
  }
  return found.length === 0 ? [root] : found
}

/** The route and all below it, each before its children. */
export function allRoutes(root: Route): readonly Route[] {
  return [root, ...root.routes.flatMap(allRoutes)]
}
