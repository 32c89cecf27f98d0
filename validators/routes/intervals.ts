import { z } from 'zod'
import { pause } from '../../lib/poll.ts'
import { allRoutes, type Route } from '../../lib/route-tree.ts'
import type { CheckResult } from '../../lib/verdict.ts'
import type { AlertmanagerFile, NamedTimeInterval } from './alertmanager-file.ts'
import type { Probe } from './examine.ts'
import { Experiment, type Surroundings } from './experiment.ts'
import { all, type Calendar, withoutInhibition, withRoutes } from './route-changes.ts'
import { receiversInWords, routeCheck, skippedCheck } from './route-check.ts'
import { probeAlert, slackMs } from './routing.ts'
import type { WaitingTimes } from './waiting-times.ts'
import { writeTree } from './yaml-tree.ts'

/** One line to the helper program `timeinterval`, one line back for each. */
export type AskCalendar = (questions: readonly string[]) => Promise<readonly string[]>

/** One place in which a time interval is tried, and whether the route then has to be silent. */
interface Place {
  readonly words: string
  readonly calendar: Calendar
  readonly muted: boolean
}

/**
 * The places of a route's time intervals, one after the other as an always or a never. That none of them mutes when none
 * should is proven by the experiment on routes.
 */
function placesOf({ muteTimeIntervals: mute, activeTimeIntervals: active }: Route): Place[] {
  const others = (n: number) => active.map((_, index) => index).filter((index) => index !== n)
  return [
    ...mute.map((name, n) => ({
      words: `mute_time_intervals "${name}" contains all time`,
      calendar: { muteAlways: [n], activeNever: [] },
      muted: true,
    })),
    ...(active.length > 0
      ? [
          {
            words: `active_time_intervals ${active.map((name) => `"${name}"`).join(', ')} contain no time`,
            calendar: { muteAlways: [], activeNever: others(-1) },
            muted: true,
          },
        ]
      : []),
    // One that is active is enough.
    ...(active.length > 1
      ? active.map((name, n) => ({
          words: `of active_time_intervals only "${name}" contains all time`,
          calendar: { muteAlways: [], activeNever: others(n) },
          muted: false,
        }))
      : []),
  ]
}

/** Tries each time interval in its place: in each round every route has one of its intervals turned round. */
export async function tryIntervals(
  around: Surroundings,
  probes: readonly Probe[],
  times: WaitingTimes,
): Promise<CheckResult[]> {
  const places = new Map(allRoutes(around.file.root).map((route) => [route, placesOf(route)]))
  const rounds = Math.max(0, ...[...places.values()].map(({ length }) => length))
  const found = new Map<Route, { problems: string[]; told: string[]; empty: boolean }>()
  const from = Date.now()
  await Promise.all(Array.from({ length: rounds }, (_, round) => tryRound(round)))
  return [...places].flatMap(([route, { length }]) => {
    if (length === 0) return []
    const { problems, told, empty } = found.get(route) ?? { problems: [], told: [], empty: true }
    return [
      routeCheck(
        {
          id: `intervals.${route.path}`,
          title: `${route.path} is muted and active by its time intervals`,
          expected: `silent while an interval mutes it, told otherwise (line ${route.line})`,
          window: { from, to: Date.now() },
        },
        { actual: told.join('; ') || 'no probe reaches it', problems, empty },
      ),
    ]
  })

  async function tryRound(round: number): Promise<void> {
    const placeIn = (route: Route) => places.get(route)?.[round]
    const alerts = probes
      .map(({ route, labels }, n) => ({ route, alert: probeAlert(`t${n}`, labels, around.file.root) }))
      .filter(({ route, alert }) => placeIn(route) && alert.routes.includes(route))
    if (alerts.length === 0) return
    const change = all(
      withRoutes(around.file, times, (route) => placeIn(route)?.calendar),
      withoutInhibition,
    )
    const experiment = await Experiment.open(`intervals-${round}`, around, change)
    try {
      const settledMs = times.longestGroupWait + times.longestGroupInterval
      const expected = new Map(
        alerts.map(({ alert }) => [
          alert.id,
          alert.routes
            .filter((route) => !placeIn(route)?.muted)
            .map(({ receiver }) => receiver)
            .sort(),
        ]),
      )
      const receiversOf = (id: string) => {
        const groups = experiment.deliveries().filter((delivery) => delivery.id === id)
        return [...new Map(groups.map((one) => [`${one.receiver} ${one.groupKey}`, one.receiver])).values()].sort()
      }
      const firedAt = await experiment.fire(alerts.map(({ alert }) => alert))
      await experiment.until(
        () => alerts.every(({ alert: { id } }) => receiversOf(id).length >= (expected.get(id)?.length ?? 0)),
        (reached) => reached,
        settledMs + slackMs,
      )
      await pause(Math.max(0, firedAt + settledMs - Date.now()), around.signal)
      experiment.alive()
      for (const { route, alert } of alerts) {
        const [should, did] = [expected.get(alert.id) ?? [], receiversOf(alert.id)]
        const so = found.get(route) ?? { problems: [], told: [], empty: false }
        const words = placeIn(route)?.words ?? ''
        so.told.push(`${words}: told to ${receiversInWords(did)}`)
        if (should.join('\n') !== did.join('\n')) {
          so.problems.push(`when ${words}, ${receiversInWords(did)} is told instead of ${receiversInWords(should)}`)
        }
        found.set(route, so)
      }
    } finally {
      await experiment.close()
    }
  }
}

const boundary = z.object({ at: z.iso.datetime({ offset: true }), contains: z.boolean() })
const moment = z.object({ id: z.number(), contains: z.boolean() })
const calendarAnswer = z.union([
  z.object({
    id: z.number(),
    contains: z.boolean(),
    boundaries: z.array(boundary),
    offset_changes: z.array(
      z.object({ at: z.iso.datetime({ offset: true }), location: z.string(), before: z.number(), after: z.number() }),
    ),
  }),
  z.object({ id: z.number(), error: z.string() }),
])

const yearMs = 366 * 86_400_000
const minuteMs = 60_000

/**
 * What each calendar means, by Alertmanager's own package: over the year to come, at each boundary the minute before and
 * the minute itself, and across each change of daylight saving. A calendar that never or always holds is worthless in its
 * place.
 */
export async function calendarChecks(
  { timeIntervals }: AlertmanagerFile,
  ask: AskCalendar | undefined,
  now = Date.now(),
): Promise<CheckResult[]> {
  const named = [...timeIntervals.values()]
  const title = ({ name }: NamedTimeInterval) =>
    `Time interval "${name}" begins and ends at the minutes that its calendar says`
  if (!ask || named.length === 0) {
    return named.map((one) =>
      skippedCheck(`calendar.${one.name}`, title(one), 'The program timeinterval was not given.'),
    )
  }
  const [from, to] = [Math.ceil(now / minuteMs) * minuteMs, now + yearMs]
  const questions = named.map(({ intervals }, id) =>
    JSON.stringify({ id, intervals: writeTree(intervals), from: iso(from), to: iso(to) }),
  )
  const answers = (await ask(questions)).map((line) => calendarAnswer.parse(JSON.parse(line)))
  return Promise.all(
    named.map(async (one, id) => {
      const question = {
        id: `calendar.${one.name}`,
        title: title(one),
        expected: 'some time inside and some outside within a year, and each boundary where the minute turns',
        window: { from, to },
      }
      const answer = answers.find((candidate) => candidate.id === id)
      if (!answer || 'error' in answer) {
        const why = answer && 'error' in answer ? answer.error : 'no answer'
        return routeCheck(question, {
          actual: why,
          problems: [`"${one.name}" (line ${one.line}) is not understood: ${why}`],
        })
      }
      const { boundaries, offset_changes: changes, contains } = answer
      const wrong = await turning(
        ask,
        one,
        boundaries,
        changes.map(({ at }) => Date.parse(at)),
      )
      const problems = [
        ...(boundaries.length === 0
          ? [`"${one.name}" (line ${one.line}) contains ${contains ? 'all' : 'no'} time within a year from now`]
          : []),
        ...wrong,
      ]
      const zones = [...new Set(changes.map(({ location }) => location))]
      const actual = [
        `${boundaries.length} boundaries within a year`,
        ...boundaries.slice(0, 2).map(({ at, contains: begins }) => `${begins ? 'begins' : 'ends'} ${at}`),
        ...(zones.length > 0
          ? [
              `${changes.length} changes of daylight saving (${zones.join(', ')}): ${aroundChange(boundaries, changes[0]?.at)}`,
            ]
          : ['no daylight saving']),
      ].join('; ')
      return routeCheck(question, { actual, problems })
    }),
  )
}

type Boundary = z.infer<typeof boundary>

/** Asks again, moment by moment, at the first and the last boundaries and next to changes of the clock. */
async function turning(
  ask: AskCalendar,
  { name, intervals }: NamedTimeInterval,
  boundaries: readonly Boundary[],
  changes: readonly number[],
) {
  const beside = changes.flatMap((change) => {
    const next = boundaries.findIndex(({ at }) => Date.parse(at) >= change)
    const place = next < 0 ? boundaries.length : next
    return boundaries.slice(Math.max(0, place - 2), place + 2)
  })
  const tried = [...new Set([...boundaries.slice(0, 10), ...beside, ...boundaries.slice(-10)])]
  const asked = tried.flatMap(({ at, contains }, n) => [
    { id: 2 * n, at: Date.parse(at) - minuteMs, contains: !contains },
    { id: 2 * n + 1, at: Date.parse(at), contains },
  ])
  if (asked.length === 0) return []
  const tree = writeTree(intervals)
  const lines = await ask(asked.map(({ id, at }) => JSON.stringify({ id, intervals: tree, at: iso(at) })))
  const answers = lines.map((line) => moment.parse(JSON.parse(line)))
  return asked
    .filter(({ id, contains }) => answers.find((answer) => answer.id === id)?.contains !== contains)
    .map(
      ({ at, contains }) => `"${name}" ${contains ? 'does not contain' : 'contains'} ${iso(at)}, against its calendar`,
    )
}

/** How the hour of a boundary, in UTC, moves with the clock: the same hour on the wall. */
function aroundChange(boundaries: readonly Boundary[], change: string | undefined): string {
  if (change === undefined) return ''
  const at = Date.parse(change)
  const before = boundaries.findLast((one) => one.contains && Date.parse(one.at) < at)
  const after = boundaries.find((one) => one.contains && Date.parse(one.at) >= at)
  return `begins ${before?.at ?? 'never'} before ${change}, ${after?.at ?? 'never'} after`
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
