import type { Sent } from './line-names.ts'

/** A line of text of a request that was sent once. */
export interface TextLine {
  readonly text: string
  readonly sent: Sent
}

interface Token {
  readonly fact: string
  readonly from: number
  readonly to: number
}

/** What stands for each fact in the expression. */
const groups: Readonly<Record<string, string>> = {
  trace_id: '[0-9a-f]{32}',
  span_id: '[0-9a-f]{16}',
  timestamp: String.raw`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?`,
  level: '[A-Za-z]+',
  method: '[A-Z]+',
  path: String.raw`/[^\s"']*`,
  status: String.raw`\d{3}`,
  duration_ms: String.raw`\d+(?:\.\d+)? ?[nuµμm]?s`,
}

/**
 * Guesses regular expressions that read lines of text, the one that tells most first: what is known of a request is looked
 * for in its line, and what stands between is kept where all lines have it in common.
 */
export function patternsOf(lines: readonly TextLine[]): string[] {
  const kinds = new Map<string, { line: TextLine; tokens: Token[] }[]>()
  for (const line of lines) {
    const tokens = tokensOf(line)
    const kind = tokens.map(({ fact }) => fact).join(' ')
    kinds.set(kind, [...(kinds.get(kind) ?? []), { line, tokens }])
  }
  const most = [...kinds.values()].sort((one, other) => width(other) - width(one))
  return most.map((alike) => patternOf(alike))
}

function width(alike: readonly { tokens: readonly Token[] }[]): number {
  return alike[0]?.tokens.length ?? 0
}

function tokensOf({ text, sent }: TextLine): Token[] {
  const tokens: Token[] = []
  const note = (fact: string, found: RegExp) => {
    for (const match of text.matchAll(found)) {
      const [from, to] = [match.index, match.index + match[0].length]
      if (tokens.some((token) => from < token.to && token.from < to)) continue
      tokens.push({ fact, from, to })
      return
    }
  }
  note('trace_id', new RegExp(sent.traceId, 'g'))
  note('timestamp', new RegExp(groups.timestamp ?? '', 'g'))
  note('span_id', /(?<![0-9a-f])[0-9a-f]{16}(?![0-9a-f])/g)
  note('path', new RegExp(String.raw`${escaped(sent.path)}(?:\?[^\s"']*)?(?![^\s"'])`, 'g'))
  note('method', new RegExp(`\\b${escaped(sent.method)}\\b`, 'g'))
  note('duration_ms', /(?<![\w.])\d+(?:\.\d+)? ?[nuµμm]?s\b/g)
  note('status', new RegExp(`(?<![\\w.:])${sent.status}(?![\\w.:])`, 'g'))
  note('level', /\b(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL)\b/gi)
  return tokens.sort((one, other) => one.from - other.from)
}

function patternOf(alike: readonly { line: TextLine; tokens: readonly Token[] }[]): string {
  const [first] = alike
  if (first === undefined) return ''
  return first.tokens
    .map(({ fact }, n) => {
      const group = `(?<${fact}>${groups[fact] ?? ''})`
      if (n === 0) return group
      const between = alike.map(({ line, tokens }) => line.text.slice(tokens[n - 1]?.to, tokens[n]?.from))
      return (between.every((text) => text === between[0]) ? kept(between[0] ?? '') : '.*?') + group
    })
    .join('')
}

/** Numbers in a text that lines have in common, such as that of a process, will not be the same tomorrow. */
function kept(text: string): string {
  return escaped(text).replaceAll(/\d+/g, String.raw`\d+`)
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)
}
