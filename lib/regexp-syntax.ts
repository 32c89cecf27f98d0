import {
  type Assertion,
  asserted,
  complement,
  concatenated,
  either,
  empty,
  type Language,
  lastCodePoint,
  oneOf,
  type Ranges,
  repeated,
} from './regular-language.ts'
import { categoryRanges, folded, perlClasses, posixClasses } from './unicode-class.ts'

/** A regular expression that Go's regexp package would not compile; the message says what and where. */
export class RegexpSyntaxError extends Error {}

/** Go allows no more of one repetition, and no more nested. */
const mostRepeats = 1000

interface FlagSet {
  readonly ignoreCase: boolean
  readonly multiLine: boolean
  readonly dotAll: boolean
}

/**
 * The language of a regular expression in Go's syntax (RE2: https://github.com/google/re2/wiki/Syntax, as package
 * regexp/syntax reads it with the flags Perl). It holds for whole texts, as Alertmanager and Prometheus anchor theirs.
 * @throws RegexpSyntaxError
 */
export function parseRegexp(source: string): Language {
  return new Parser(source).parse()
}

class Parser {
  private readonly source: readonly string[]
  private at = 0
  private flags: FlagSet = { ignoreCase: false, multiLine: false, dotAll: false }

  constructor(source: string) {
    this.source = [...source]
  }

  parse(): Language {
    const language = either(this.alternatives())
    if (this.peek() === ')') this.fail('unexpected )')
    return language
  }

  private peek(ahead = 0): string | undefined {
    return this.source[this.at + ahead]
  }

  private accept(text: string): boolean {
    if (![...text].every((character, n) => this.peek(n) === character)) return false
    this.at += [...text].length
    return true
  }

  private next(): string {
    const character = this.peek()
    if (character === undefined) this.fail('unexpected end')
    this.at++
    return character
  }

  private fail(problem: string): never {
    throw new RegexpSyntaxError(`${problem} at character ${this.at + 1} of ${JSON.stringify(this.source.join(''))}`)
  }

  private alternatives(): Language[] {
    const found = [this.sequence()]
    while (this.accept('|')) found.push(this.sequence())
    return found
  }

  private sequence(): Language {
    const parts: Language[] = []
    while (this.peek() !== undefined && this.peek() !== '|' && this.peek() !== ')') {
      if (this.accept('\\Q')) {
        parts.push(...this.quoted())
        continue
      }
      const atom = this.atom()
      if (atom) parts.push(this.repetitions(atom))
    }
    return parts.reduceRight((rest, part) => concatenated(part, rest), empty)
  }

  private quoted(): Language[] {
    const parts: Language[] = []
    while (this.peek() !== undefined && !this.accept('\\E')) parts.push(this.one(this.next()))
    const last = parts.pop()
    return last ? [...parts, this.repetitions(last)] : []
  }

  /** Undefined for a group that only sets flags. */
  private atom(): Language | undefined {
    const character = this.next()
    switch (character) {
      case '(':
        return this.group()
      case '[':
        return oneOf(this.characterClass())
      case '.':
        return oneOf(this.flags.dotAll ? [0, lastCodePoint] : complement([10, 10]))
      case '^':
        return asserted(this.flags.multiLine ? 'line-begin' : 'text-begin')
      case '$':
        return asserted(this.flags.multiLine ? 'line-end' : 'text-end')
      case '*':
      case '+':
      case '?':
        this.at--
        return this.fail('missing argument to repetition operator')
      case '\\':
        return this.escape()
      default:
        return this.one(character)
    }
  }

  private one(character: string): Language {
    const point = character.codePointAt(0) ?? 0
    return oneOf(this.cased([point, point]))
  }

  private cased(ranges: Ranges): Ranges {
    return this.flags.ignoreCase ? folded(ranges) : ranges
  }

  private escape(): Language {
    const assertion = assertions.get(this.peek() ?? '')
    if (assertion) {
      this.at++
      return asserted(assertion)
    }
    const ranges = this.escapedClass()
    if (ranges) return oneOf(ranges)
    const point = this.escapedCharacter()
    return oneOf(this.cased([point, point]))
  }

  /** \d, \pL and their like; the backslash is read. */
  private escapedClass(): Ranges | undefined {
    const letter = this.peek() ?? ''
    const perl = perlClasses.get(letter.toLowerCase())
    if (perl) {
      this.at++
      const ranges = this.cased(perl)
      return letter === letter.toLowerCase() ? ranges : complement(ranges)
    }
    if (letter !== 'p' && letter !== 'P') return undefined
    this.at++
    let name = this.next()
    if (name === '{') {
      const end = this.source.indexOf('}', this.at)
      if (end < 0) this.fail('missing } of a character class')
      name = this.source.slice(this.at, end).join('')
      this.at = end + 1
    }
    const negated = name.startsWith('^')
    const ranges = categoryRanges(negated ? name.slice(1) : name)
    if (!ranges) this.fail(`unknown character class ${name}`)
    return (letter === 'P') !== negated ? complement(this.cased(ranges)) : this.cased(ranges)
  }

  private escapedCharacter(): number {
    const character = this.next()
    const known = controls.get(character)
    if (known !== undefined) return known
    if (/[0-7]/.test(character)) {
      let digits = character
      // A single digit other than 0 would be a backreference, which Go has not.
      if (character !== '0' && !/[0-7]/.test(this.peek() ?? '')) this.fail(`invalid escape \\${character}`)
      while (digits.length < 3 && /[0-7]/.test(this.peek() ?? '')) digits += this.next()
      return Number.parseInt(digits, 8)
    }
    if (character === 'x') return this.hexadecimal()
    const point = character.codePointAt(0) ?? 0
    if (point < 0x80 && !/[A-Za-z0-9]/.test(character)) return point
    return this.fail(`invalid escape \\${character}`)
  }

  private hexadecimal(): number {
    const braced = this.accept('{')
    let digits = ''
    while (/[0-9A-Fa-f]/.test(this.peek() ?? '') && (braced || digits.length < 2)) digits += this.next()
    const point = Number.parseInt(digits, 16)
    if (braced ? !this.accept('}') || !(point <= lastCodePoint) : digits.length < 2) this.fail('invalid escape \\x')
    return point
  }

  private group(): Language | undefined {
    const outer = this.flags
    if (this.accept('?')) {
      const named = this.accept('P<') || this.accept('<')
      if (named) this.groupName()
      else if (this.flagGroup() === 'flags alone') return undefined
    }
    const inside = either(this.alternatives())
    if (!this.accept(')')) this.fail('missing )')
    this.flags = outer
    return inside
  }

  private groupName(): void {
    const end = this.source.indexOf('>', this.at)
    const name = this.source.slice(this.at, end < 0 ? this.at : end).join('')
    if (!/^\w+$/.test(name)) this.fail('invalid group name')
    this.at = end + 1
  }

  /** Reads `i-s:` or `i-s)`; flags alone hold until the surrounding group ends. */
  private flagGroup(): 'flags alone' | 'group follows' {
    let on = true
    let read = 0
    for (;;) {
      const character = this.next()
      if (character === ':') return 'group follows'
      if (character === ')') {
        if (read === 0) this.fail('missing argument to repetition operator')
        return 'flags alone'
      }
      if (character === '-' && on) on = false
      else if (character === 'i') this.flags = { ...this.flags, ignoreCase: on }
      else if (character === 'm') this.flags = { ...this.flags, multiLine: on }
      else if (character === 's') this.flags = { ...this.flags, dotAll: on }
      else if (character !== 'U') this.fail('invalid or unsupported Perl syntax')
      read++
    }
  }

  private repetitions(atom: Language): Language {
    const range = this.repetition()
    if (!range) return atom
    this.accept('?')
    const doubled = this.repetition()
    if (doubled) this.fail('invalid nested repetition operator')
    const [least, most] = range
    if (least > mostRepeats || (Number.isFinite(most) && (most > mostRepeats || least > most))) {
      this.fail('invalid repeat count')
    }
    let language = Number.isFinite(most) ? empty : repeated(atom)
    for (let n = least; n < most && Number.isFinite(most); n++) language = either([empty, concatenated(atom, language)])
    for (let n = 0; n < least; n++) language = concatenated(atom, language)
    return language
  }

  private repetition(): readonly [number, number] | undefined {
    if (this.accept('*')) return [0, Number.POSITIVE_INFINITY]
    if (this.accept('+')) return [1, Number.POSITIVE_INFINITY]
    if (this.accept('?')) return [0, 1]
    const [whole, least, comma, most] =
      /^\{(\d+)(,?)(\d*)\}/.exec(this.source.slice(this.at, this.at + 16).join('')) ?? []
    // Anything else in braces is literal.
    if (whole === undefined || (!comma && most)) return undefined
    this.at += whole.length
    const from = Number(least)
    if (!comma) return [from, from]
    return [from, most ? Number(most) : Number.POSITIVE_INFINITY]
  }

  /** What stands in brackets; the opening one is read. */
  private characterClass(): Ranges {
    const negated = this.accept('^')
    const ranges: number[] = []
    let first = true
    while (first || this.peek() !== ']') {
      if (this.peek() === undefined) this.fail('missing ]')
      first = false
      const named = this.namedInClass()
      if (named) {
        ranges.push(...named)
        continue
      }
      const from = this.classCharacter()
      let to = from
      if (this.peek() === '-' && this.peek(1) !== ']' && this.peek(1) !== undefined) {
        this.at++
        to = this.classCharacter()
        if (to < from) this.fail('invalid character class range')
      }
      ranges.push(...this.cased([from, to]))
    }
    this.at++
    return negated ? complement(ranges) : ranges
  }

  private namedInClass(): Ranges | undefined {
    const [posix, negation, name] = /^\[:(\^?)(\w+):\]/.exec(this.source.slice(this.at, this.at + 16).join('')) ?? []
    if (posix !== undefined) {
      const ranges = posixClasses.get(name ?? '')
      if (!ranges) this.fail('invalid character class range')
      this.at += posix.length
      return negation ? complement(this.cased(ranges)) : this.cased(ranges)
    }
    if (this.peek() !== '\\') return undefined
    this.at++
    const ranges = this.escapedClass()
    if (!ranges) this.at--
    return ranges
  }

  private classCharacter(): number {
    if (this.accept('\\')) return this.escapedCharacter()
    return this.next().codePointAt(0) ?? 0
  }
}

const assertions: ReadonlyMap<string, Assertion> = new Map([
  ['A', 'text-begin'],
  ['z', 'text-end'],
  ['b', 'word'],
  ['B', 'no-word'],
])
const controls: ReadonlyMap<string, number> = new Map([
  ['a', 7],
  ['f', 12],
  ['t', 9],
  ['n', 10],
  ['r', 13],
  ['v', 11],
])
