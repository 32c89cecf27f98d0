import { z } from 'zod'
import { findLabels } from '../../../lib/label-set.ts'
import { type Matcher, matcher, matches } from '../../../lib/matcher.ts'
import { samples } from '../../../lib/regular-language.ts'
import { allRoutes, type Route, routesOf } from '../../../lib/route-tree.ts'
import type { NamedTimeInterval } from '../alertmanager-file.ts'
import { labelsKey } from '../derive.ts'
import { isMuted } from '../expected-receivers.ts'
import { inWords } from '../route-check.ts'
import { writeTree } from '../yaml-tree.ts'
import { criticalLabel, type Examined, type Finding, isCritical, isSeverity, type KnownAlert } from './finding.ts'

/** Values of severity labels that mean "wake somebody", as matchers and known alerts name them. */
function criticalValues({ file, known }: Examined): readonly (readonly [name: string, value: string])[] {
  const named = [
    ...allRoutes(file.root).flatMap(({ matchers }) => matchers),
    ...file.inhibitRules.flatMap(({ source, target }) => [...source, ...target]),
  ]
  const pairs = [
    ...named.flatMap(({ name, language }) => samples(language, 30).texts.map((value) => [name, value] as const)),
    ...known.flatMap(({ labels }) => Object.entries(labels)),
  ].filter(([name, value]) => isCritical(name, value))
  return [...new Map(pairs.map((pair) => [pair.join('='), pair])).values()]
}

/** Alerts that must wake somebody: the known ones, and those derived for routes. */
function criticalAlerts({ derived, known }: Examined): readonly KnownAlert[] {
  const probes = derived.flatMap(({ probes }) =>
    probes.map(({ labels }) => ({ labels, from: `an alert with ${inWords(labels)}` })),
  )
  const alerts = [...known.map((alert) => ({ ...alert, from: `${alert.labels.alertname} (${alert.from})` })), ...probes]
  return [...new Map(alerts.map((alert) => [labelsKey(alert.labels), alert])).values()].filter(
    ({ labels }) => criticalLabel(labels) !== undefined,
  )
}

/** Critical alerts that no route but the root takes, in a tree that sends others of them elsewhere. */
export function fallingThrough(examined: Examined): Finding[] {
  const { root } = examined.file
  const special = allRoutes(root).find(
    (route) => route.receiver !== root.receiver && route.matchers.some((one) => demandsCritical(one)),
  )
  if (root.routes.length === 0) return []
  const falls = ({ labels }: KnownAlert) => routesOf(labels, root).includes(root)
  const sentence = (who: string) =>
    `route: ${who} falls through to the default receiver ${root.receiver}${special ? `, unlike those of ${special.path} (${special.receiver})` : ''}`
  const proven = examined.known.filter(
    (alert) => falls(alert) && (criticalLabel(alert.labels) !== undefined || !special),
  )
  const found = proven.map((alert): Finding => {
    const severity = special && criticalLabel(alert.labels) !== undefined ? 'fails' : 'noted'
    return {
      kind: 'fall-through',
      severity,
      line: root.line,
      sentence: sentence(`${alert.labels.alertname} (${alert.from})`),
    }
  })
  const supposed = criticalValues(examined)
    .map(([name, value]) => ({ labels: { alertname: 'MusterProbe', [name]: value }, from: '' }))
    .filter((alert) => special !== undefined && falls(alert))
    .map(({ labels }): Finding => {
      const { alertname: _, ...others } = labels
      const who = `an alert with ${inWords(others)} and no other label`
      return { kind: 'fall-through', severity: 'noted', line: root.line, sentence: sentence(who) }
    })
  return [...found, ...supposed]
}

function demandsCritical({ name, operator, language }: Matcher): boolean {
  if (operator === '!=' || operator === '!~') return false
  return samples(language, 30).texts.some((value) => isCritical(name, value))
}

/** Critical alerts that time intervals leave unheard. */
export async function mutedCriticals(examined: Examined): Promise<Finding[]> {
  const { root, receivers } = examined.file
  const found = new Map<string, Finding>()
  for (const { labels, from } of criticalAlerts(examined)) {
    const telling = routesOf(labels, root).filter(
      ({ receiver }) => (receivers.get(receiver)?.integrations.length ?? 0) > 0,
    )
    const [last] = telling.toReversed()
    if (!last || !telling.every((route) => route.muteTimeIntervals.length + route.activeTimeIntervals.length > 0))
      continue
    const key = telling.map(({ path }) => path).join()
    if (found.has(key)) continue
    const gap = await firstGap(telling, examined)
    if (gap === 'none') continue
    const routes = telling.map(({ path }) => path).join(' and ')
    const sentence = `${routes}: ${from} is told to nobody ${gap === 'unknown' ? 'while all time intervals mute it' : `from ${gap} on`}`
    found.set(key, {
      kind: 'critical-muted',
      severity: gap === 'unknown' ? 'undecided' : 'fails',
      line: last.line,
      sentence,
    })
  }
  return [...found.values()]
}

/** Long enough for every date of a year, and the days of the week on which it can fall. */
const aheadMs = 366 * 86_400_000
const boundary = z.object({ at: z.string(), contains: z.boolean() })
const calendar = z.object({ contains: z.boolean(), boundaries: z.array(boundary) })

/** The first moment within a year at which all of the routes are muted. */
async function firstGap(
  routes: readonly Route[],
  { file, askCalendar }: Examined,
): Promise<string | 'none' | 'unknown'> {
  const intervals = [...new Set(routes.flatMap((route) => [...route.muteTimeIntervals, ...route.activeTimeIntervals]))]
    .map((name) => file.timeIntervals.get(name))
    .filter((interval) => interval !== undefined)
  if (!askCalendar) return alwaysTold(routes, intervals) ? 'none' : 'unknown'
  const from = new Date()
  const to = new Date(from.getTime() + aheadMs)
  const answers = await askCalendar(
    intervals.map((interval, id) => JSON.stringify({ id, intervals: writeTree(interval.intervals), from, to })),
  )
  const parsed = answers.map((answer) => calendar.safeParse(JSON.parse(answer)))
  const calendars = new Map(
    intervals.flatMap((interval, n) => {
      const one = parsed[n]
      return one?.success ? [[interval.name, one.data] as const] : []
    }),
  )
  if (calendars.size < intervals.length) return 'unknown'
  const moments = [
    from.getTime(),
    ...[...calendars.values()].flatMap(({ boundaries }) => boundaries.map(({ at }) => Date.parse(at))),
  ]
  const gap = moments
    .sort((a, b) => a - b)
    .find((moment) => routes.every((route) => isMuted(route, (name) => contains(name, moment))))
  return gap === undefined ? 'none' : `${new Date(gap).toISOString().slice(0, 16)}Z`

  function contains(name: string, moment: number): boolean {
    const one = calendars.get(name)
    const last = one?.boundaries.findLast(({ at }) => Date.parse(at) <= moment)
    return last?.contains ?? one?.contains ?? false
  }
}

/** True if, whatever the intervals contain, one of the routes is not muted, as with one interval active here and mute there. */
function alwaysTold(routes: readonly Route[], intervals: readonly NamedTimeInterval[]): boolean {
  if (intervals.length > 10) return false
  return Array.from({ length: 2 ** intervals.length }, (_, bits) => bits).every((bits) => {
    const containing = new Set(intervals.filter((_, n) => (bits >> n) & 1).map(({ name }) => name))
    return routes.some((route) => !isMuted(route, (name) => containing.has(name)))
  })
}

/** Inhibition rules that can silence a critical alert. */
export function inhibitedCriticals(examined: Examined): Finding[] {
  const values = criticalValues(examined)
  return examined.file.inhibitRules.flatMap((rule): Finding[] => {
    const hit = values.find(
      ([name, value]) => findLabels({ all: [...rule.target, matcher(name, '=', value)], none: [] }) !== 'none',
    )
    if (!hit) return []
    const [name, value] = hit
    // One critical alert in place of others is what inhibition is for.
    const sourceSaysLess = rule.source.some((one) => isSeverity(one.name) && !matches([one], { [one.name]: value }))
    const title = `${rule.path}${rule.name === undefined ? '' : ` (${rule.name})`}`
    if (sourceSaysLess) {
      const sentence = `${title} lets a lesser alert inhibit one with ${name}="${value}": source and target are the wrong way round`
      return [{ kind: 'critical-inhibited', severity: 'fails', line: rule.line, sentence }]
    }
    const sentence = `${title} can inhibit an alert with ${name}="${value}"${rule.equal.length === 0 ? ', whatever its labels: it has no equal' : ''}`
    return [{ kind: 'critical-inhibited', severity: 'noted', line: rule.line, sentence }]
  })
}
