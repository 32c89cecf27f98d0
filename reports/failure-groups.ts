import { isAbsolute, relative, sep } from 'node:path'
import type { Position, PositionFinder } from '../lib/position.ts'
import { type CheckResult, isRed, type Signal, type Verdict } from '../lib/verdict.ts'

/** One expectation that does not hold, be it in one scenario or in several. */
export interface FailureGroup {
  /** Of the check, without the scenario. */
  readonly id: string
  readonly title: string
  readonly signal: Signal
  /** The gravest of them. */
  readonly verdict: Verdict
  readonly position: Position | undefined
  /** Of every scenario, in the order of the run. */
  readonly checks: readonly CheckResult[]
}

const gravity: readonly Verdict[] = ['errored', 'no-data', 'failed']

/** Red checks, those of one expectation on one line together, in the order of the run. */
export function failureGroups(checks: readonly CheckResult[], positionOf: PositionFinder): FailureGroup[] {
  const groups = new Map<string, CheckResult[]>()
  const positions = new Map<string, Position | undefined>()
  for (const check of checks.filter(isRed)) {
    const position = positionOf(check)
    const key = JSON.stringify([check.id, position])
    positions.set(key, position)
    groups.set(key, [...(groups.get(key) ?? []), check])
  }
  return [...groups].flatMap(([key, own]): FailureGroup[] => {
    const [first] = own
    if (first === undefined) return []
    const verdict = gravity.findLast((one) => own.some((check) => check.verdict === one)) ?? first.verdict
    return [
      { id: first.id, title: first.title, signal: first.signal, verdict, position: positions.get(key), checks: own },
    ]
  })
}

/** Why each of them does not hold, a line a scenario; equal reasons are told once. */
export function reasonsOf({ checks }: FailureGroup): string[] {
  const scenarios = new Map<string, string[]>()
  for (const { reason, evidence, scenario } of checks) {
    const why = reason ?? `expected ${evidence.expected}, got ${evidence.actual}`
    scenarios.set(why, [...(scenarios.get(why) ?? []), ...(scenario === undefined ? [] : [scenario])])
  }
  return [...scenarios].map(([why, names]) => (names.length === 0 ? why : `${names.join(', ')}: ${why}`))
}

/** As a CI system names files: relative to its checkout, with slashes. Undefined outside of it. */
export function pathWithin(root: string, file: string): string | undefined {
  const path = relative(root, file)
  return path === '' || path.startsWith('..') || isAbsolute(path) ? undefined : path.split(sep).join('/')
}
