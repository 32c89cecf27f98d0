import type { ParsedRule } from './recordings.ts'

/**
 * A name for each rule by which its checks are told apart: its own where no other rule has it, else with the group and,
 * within a group, with a number. Stable as long as the rules before it are.
 */
export function ruleKeys(rules: readonly ParsedRule[]): ReadonlyMap<ParsedRule, string> {
  const keys = new Map<ParsedRule, string>()
  const shared = countBy(rules.map(({ rule }) => rule.name))
  const seen = new Map<string, number>()
  for (const one of rules) {
    const base = (shared.get(one.rule.name) ?? 0) > 1 ? `${one.group.name}/${one.rule.name}` : one.rule.name
    const number = (seen.get(base) ?? 0) + 1
    seen.set(base, number)
    keys.set(one, number === 1 ? base : `${base}-${number}`)
  }
  return keys
}

function countBy(values: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return counts
}
