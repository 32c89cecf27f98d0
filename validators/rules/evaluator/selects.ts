import { type Matcher as CompiledMatcher, matcher, matches } from '../../../lib/matcher.ts'
import type { Matcher, Selector } from '../promql.ts'
import type { Labels } from './series.ts'

const compiled = new WeakMap<Matcher, CompiledMatcher>()
const answers = new WeakMap<Labels, Map<Matcher, boolean>>()

/** @throws MatcherSyntaxError for a pattern that RE2 refuses */
export function compiledMatcher(one: Matcher): CompiledMatcher {
  let known = compiled.get(one)
  if (!known) {
    known = matcher(one.label, one.op, one.value)
    compiled.set(one, known)
  }
  return known
}

/** Whether a selector takes a series. @throws MatcherSyntaxError for a pattern that RE2 refuses */
export function selects(selector: Pick<Selector, 'metric' | 'matchers'>, labels: Labels): boolean {
  if (selector.metric !== undefined && labels.__name__ !== selector.metric) return false
  return selector.matchers.every((one) => {
    // The same few label sets are asked for thousands of times while incidents are sought.
    let known = answers.get(labels)
    if (!known) {
      known = new Map()
      answers.set(labels, known)
    }
    let answer = known.get(one)
    if (answer === undefined) {
      answer = matches([compiledMatcher(one)], labels)
      known.set(one, answer)
    }
    return answer
  })
}
