import { parseRegexp, RegexpSyntaxError } from './regexp-syntax.ts'
import { contains, type Demand, type Language, literally } from './regular-language.ts'

export type MatcherOperator = '=' | '!=' | '=~' | '!~'

/** What a label must fulfil, as Alertmanager's routes, inhibition rules and silences say it. */
export interface Matcher {
  readonly name: string
  readonly operator: MatcherOperator
  readonly value: string
  /** All values that `=` and `=~` accept and `!=` and `!~` refuse. */
  readonly language: Language
}

/** Label names to values; a label that is absent has the value ''. */
export type Labels = Readonly<Record<string, string>>

/** Text that is no matcher; the message says why. */
export class MatcherSyntaxError extends Error {}

const languages = new Map<string, Language>()

/** @throws MatcherSyntaxError if the value of `=~` or `!~` is no regular expression of Go's */
export function matcher(name: string, operator: MatcherOperator, value: string): Matcher {
  const isRegexp = operator === '=~' || operator === '!~'
  const key = `${isRegexp ? '~' : '='}${value}`
  let language = languages.get(key)
  if (!language) {
    language = isRegexp ? regexp(value) : literally(value)
    languages.set(key, language)
  }
  return { name, operator, value, language }
}

function regexp(source: string): Language {
  try {
    return parseRegexp(source)
  } catch (error) {
    if (error instanceof RegexpSyntaxError) throw new MatcherSyntaxError(`not a regular expression: ${error.message}`)
    throw error
  }
}

/** True if the operator wants the value not to match. */
export function isNegative({ operator }: Matcher): boolean {
  return operator === '!=' || operator === '!~'
}

/** What the matcher demands of its label's value. */
export function demandOf(matcher: Matcher): Demand {
  return { language: matcher.language, negated: isNegative(matcher) }
}

export function matchesLabel(matcher: Matcher, labels: Labels): boolean {
  const value = Object.hasOwn(labels, matcher.name) ? (labels[matcher.name] ?? '') : ''
  return contains(matcher.language, value) !== isNegative(matcher)
}

/** True if the labels fulfil every matcher; no matcher is fulfilled by all labels. */
export function matches(matchers: readonly Matcher[], labels: Labels): boolean {
  return matchers.every((matcher) => matchesLabel(matcher, labels))
}

/** As Alertmanager prints it: `severity="critical"`. */
export function formatMatcher({ name, operator, value }: Matcher): string {
  if ([...name].some(isReserved)) return `${JSON.stringify(name)}${operator}${JSON.stringify(value)}`
  const escaped = value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')
  return `${name}${operator}"${escaped}"`
}

/**
 * The matchers of one line of a `matchers:` list, as Alertmanager 0.31 reads it unless told otherwise: by the UTF-8 parser; where
 * only the classic one takes it, or both do and differ, by the classic one (matcher/compat, FallbackMatchersParser).
 * @throws MatcherSyntaxError if neither takes it
 */
export function parseMatchers(input: string): readonly Matcher[] {
  const utf8 = attempt(() => parseUtf8(input))
  const classic = attempt(() => parseClassic(input))
  if (utf8 instanceof MatcherSyntaxError) {
    if (classic instanceof MatcherSyntaxError) throw classic
    return classic
  }
  const agree = classic instanceof MatcherSyntaxError || same(utf8, classic)
  return agree ? utf8 : classic
}

function attempt<T>(action: () => T): T | MatcherSyntaxError {
  try {
    return action()
  } catch (error) {
    if (error instanceof MatcherSyntaxError) return error
    throw error
  }
}

function same(some: readonly Matcher[], others: readonly Matcher[]): boolean {
  const [a, b] = [some, others].map((matchers) => JSON.stringify(matchers.map((m) => [m.name, m.operator, m.value])))
  return a === b
}

function isReserved(character: string): boolean {
  return /[\p{White_Space}{}!=~,\\"'`]/u.test(character)
}

const token = /[\p{White_Space}]*(?:(=~|!=|!~|=)|([{},])|("(?:[^"\\]|\\[\s\S])*")|([^\p{White_Space}{}!=~,\\"'`]+))/uy

/** The grammar of matcher/parse: optional braces, name operator value, commas between, one allowed at the end. */
function parseUtf8(input: string): readonly Matcher[] {
  const tokens = tokensOf(input)
  const last = tokens.at(-1)
  const opened = tokens[0]?.text === '{' && tokens[0].kind === 'mark'
  const closed = last?.text === '}' && last.kind === 'mark' && tokens.length > (opened ? 1 : 0)
  if (opened !== closed) throw new MatcherSyntaxError(`${opened ? 'missing }' : 'missing {'} in ${input}`)
  const inner = opened ? tokens.slice(1, -1) : tokens
  const found: Matcher[] = []
  for (let n = 0; n < inner.length; n += 4) {
    const [name, operator, value, comma] = inner.slice(n, n + 4)
    if (
      name?.kind !== 'text' ||
      value?.kind !== 'text' ||
      operator?.kind !== 'operator' ||
      !isOperator(operator.text)
    ) {
      throw new MatcherSyntaxError(`bad matcher format: ${input}`)
    }
    if (comma && (comma.kind !== 'mark' || comma.text !== ',')) {
      throw new MatcherSyntaxError(`expected a comma before ${comma.text} in ${input}`)
    }
    found.push(matcher(name.text, operator.text, value.text))
  }
  return found
}

interface Token {
  readonly kind: 'operator' | 'mark' | 'text'
  readonly text: string
}

function tokensOf(input: string): Token[] {
  const found: Token[] = []
  const end = input.replace(/\p{White_Space}+$/u, '').length
  token.lastIndex = 0
  while (token.lastIndex < end) {
    const at = token.lastIndex
    const [, operator, mark, quoted, bare] = token.exec(input) ?? []
    if (operator !== undefined) found.push({ kind: 'operator', text: operator })
    else if (mark !== undefined) found.push({ kind: 'mark', text: mark })
    else if (quoted !== undefined) found.push({ kind: 'text', text: unquote(quoted) })
    else if (bare !== undefined) found.push({ kind: 'text', text: bare })
    else throw new MatcherSyntaxError(`unexpected ${input.slice(at, at + 10)} in ${input}`)
  }
  return found
}

const simpleEscapes = new Map(Object.entries({ a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11, '\\': 92, '"': 34 }))

/** A double-quoted string of Go's (strconv.Unquote), whose bytes must be UTF-8. */
function unquote(quoted: string): string {
  const bytes: number[] = []
  const inner = quoted.slice(1, -1)
  const piece =
    /\\([abfnrtv\\"])|\\([0-3][0-7]{2})|\\x([\da-fA-F]{2})|\\u([\da-fA-F]{4})|\\U([\da-fA-F]{8})|([^\\\n]+)/y
  const encoder = new TextEncoder()
  while (piece.lastIndex < inner.length) {
    const found = piece.exec(inner)
    if (!found) throw new MatcherSyntaxError(`${quoted} is no valid quoted string`)
    const [, simple, octal, hex, short, long, plain] = found
    const point = short ?? long
    if (simple !== undefined) bytes.push(simpleEscapes.get(simple) ?? 0)
    else if (octal !== undefined) bytes.push(Number.parseInt(octal, 8))
    else if (hex !== undefined) bytes.push(Number.parseInt(hex, 16))
    else if (point !== undefined) bytes.push(...encoder.encode(codePoint(point, quoted)))
    else bytes.push(...encoder.encode(plain ?? ''))
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(new Uint8Array(bytes))
  } catch {
    throw new MatcherSyntaxError(`${quoted} is not UTF-8`)
  }
}

function codePoint(hex: string, quoted: string): string {
  const point = Number.parseInt(hex, 16)
  if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) throw new MatcherSyntaxError(`${quoted} is not Unicode`)
  return String.fromCodePoint(point)
}

/** The grammar of pkg/labels.ParseMatchers: tolerant of bare values. */
function parseClassic(input: string): readonly Matcher[] {
  const inner = input.replace(/^\{/, '').replace(/\}$/, '')
  const parts: string[] = []
  let part = ''
  let quoted = false
  let escaped = false
  for (const character of inner) {
    if (character === ',') {
      // Go's loop does not let a comma end an escape.
      if (quoted) part += character
      else {
        parts.push(part)
        part = ''
      }
      continue
    }
    if (character === '"' && !escaped) quoted = !quoted
    escaped = character === '\\' && !escaped
    part += character
  }
  const rest = part.replace(/^\p{White_Space}+|\p{White_Space}+$/gu, '')
  return [...parts, ...(rest === '' ? [] : [rest])].map(parseClassicOne)
}

function parseClassicOne(input: string): Matcher {
  const [, name, operator, raw] =
    /^[\t\n\f\r ]*([a-zA-Z_:][a-zA-Z0-9_:]*)[\t\n\f\r ]*(=~|=|!=|!~)[\t\n\f\r ]*([\s\S]*?)[\t\n\f\r ]*$/.exec(input) ??
    []
  if (name === undefined || raw === undefined || !isOperator(operator)) {
    throw new MatcherSyntaxError(`bad matcher format: ${input}`)
  }
  return matcher(name, operator, classicValue(raw))
}

function classicValue(raw: string): string {
  const opened = raw.startsWith('"')
  const characters = [...(opened ? raw.slice(1) : raw)]
  let value = ''
  let closed = false
  for (let n = 0; n < characters.length; n++) {
    const character = characters[n] ?? ''
    const isLast = n === characters.length - 1
    if (character === '\\' && !isLast) {
      n++
      const next = characters[n] ?? ''
      if (next === 'n') value += '\n'
      else value += next === '"' || next === '\\' ? next : `\\${next}`
    } else if (character === '"') {
      if (!opened || !isLast) throw new MatcherSyntaxError(`matcher value contains unescaped double quote: ${raw}`)
      closed = true
    } else value += character
  }
  if (opened && !closed) throw new MatcherSyntaxError(`matcher value contains unescaped double quote: ${raw}`)
  return value
}

function isOperator(text: string | undefined): text is MatcherOperator {
  return text === '=' || text === '!=' || text === '=~' || text === '!~'
}
