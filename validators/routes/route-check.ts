import type { CheckResult, Window } from '../../lib/verdict.ts'
import { type Finding, judged } from '../check.ts'

/** What identifies a check of the user's file, and how it was asked. */
export interface RouteQuestion {
  /** Behind `alerts.route.` */
  readonly id: string
  readonly title: string
  readonly expected: string
  readonly window: Window
  readonly reproduce?: string
}

export function routeCheck({ id, title, ...asking }: RouteQuestion, finding: Finding): CheckResult {
  return { id: `alerts.route.${id}`, title, signal: 'alerts', ...judged(finding, asking) }
}

/** What could not be put, or needs no putting. */
export function skippedCheck(id: string, title: string, reason: string): CheckResult {
  const evidence = { expected: title, actual: 'not asked', attempts: 0, elapsedMs: 0 }
  return { id: `alerts.route.${id}`, title, signal: 'alerts', verdict: 'skipped', reason, evidence }
}

/** `severity="critical", team="x"` */
export function inWords(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)}`)
    .join(', ')
}

/** Receivers with how often, if more than once. */
export function receiversInWords(receivers: readonly string[]): string {
  if (receivers.length === 0) return 'nobody'
  const times = new Map<string, number>()
  for (const receiver of receivers) times.set(receiver, (times.get(receiver) ?? 0) + 1)
  return [...times].map(([receiver, n]) => (n === 1 ? receiver : `${receiver} (${n} times)`)).join(', ')
}
