import type { Matcher } from '../../../lib/matcher.ts'
import { editDistance, nearest } from '../../../lib/nearest.ts'
import { samples } from '../../../lib/regular-language.ts'
import { allRoutes } from '../../../lib/route-tree.ts'
import type { Examined, Finding } from './finding.ts'

/** Values of `severity` that are in use nearly everywhere. */
const usualSeverities = [
  'critical',
  'warning',
  'info',
  'error',
  'page',
  'ticket',
  'none',
  'high',
  'low',
  'medium',
  'major',
  'minor',
]
/** Labels that nearly every alert has; slips in them are never meant. */
const usualLabels = ['alertname', 'severity', 'namespace', 'instance', 'environment', 'cluster']

interface Place {
  readonly at: string
  readonly line: number
  readonly matcher: Matcher
}

/** Labels and values of matchers that look like slips of others. */
export function misspellings(examined: Examined): Finding[] {
  const { file, known } = examined
  const places: Place[] = [
    ...allRoutes(file.root).flatMap(({ path, line, matchers }) =>
      matchers.map((matcher) => ({ at: path, line, matcher })),
    ),
    ...file.inhibitRules.flatMap(({ path, line, source, target }) =>
      [...source, ...target].map((matcher) => ({ at: path, line, matcher })),
    ),
  ]
  const knownValues = new Map<string, Set<string>>()
  for (const [name, value] of known.flatMap(({ labels }) => Object.entries(labels))) {
    knownValues.set(name, (knownValues.get(name) ?? new Set()).add(value))
  }
  const uses = new Map<string, number>()
  for (const { matcher } of places) {
    for (const value of valuesOf(matcher))
      uses.set(`${matcher.name}=${value}`, (uses.get(`${matcher.name}=${value}`) ?? 0) + 1)
  }
  const findings = places.flatMap((place) => [
    ...labelSlip(place, knownValues),
    ...valueSlips(place, knownValues, places, uses),
  ])
  return [...new Map(findings.map((finding) => [finding.sentence, finding])).values()]
}

function labelSlip({ at, line, matcher: { name } }: Place, known: ReadonlyMap<string, unknown>): Finding[] {
  if (known.has(name) || usualLabels.includes(name)) return []
  const meant = usualLabels.find((usual) => usual.length > 5 && isSlip(name, usual))
  if (meant === undefined) return []
  return [finding('fails', line, `${at} matches on the label ${name}, which looks like a slip of ${meant}`)]
}

function valueSlips(
  { at, line, matcher }: Place,
  known: ReadonlyMap<string, ReadonlySet<string>>,
  places: readonly Place[],
  uses: ReadonlyMap<string, number>,
): Finding[] {
  const { name } = matcher
  const vocabulary = known.get(name)
  return valuesOf(matcher).flatMap((value): Finding[] => {
    const matched = `${at} matches ${name}="${value}"`
    if (vocabulary?.has(value) || (name === 'severity' && usualSeverities.includes(value))) return []
    const real =
      vocabulary &&
      nearest(
        value,
        [...vocabulary].filter((other) => isSlip(value, other)),
      )
    if (real !== undefined) return [finding('fails', line, `${matched}, but alerts have ${name}="${real}"`)]
    const usual = name === 'severity' ? usualSeverities.find((other) => isSlip(value, other)) : undefined
    if (usual !== undefined) return [finding('fails', line, `${matched}, which looks like a slip of "${usual}"`)]
    // Of two that are alike, the one that stands here once and elsewhere more often is the slip.
    const others = places.filter((other) => other.matcher.name === name).flatMap((other) => valuesOf(other.matcher))
    const twin = others.find((other) => isSlip(value, other) && count(value) < count(other))
    return twin === undefined ? [] : [finding('noted', line, `${matched}, and elsewhere "${twin}" is matched`)]
  })

  function count(value: string): number {
    return uses.get(`${name}=${value}`) ?? 0
  }
}

function finding(severity: Finding['severity'], line: number, sentence: string): Finding {
  return { kind: 'misspelt', severity, line, sentence }
}

/** The values that a matcher lists; of a regular expression only if there are no others. */
function valuesOf({ language }: Matcher): readonly string[] {
  const { texts, complete } = samples(language, 30)
  return complete ? texts.filter((text) => text !== '') : []
}

/** True if the texts differ by one or two slips of the hand within letters: names that are counted (`db1`, `team-a`) are not alike. */
function isSlip(text: string, other: string): boolean {
  if (text === other) return false
  const shorter = Math.min(text.length, other.length)
  const [head, tail] = [text.slice(0, -1) === other.slice(0, -1), /\d/.test(text + other)]
  if (shorter < 5 || tail || head) return text.toLowerCase() === other.toLowerCase()
  return editDistance(text, other) <= (shorter < 8 ? 1 : 2)
}
