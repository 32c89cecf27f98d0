import type { Route } from '../../lib/route-tree.ts'
import type { AlertmanagerFile } from './alertmanager-file.ts'
import type { Change } from './experiment.ts'
import type { WaitingTimes } from './waiting-times.ts'
import { type Branch, branch, isBranch, isList, plain, quoted, type Tree } from './yaml-tree.ts'

/** What a route's time intervals are while an experiment lasts; by default none of them mutes. */
export interface Calendar {
  /** Those of mute_time_intervals that contain all time; the others contain none. */
  readonly muteAlways: readonly number[]
  /** Those of active_time_intervals that contain no time; the others contain all. */
  readonly activeNever: readonly number[]
}

const always = 'muster-always'
const never = 'muster-never'
const nothingMutes: Calendar = { muteAlways: [], activeNever: [] }

/**
 * The file's routes with scaled waiting times, and its time intervals replaced in their places by such as contain all
 * time or none: what a route does must not depend on the hour at which it is tried.
 */
export function withRoutes(
  { tree, root }: AlertmanagerFile,
  { scaled }: WaitingTimes,
  calendarOf: (route: Route) => Calendar | undefined = () => undefined,
): Change {
  const changed = (original: Tree | undefined, route: Route): Branch => {
    const made: Branch = new Map(isBranch(original) ? original : [])
    made.set('group_wait', milliseconds(scaled(route.groupWaitMs)))
    made.set('group_interval', milliseconds(scaled(route.groupIntervalMs)))
    made.set('repeat_interval', milliseconds(scaled(route.repeatIntervalMs)))
    const { muteAlways, activeNever } = calendarOf(route) ?? nothingMutes
    if (route.muteTimeIntervals.length > 0) {
      made.set(
        'mute_time_intervals',
        route.muteTimeIntervals.map((_, n) => quoted(muteAlways.includes(n) ? always : never)),
      )
    }
    if (route.activeTimeIntervals.length > 0) {
      made.set(
        'active_time_intervals',
        route.activeTimeIntervals.map((_, n) => quoted(activeNever.includes(n) ? never : always)),
      )
    }
    const children = made.get('routes')
    if (isList(children)) {
      made.set(
        'routes',
        route.routes.map((child, n) => changed(children[n], child)),
      )
    }
    return made
  }
  return (rewritten) => {
    rewritten.set('route', changed(tree.get('route'), root))
    rewritten.delete('mute_time_intervals')
    rewritten.set('time_intervals', [
      branch({ name: quoted(always), time_intervals: [branch({ years: [quoted('1970:9999')] })] }),
      branch({ name: quoted(never), time_intervals: [branch({ years: [quoted('1970')] })] }),
    ])
  }
}

/** Several changes, one after the other. */
export function all(...changes: readonly Change[]): Change {
  return (tree) => {
    for (const change of changes) change(tree)
  }
}

/** Without inhibition rules: probes of different routes must not mute each other. */
export const withoutInhibition: Change = (tree) => {
  tree.delete('inhibit_rules')
}

export function milliseconds(ms: number): Tree {
  return plain(`${ms}ms`)
}
