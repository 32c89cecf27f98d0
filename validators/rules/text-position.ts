import { type LineCounter, Scalar } from 'yaml'

/** Lines and columns from 1, as editors count. */
export interface Position {
  readonly line: number
  readonly column: number
}

/**
 * Where a character of a YAML value stands in its file. The characters that are no white space come in the same order in
 * both, in whatever style the value is written, so they are counted; quotes and the header of a block are skipped.
 * @param offset into the value
 */
export function positionIn(source: string, scalar: Scalar, offset: number, lines: LineCounter): Position {
  const [start = 0, end = start] = scalar.range ?? []
  const value = String(scalar.value)
  let toSkip = value.slice(0, offset).replace(/\s/g, '').length
  let at = bodyStart(source, scalar, start)
  for (; at < end; at += 1) {
    const char = source[at] ?? ''
    if (/\s/.test(char)) continue
    const escaped =
      (scalar.type === Scalar.QUOTE_DOUBLE && char === '\\') ||
      (scalar.type === Scalar.QUOTE_SINGLE && char === "'" && source[at + 1] === "'")
    if (toSkip === 0) break
    if (escaped) at += 1
    toSkip -= 1
  }
  const { line, col } = lines.linePos(Math.min(at, end))
  return { line, column: col }
}

function bodyStart(source: string, { type }: Scalar, start: number): number {
  if (type === Scalar.QUOTE_DOUBLE || type === Scalar.QUOTE_SINGLE) return start + 1
  if (type === Scalar.BLOCK_LITERAL || type === Scalar.BLOCK_FOLDED) return source.indexOf('\n', start) + 1
  return start
}
