/**
 * Regular languages over Unicode, by Brzozowski's derivatives ("Derivatives of Regular Expressions", J. ACM 11, 1964).
 * One construction answers both questions of a routing tree exactly: does this value match, and is there any value that
 * matches these and not those (with the shortest as witness, or the proof that there is none).
 */

/** Inclusive ranges of code points, sorted, disjoint and not adjacent: [from, to, from, to, …]. */
export type Ranges = readonly number[]

/** What a position of the text must fulfil without consuming any of it. */
export type Assertion = 'text-begin' | 'text-end' | 'line-begin' | 'line-end' | 'word' | 'no-word'

/** A language; equal ones that were built alike are the same object. */
export type Language = { readonly id: number } & (
  | { readonly kind: 'nothing' | 'empty' }
  | { readonly kind: 'class'; readonly ranges: Ranges }
  | { readonly kind: 'assertion'; readonly assertion: Assertion }
  | { readonly kind: 'then'; readonly first: Language; readonly rest: Language }
  | { readonly kind: 'either'; readonly options: readonly Language[] }
  | { readonly kind: 'repeated'; readonly of: Language }
)
type Shape = Language extends infer L ? (L extends unknown ? Omit<L, 'id'> : never) : never

const interned = new Map<string, Language>()

function intern(key: string, shape: Shape): Language {
  const known = interned.get(key)
  if (known) return known
  const language = { ...shape, id: interned.size } as Language
  interned.set(key, language)
  return language
}

/** The language without any text. */
const nothing = intern('nothing', { kind: 'nothing' })
/** The language of the empty text alone. */
export const empty = intern('empty', { kind: 'empty' })

export const lastCodePoint = 0x10ffff

/** One character out of `ranges`, which may overlap and be in any order. */
export function oneOf(ranges: Ranges): Language {
  const normal = normalised(ranges)
  return normal.length === 0 ? nothing : intern(`[${normal.join()}]`, { kind: 'class', ranges: normal })
}

export function asserted(assertion: Assertion): Language {
  return intern(assertion, { kind: 'assertion', assertion })
}

export function concatenated(first: Language, rest: Language): Language {
  if (first === nothing || rest === nothing) return nothing
  if (first === empty) return rest
  if (rest === empty) return first
  if (first.kind === 'then') return concatenated(first.first, concatenated(first.rest, rest))
  return intern(`${first.id}.${rest.id}`, { kind: 'then', first, rest })
}

export function either(languages: readonly Language[]): Language {
  const flat = languages.flatMap((language) => (language.kind === 'either' ? language.options : [language]))
  const classes = flat.flatMap((language) => (language.kind === 'class' ? language.ranges : []))
  const others = flat.filter((language) => language.kind !== 'class' && language !== nothing)
  const options = [...new Set([...others, ...(classes.length > 0 ? [oneOf(classes)] : [])])].sort((a, b) => a.id - b.id)
  const [only, ...more] = options
  if (!only) return nothing
  return more.length === 0 ? only : intern(options.map(({ id }) => id).join('|'), { kind: 'either', options })
}

export function repeated(of: Language): Language {
  if (of === nothing || of === empty) return empty
  return of.kind === 'repeated' ? of : intern(`${of.id}*`, { kind: 'repeated', of })
}

/** The language of this text alone. */
export function literally(text: string): Language {
  return [...text].reduceRight<Language>((rest, character) => {
    const point = character.codePointAt(0) ?? 0
    return concatenated(oneOf([point, point]), rest)
  }, empty)
}

/** All code points that are not in `ranges`. */
export function complement(ranges: Ranges): Ranges {
  const result: number[] = []
  let from = 0
  for (const [low, high] of pairs(normalised(ranges))) {
    if (low > from) result.push(from, low - 1)
    from = high + 1
  }
  if (from <= lastCodePoint) result.push(from, lastCodePoint)
  return result
}

/** What stands before a position; assertions need no more of the past. */
type Before = 'begin' | 'newline' | 'word' | 'other'

export function contains(language: Language, text: string): boolean {
  let rest = language
  let before: Before = 'begin'
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0
    rest = derivative(rest, before, point)
    if (rest === nothing) return false
    before = kindOf(point)
  }
  return acceptsEmpty(rest, before, undefined)
}

/** A demand on one text: to be in the language, or, `negated`, not to be. */
export interface Demand {
  readonly language: Language
  readonly negated: boolean
}

/** Beyond so many states of the product automaton the search gives up. */
const mostStates = 4000

/**
 * The shortest text that meets all demands, among equally short ones the most readable; `none` is a proof that there is none;
 * `undecided` means that the search was given up.
 */
export function shortest(demands: readonly Demand[]): { readonly text: string } | 'none' | 'undecided' {
  const start: State = { rest: demands.map(({ language }) => language), before: 'begin', text: '' }
  const seen = new Set([keyOf(start)])
  const queue: State[] = [start]
  for (let next = 0; next < queue.length; next++) {
    const state = queue[next]
    if (!state) break
    const { rest, before, text } = state
    if (demands.every(({ negated }, n) => acceptsEmpty(rest[n] ?? nothing, before, undefined) !== negated))
      return { text }
    for (const point of representatives(rest)) {
      const following = rest.map((language) => derivative(language, before, point))
      if (demands.some(({ negated }, n) => !negated && following[n] === nothing)) continue
      const reached = { rest: following, before: kindOf(point), text: text + String.fromCodePoint(point) }
      const key = keyOf(reached)
      if (seen.has(key)) continue
      if (seen.size >= mostStates) return 'undecided'
      seen.add(key)
      queue.push(reached)
    }
  }
  return 'none'
}

/** Of a class with more characters, cases of one letter counted once, one stands for all. */
const mostCharacters = 5

/**
 * Texts of the language, at most `most`, one at least for each of its alternatives; `complete` if there are no others.
 */
export function samples(
  language: Language,
  most: number,
): { readonly texts: readonly string[]; readonly complete: boolean } {
  let complete = true
  const capped = (texts: readonly string[]) => {
    if (texts.length > most) complete = false
    return texts.slice(0, most)
  }
  const collect = (part: Language): readonly string[] => {
    switch (part.kind) {
      case 'nothing':
        return []
      case 'empty':
      case 'assertion':
        return ['']
      case 'class': {
        const few = fewCharacters(part.ranges)
        if (!few) complete = false
        return (
          few ??
          representatives([part])
            .filter((point) => holds(part.ranges, point))
            .slice(0, 1)
            .map(asText)
        )
      }
      case 'then': {
        const rest = collect(part.rest)
        return capped(collect(part.first).flatMap((text) => rest.map((following) => text + following)))
      }
      case 'either':
        return capped(part.options.flatMap(collect))
      case 'repeated':
        complete = false
        return ['']
    }
  }
  const texts = [...new Set(collect(language))].filter((text) => contains(language, text))
  return { texts, complete }
}

function fewCharacters(ranges: Ranges): readonly string[] | undefined {
  if (pairs(ranges).reduce((sum, [from, to]) => sum + to - from + 1, 0) > 3 * mostCharacters) return undefined
  const characters = pairs(ranges).flatMap(([from, to]) =>
    Array.from({ length: to - from + 1 }, (_, n) => asText(from + n)),
  )
  // The last of a letter's cases is the plain small one, but for characters beyond ASCII.
  const byLetter = new Map(
    characters.toReversed().map((character) => [character.toUpperCase().toLowerCase(), character]),
  )
  const ascii = new Map(
    characters.filter((character) => character < '\x80').map((character) => [character.toLowerCase(), character]),
  )
  const distinct = [...byLetter].map(([letter, character]) => ascii.get(letter) ?? character)
  return distinct.length > mostCharacters ? undefined : distinct
}

function asText(point: number): string {
  return String.fromCodePoint(point)
}

interface State {
  readonly rest: readonly Language[]
  readonly before: Before
  readonly text: string
}

function keyOf({ rest, before }: State): string {
  return `${rest.map(({ id }) => id).join()} ${before}`
}

/** The texts that follow `point` in the language. */
function derivative(language: Language, before: Before, point: number): Language {
  switch (language.kind) {
    case 'nothing':
    case 'empty':
    case 'assertion':
      return nothing
    case 'class':
      return holds(language.ranges, point) ? empty : nothing
    case 'then': {
      const through = concatenated(derivative(language.first, before, point), language.rest)
      if (!acceptsEmpty(language.first, before, point)) return through
      return either([through, derivative(language.rest, before, point)])
    }
    case 'either':
      return either(language.options.map((option) => derivative(option, before, point)))
    case 'repeated':
      return concatenated(derivative(language.of, before, point), language)
  }
}

/** True if the language has the empty text at a position with `before` and, unless at the end, `after` around it. */
function acceptsEmpty(language: Language, before: Before, after: number | undefined): boolean {
  switch (language.kind) {
    case 'nothing':
    case 'class':
      return false
    case 'empty':
    case 'repeated':
      return true
    case 'then':
      return acceptsEmpty(language.first, before, after) && acceptsEmpty(language.rest, before, after)
    case 'either':
      return language.options.some((option) => acceptsEmpty(option, before, after))
    case 'assertion':
      return fulfils(language.assertion, before, after)
  }
}

function fulfils(assertion: Assertion, before: Before, after: number | undefined): boolean {
  const atWord = (before === 'word') !== (after !== undefined && kindOf(after) === 'word')
  switch (assertion) {
    case 'text-begin':
      return before === 'begin'
    case 'text-end':
      return after === undefined
    case 'line-begin':
      return before === 'begin' || before === 'newline'
    case 'line-end':
      return after === undefined || after === newline
    case 'word':
      return atWord
    case 'no-word':
      return !atWord
  }
}

const newline = 10
const wordRanges: Ranges = [48, 57, 65, 90, 95, 95, 97, 122]

function kindOf(point: number): Before {
  if (point === newline) return 'newline'
  return holds(wordRanges, point) ? 'word' : 'other'
}

/** Readable characters first: letters, digits, then what stands in names and URLs, then the rest of ASCII. */
const readable: Ranges = [97, 122, 48, 57, 65, 90, 45, 46, 95, 95, 47, 47, 58, 58, 33, 126, 32, 32, 0xa1, 0xd7ff]
const surrogates = [0xd800, 0xdfff] as const

/** One code point of each set that no part of the languages tells apart, the readable ones first. */
function representatives(languages: readonly Language[]): number[] {
  const bounds = new Set([0, newline, newline + 1, surrogates[0], surrogates[1] + 1])
  const walked = new Set<Language>()
  const cut = (ranges: Ranges) => {
    for (const [from, to] of pairs(ranges)) bounds.add(from).add(to + 1)
  }
  cut(wordRanges)
  for (const language of languages) walk(language)
  const sorted = [...bounds].filter((bound) => bound <= lastCodePoint).sort((a, b) => a - b)
  return sorted
    .map((from, n) => [from, (sorted[n + 1] ?? lastCodePoint + 1) - 1] as const)
    .filter(([from]) => from !== surrogates[0])
    .map(([from, to]) => mostReadable(from, to))
    .sort((a, b) => a.rank - b.rank)
    .map(({ point }) => point)

  function walk(language: Language): void {
    if (walked.has(language)) return
    walked.add(language)
    if (language.kind === 'class') cut(language.ranges)
    if (language.kind === 'repeated') walk(language.of)
    if (language.kind === 'either') for (const option of language.options) walk(option)
    if (language.kind === 'then') {
      walk(language.first)
      walk(language.rest)
    }
  }
}

function mostReadable(from: number, to: number): { readonly point: number; readonly rank: number } {
  const rank = pairs(readable).findIndex(([low, high]) => low <= to && high >= from)
  return rank < 0 ? { point: from, rank: readable.length } : { point: Math.max(from, readable[2 * rank] ?? from), rank }
}

/** True if the code point lies in the sorted ranges. */
function holds(ranges: Ranges, point: number): boolean {
  let low = 0
  let high = ranges.length / 2
  while (low < high) {
    const middle = (low + high) >> 1
    if (point < (ranges[2 * middle] ?? 0)) high = middle
    else if (point > (ranges[2 * middle + 1] ?? 0)) low = middle + 1
    else return true
  }
  return false
}

/** The ranges one by one. */
export function pairs(ranges: Ranges): (readonly [number, number])[] {
  const result: (readonly [number, number])[] = []
  for (let n = 0; n < ranges.length; n += 2) result.push([ranges[n] ?? 0, ranges[n + 1] ?? 0])
  return result
}

function normalised(ranges: Ranges): Ranges {
  const result: number[] = []
  for (const [from, to] of pairs(ranges).sort(([a], [b]) => a - b)) {
    const last = result.length - 1
    if (last >= 0 && from <= (result[last] ?? 0) + 1) result[last] = Math.max(result[last] ?? 0, to)
    else result.push(from, to)
  }
  return result
}
