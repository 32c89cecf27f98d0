import { demandOf, isNegative, type Labels, type Matcher, matches } from './matcher.ts'
import { type Demand, shortest } from './regular-language.ts'

/** What a label set must fulfil: every matcher of `all`, and of each list in `none` at least one matcher not. */
export interface Wanted {
  readonly all: readonly Matcher[]
  readonly none: readonly (readonly Matcher[])[]
}

/** A label set that fulfils what was wanted; `none`, proven that there is none; `undecided`, the search was given up. */
export type Found = { readonly labels: Labels } | 'none' | 'undecided'

/** Beyond so many label sets tried the search gives up. */
const mostTries = 5000

/**
 * Finds a small label set, or proves that there is none. The labels are independent of each other, so a set of matchers can be
 * fulfilled if each label's own can; the lists of `none` are disjunctions, which are searched depth first. A list that the labels
 * found so far respect already costs nothing.
 */
export function findLabels({ all, none }: Wanted): Found {
  let tries = 0
  let undecided = false
  const search = (demanded: readonly Matcher[], labels: Labels): Labels | undefined => {
    const violated = none.find((matchers) => matches(matchers, labels))
    if (!violated) return labels
    for (const matcher of violated) {
      tries++
      if (tries > mostTries) {
        undecided = true
        return undefined
      }
      const extended = [...demanded, opposite(matcher)]
      const value = valueFor(matcher.name, extended)
      if (value === 'undecided') undecided = true
      if (value === 'none' || value === 'undecided') continue
      const found = search(extended, withLabel(labels, matcher.name, value.text))
      if (found) return found
    }
    return undefined
  }
  let labels: Labels = {}
  for (const name of new Set(all.map((matcher) => matcher.name))) {
    const value = valueFor(name, all)
    if (value === 'none' || value === 'undecided') return value
    labels = withLabel(labels, name, value.text)
  }
  const found = search(all, labels)
  if (found) return { labels: found }
  return undecided ? 'undecided' : 'none'
}

/** The matcher that accepts what this one refuses. */
function opposite(matcher: Matcher): Matcher {
  const operators = { '=': '!=', '!=': '=', '=~': '!~', '!~': '=~' } as const
  return { ...matcher, operator: operators[matcher.operator] }
}

function withLabel(labels: Labels, name: string, value: string): Labels {
  const { [name]: _, ...others } = labels
  // An empty value is the same as no label.
  return value === '' ? others : { ...others, [name]: value }
}

const values = new Map<string, ReturnType<typeof shortest>>()

/** A value of one label that all matchers on it accept. */
function valueFor(name: string, matchers: readonly Matcher[]): ReturnType<typeof shortest> {
  const own = matchers.filter((matcher) => matcher.name === name)
  const equal = own.find(({ operator }) => operator === '=')
  if (equal) return matches(own, { [name]: equal.value }) ? { text: equal.value } : 'none'
  const demands: Demand[] = own.map(demandOf)
  const key = own.map((matcher) => `${matcher.language.id}${isNegative(matcher) ? '!' : ''}`).join(' ')
  const known = values.get(key) ?? shortest(demands)
  values.set(key, known)
  return known
}
