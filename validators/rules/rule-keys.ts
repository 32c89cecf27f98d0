import type { ParsedRule } from './recordings.ts'

/** What tells a rule from others of its name, for check ids and the snapshot. */
export interface RuleName {
  readonly name: string
  /** Which of several rules of this name, from 1. */
  readonly number: number
  /** The name alone for the first, `Name#2` for the second. */
  readonly label: string
}

/** Tells rules of the same name apart by number, in the order given. */
export function ruleNames(names: readonly string[]): RuleName[] {
  const seen = new Map<string, number>()
  return names.map((name) => {
    const number = (seen.get(name) ?? 0) + 1
    seen.set(name, number)
    return { name, number, label: number === 1 ? name : `${name}#${number}` }
  })
}

/** A label for each rule by which its checks are told apart. */
export function ruleKeys(rules: readonly ParsedRule[]): ReadonlyMap<ParsedRule, string> {
  const names = ruleNames(rules.map(({ rule }) => rule.name))
  return new Map(rules.map((rule, index) => [rule, names[index]?.label ?? rule.rule.name]))
}
