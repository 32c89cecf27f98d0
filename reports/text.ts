import { stripVTControlCharacters } from 'node:util'

// Tab and newline stay; the other control characters, bidirectional overrides (they can reorder what a reader sees),
// lone surrogates and non-characters (both are illegal in XML) go.
// biome-ignore lint/suspicious/noControlCharactersInRegex: removing them is the purpose
const unwanted = /[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff]|\p{Surrogate}/gu

/** Outside text made fit for a terminal and for XML: no colours, no control characters; newlines and tabs stay. */
export function clean(text: string): string {
  return stripVTControlCharacters(text.replaceAll('\r\n', '\n').replaceAll('\r', '\n')).replace(unwanted, '')
}

/** Like `clean`, on one line: every run of white space becomes a single space. */
export function oneLine(text: string): string {
  return clean(text).replace(/\s+/g, ' ').trim()
}

const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u
const invisible = /[\p{Mn}\p{Me}\p{Cf}]/u

/** Columns that one character takes on a terminal: 0, 1 or 2. */
function characterWidth(character: string): number {
  return character < '\x7f' ? 1 : invisible.test(character) ? 0 : wide.test(character) ? 2 : 1
}

/** Columns that a text takes on a terminal; colours count nothing. */
export function width(text: string): number {
  let columns = 0
  for (const character of stripVTControlCharacters(text)) columns += characterWidth(character)
  return columns
}

/** Cuts uncoloured text to so many columns; an ellipsis says that something is gone. */
export function truncate(text: string, columns: number): string {
  if (width(text) <= columns) return text
  return `${take(text, columns - 1).trimEnd()}…`
}

function take(text: string, columns: number): string {
  let used = 0
  let end = 0
  for (const character of text) {
    used += characterWidth(character)
    if (used > columns) break
    end += character.length
  }
  return text.slice(0, end)
}

/** Cut to so many characters, with a word on how many are missing; a pair of surrogates is never torn. */
export function shortened(text: string, most: number): string {
  if (text.length <= most) return text
  const end = /[\ud800-\udbff]/.test(text[most - 1] ?? '') ? most - 1 : most
  return `${text.slice(0, end)}… (${(text.length - end).toLocaleString('en-US')} more characters in run.json)`
}

export function padEnd(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - width(text)))
}

export function padStart(text: string, columns: number): string {
  return ' '.repeat(Math.max(0, columns - width(text))) + text
}

/** Breaks uncoloured text into lines of at most so many columns: at spaces where it can, inside a word where it must. */
export function wrap(text: string, columns: number): string[] {
  return text.split('\n').flatMap((line) => wrapLine(line.replaceAll('\t', '  ').trimEnd(), Math.max(1, columns)))
}

function wrapLine(line: string, columns: number): string[] {
  const lines: string[] = []
  let rest = line
  while (width(rest) > columns) {
    // A character wider than the room is taken nevertheless, so that the loop ends.
    const fitting = take(rest, columns) || ([...rest][0] ?? '')
    const space = rest[fitting.length] === ' ' ? fitting.length : fitting.lastIndexOf(' ')
    const end = space > 0 && fitting.slice(0, space).trim() !== '' ? space : fitting.length
    lines.push(rest.slice(0, end).trimEnd())
    rest = rest.slice(end).trimStart()
  }
  return rest === '' && lines.length > 0 ? lines : [...lines, rest]
}

/**
 * Breaks a shell command at blanks outside quotes, with a backslash at each line's end, so that it can still be copied
 * and run. A word longer than the line stays whole, and a command that has lines already keeps them.
 */
export function wrapCommand(command: string, columns: number): string[] {
  if (command.includes('\n')) return command.split('\n')
  const lines: string[] = []
  let line = ''
  for (const word of shellWords(command)) {
    if (line !== '' && width(line) + 1 + width(word) > columns - 2) {
      lines.push(`${line} \\`)
      line = `  ${word}`
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, line]
}

function shellWords(command: string): string[] {
  return command.match(/(?:'[^']*'|"(?:\\[\s\S]|[^"\\])*"|\\[\s\S]|[^\s'"\\]|['"\\])+/g) ?? []
}
