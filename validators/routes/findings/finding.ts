import type { Labels } from '../../../lib/matcher.ts'
import type { Route } from '../../../lib/route-tree.ts'
import type { AlertmanagerFile } from '../alertmanager-file.ts'
import type { Derived } from '../derive.ts'
import type { AskCalendar } from '../intervals.ts'

/** What can be found in a file without starting anything; each is one check, `alerts.route.<kind>`. */
export const findingKinds = {
  unreachable: 'Every route can be reached by some alert',
  'never-answers': 'Every route that names a receiver answers to some alert itself',
  'fall-through': 'No critical alert falls through to the default receiver',
  'duplicate-delivery': 'No alert reaches the same receiver twice',
  'idle-continue': 'Each continue lets an alert reach a further route',
  grouping: 'Notifications keep apart what routes tell apart',
  'critical-muted': 'A critical alert is told to somebody at any time',
  'critical-inhibited': 'No critical alert is inhibited by a lesser one',
  misspelt: 'Labels and values of matchers are spelt like those of alerts and of other matchers',
  unused: 'Receivers, time intervals and templates are there and are used',
} as const
export type FindingKind = keyof typeof findingKinds

/** Something about the file that its author should know. */
export interface Finding {
  readonly kind: FindingKind
  /** `fails`: it is proven to be wrong. `noted`: it may be meant so. `undecided`: neither was proven. */
  readonly severity: 'fails' | 'noted' | 'undecided'
  /** In the file, from 1. */
  readonly line: number
  /** Begins with what it is about: `route.routes[2]`. */
  readonly sentence: string
}

/** An alert that is known to exist: of a rule file, or of the expectation file. */
export interface KnownAlert {
  readonly labels: Labels
  /** Where it is known from: `rules/web.yml:12`. */
  readonly from: string
}

/** What the search for findings has to go by. */
export interface Examined {
  readonly file: AlertmanagerFile
  readonly derived: readonly Derived[]
  readonly parents: ReadonlyMap<Route, Route>
  /** Without rules nothing is known, and some findings are only noted. */
  readonly known: readonly KnownAlert[]
  readonly askCalendar: AskCalendar | undefined
}

const severityLabel = /^(severity|priority|level|urgency)$/i
const criticalValue = /^(critical|crit|page|pager|emergency|disaster|fatal|p0|p1|sev-?0|sev-?1)$/i

/** The label by which this alert is one that must wake somebody; undefined if it is none. */
export function criticalLabel(labels: Labels): string | undefined {
  return Object.entries(labels).find(([name, value]) => isCritical(name, value))?.[0]
}

export function isCritical(name: string, value: string): boolean {
  return severityLabel.test(name) && criticalValue.test(value)
}

export function isSeverity(name: string): boolean {
  return severityLabel.test(name)
}
