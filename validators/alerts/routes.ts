import { parse } from 'yaml'
import { z } from 'zod'
import type { RouteTiming } from '../../lib/alert-timing.ts'
import { type Labels, matchesLabel } from '../../lib/matcher.ts'
import { type Route, routesOf } from '../../lib/route-tree.ts'
import { type AlertmanagerFile, parseAlertmanagerFile } from '../routes/alertmanager-file.ts'

/** One integration that an alert's notifications go to, and the route that leads to it. */
export interface Destination {
  readonly route: Route
  /** Alertmanager's name of the receiver. */
  readonly receiver: string
  /** slack, email, ... */
  readonly type: string
  readonly sendResolved: boolean
}

/** Alertmanager's routing as it told it. */
export interface Routing {
  readonly file: AlertmanagerFile
  /** By receiver and list, as `critical slack_configs`: whether each integration reports resolutions. */
  readonly sendResolved: ReadonlyMap<string, readonly boolean[]>
}

const receivers = z.object({ receivers: z.array(z.record(z.string(), z.unknown())) })
const integrations = z.array(z.object({ send_resolved: z.boolean().optional() }))

/**
 * Reads the configuration that Alertmanager tells of itself, in which each `send_resolved` is written out.
 * @throws UsageError if it cannot be read
 */
export function readRouting(configuration: string): Routing {
  const sendResolved = new Map<string, boolean[]>()
  for (const receiver of receivers.parse(parse(configuration)).receivers) {
    for (const [list, value] of Object.entries(receiver)) {
      const parsed = integrations.safeParse(value)
      if (parsed.success) {
        sendResolved.set(
          `${String(receiver.name)} ${list}`,
          parsed.data.map(({ send_resolved: sends = true }) => sends),
        )
      }
    }
  }
  return { file: parseAlertmanagerFile(configuration, "Alertmanager's own configuration"), sendResolved }
}

/** Every integration that the routes of these labels lead to. */
export function destinationsOf(labels: Labels, { file, sendResolved }: Routing): Destination[] {
  return routesOf(labels, file.root).flatMap((route) =>
    (file.receivers.get(route.receiver)?.integrations ?? []).map(({ type, index }) => ({
      route,
      receiver: route.receiver,
      type: type.replace(/_configs$/, ''),
      sendResolved: sendResolved.get(`${route.receiver} ${type}`)?.[index] ?? true,
    })),
  )
}

/**
 * Those destinations that an entry of `reaches` can mean. Alertmanager does not tell its webhooks' URLs, so an entry is
 * tied to the receiver of that name, else to the integrations of the type it names or begins with, else to all.
 * @param seenType the integration that did deliver there, which leaves less to guess
 */
export function meantBy(
  entry: string,
  destinations: readonly Destination[],
  seenType?: string,
): readonly Destination[] {
  const [type = '', name] = entry.includes('/') ? entry.split('/') : [undefined, entry]
  const sameType = (wanted: string) => destinations.filter((one) => one.type === wanted)
  const candidates = [
    destinations.filter((one) => one.receiver === name && (type === '' || one.type === type)),
    sameType(type),
    sameType(seenType ?? ''),
    sameType(name ?? ''),
    sameType((name ?? '').split('-')[0] ?? ''),
  ]
  return candidates.find((found) => found.length > 0) ?? destinations
}

/** The waiting times of several destinations, as one that is as quick as the quickest and as slow as the slowest. */
export function routeTimings(destinations: readonly Destination[], mayJoin: boolean): RouteTiming[] {
  return destinations.map(({ route }) => ({
    groupWait: route.groupWaitMs,
    groupInterval: route.groupIntervalMs,
    mayJoin,
  }))
}

/** Routes that take these labels although nothing on the way to them asks for the label: others hear of a drill there. */
export function undrilled(labels: Labels, drill: string, { file }: Routing): readonly Route[] {
  return routesOf(labels, file.root).filter((route) => !ancestry(route, file.root).some((one) => asksFor(one, drill)))
}

function asksFor({ matchers }: Route, label: string): boolean {
  return matchers.some((matcher) => matcher.name === label && !matchesLabel(matcher, {}))
}

function ancestry(route: Route, root: Route): Route[] {
  if (route === root) return [root]
  for (const child of root.routes) {
    const below = ancestry(route, child)
    if (below.length > 0) return [root, ...below]
  }
  return []
}
