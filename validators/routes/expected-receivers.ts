import { z } from 'zod'
import type { Labels } from '../../lib/matcher.ts'
import { type Route, routesOf } from '../../lib/route-tree.ts'
import type { CheckResult } from '../../lib/verdict.ts'
import type { AlertmanagerFile } from './alertmanager-file.ts'
import { labelsKey } from './derive.ts'
import type { Expected } from './expectation.ts'
import type { AskCalendar } from './intervals.ts'
import { inWords, receiversInWords, routeCheck, skippedCheck } from './route-check.ts'
import { writeTree } from './yaml-tree.ts'

const title = 'Each alert of the expectation file is told to exactly its receivers'

/** An alert that was sent, and who was told. */
export interface Reached {
  readonly expected: Expected
  readonly receivers: readonly string[]
}

/** Compares who was told with who had to be. */
export function expectationResult(path: string, reached: readonly Reached[], from: number): CheckResult {
  const problems = reached
    .filter(({ expected, receivers }) => !sameReceivers(expected.receivers, receivers))
    .map(inDiff)
  return routeCheck(
    { id: 'expectation', title, expected: `the receivers of ${path}`, window: { from, to: Date.now() } },
    {
      actual: `${reached.length - problems.length} of ${reached.length} as expected`,
      problems: problems.map((problem) => `${path}:${problem}`),
      empty: reached.length === 0,
    },
  )
}

/** Label sets that were sent, and that the file says nothing of; none if it says something of all. */
export function unlisted(
  path: string,
  sent: readonly { readonly labels: Labels }[],
  listed: readonly Expected[],
): CheckResult[] {
  const known = new Set(listed.map(({ labels }) => labelsKey(labels)))
  const missing = sent.filter(({ labels }) => !known.has(labelsKey(labels)))
  const [first] = missing
  if (!first) return []
  const reason = `${path} has no entry for ${missing.length} of ${sent.length} label sets, the first {${inWords(first.labels)}}: who is told of them was compared with nothing; --update adds them`
  return [skippedCheck('expectation-unlisted', 'The expectation file says who is told of every label set', reason)]
}

/** The check on a first run, which has nothing to compare with. */
export function expectationWritten(path: string, entries: number): CheckResult {
  return skippedCheck(
    'expectation',
    title,
    `${path} was written with ${entries} label sets: nothing was compared; read it, and keep it with the file`,
  )
}

function inDiff({ expected, receivers }: Reached): string {
  const { labels, at, line } = expected
  const when = at === undefined ? '' : ` at ${new Date(at).toISOString()}`
  return `${line} an alert with ${inWords(labels)}${when}: expected ${receiversInWords(expected.receivers)}, told ${receiversInWords(receivers)}`
}

/** In any order, each as often. */
export function sameReceivers(some: readonly string[], others: readonly string[]): boolean {
  return some.toSorted().join('\n') === others.toSorted().join('\n')
}

const moment = z.object({ contains: z.boolean() })

/**
 * Who is told of alerts at given times: the receivers of the routes that the labels reach and that no time interval mutes then, as the
 * helper program `timeinterval` says.
 * @returns one list for each entry, in order
 */
export async function receiversAt(
  entries: readonly (Expected & { readonly at: number })[],
  { root, timeIntervals }: AlertmanagerFile,
  ask: AskCalendar,
): Promise<readonly (readonly string[])[]> {
  const asked = entries.flatMap(({ at }) => [...timeIntervals.values()].map((interval) => ({ at, interval })))
  const answers =
    asked.length === 0
      ? []
      : await ask(
          asked.map(({ at, interval }, id) =>
            JSON.stringify({ id, intervals: writeTree(interval.intervals), at: new Date(at).toISOString() }),
          ),
        )
  const containing = new Set(
    asked.flatMap(({ at, interval }, n) => {
      const { contains } = moment.parse(JSON.parse(answers[n] ?? '{}'))
      return contains ? [`${at} ${interval.name}`] : []
    }),
  )
  return entries.map(({ labels, at }) =>
    routesOf(labels, root)
      .filter((route) => !isMuted(route, (name) => containing.has(`${at} ${name}`)))
      .map(({ receiver }) => receiver),
  )
}

/** True if a time interval mutes the route: Alertmanager's TimeMuteStage and TimeActiveStage. @param contains of an interval's name, now */
export function isMuted(route: Route, contains: (interval: string) => boolean): boolean {
  if (route.muteTimeIntervals.some(contains)) return true
  return route.activeTimeIntervals.length > 0 && !route.activeTimeIntervals.some(contains)
}
