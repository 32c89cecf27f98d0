import { parsePrometheusDuration } from '../../lib/prometheus-duration.ts'

/** The value of a PromQL number literal: decimal, hexadecimal, with `_`, Inf, NaN, or a duration, which counts in seconds. */
export function numberOf(literal: string): number | undefined {
  const sign = literal.startsWith('-') ? -1 : 1
  const text = literal.replace(/^[-+]\s*/, '')
  if (/^inf(inity)?$/i.test(text)) return sign * Number.POSITIVE_INFINITY
  if (/^nan$/i.test(text)) return Number.NaN
  const ms = parsePrometheusDuration(text)
  if (ms !== undefined && text !== '0') return (sign * ms) / 1000
  const plain = text.replaceAll('_', '')
  if (/^0[0-7]+$/.test(plain)) return sign * Number.parseInt(plain, 8)
  const value = Number(plain)
  return plain === '' || Number.isNaN(value) ? undefined : sign * value
}

const escapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}

/** The content of a PromQL string literal with its quotes: escapes as in Go, none between backquotes. */
export function stringOf(literal: string): string {
  const inner = literal.slice(1, -1)
  if (literal.startsWith('`')) return inner
  return inner.replace(
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|([\s\S]))/g,
    (_, x?: string, u?: string, wide?: string, octal?: string, one?: string) => {
      const hex = x ?? u ?? wide
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16))
      if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8))
      return escapes[one ?? ''] ?? one ?? ''
    },
  )
}
