const secondsOf: Readonly<Record<string, number>> = {
  y: 31_536_000,
  w: 604_800,
  d: 86_400,
  h: 3600,
  m: 60,
  s: 1,
  ms: 0.001,
}

const durationPattern = /^(?:\d+y)?(?:\d+w)?(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?(?:\d+ms)?$/

/**
 * Milliseconds of a duration as rule files and PromQL write it: `1d`, `1h30m`, `0`; units y w d h m s ms, each once and
 * in this order (`ParseDuration` of prometheus/common). Undefined if it is not one.
 */
export function parsePrometheusDuration(text: string): number | undefined {
  if (text === '0') return 0
  if (text === '' || !durationPattern.test(text)) return undefined
  let seconds = 0
  for (const [, amount, unit] of text.matchAll(/(\d+)(ms|[ywdhms])/g)) {
    seconds += Number(amount) * (secondsOf[unit ?? ''] ?? 0)
  }
  return Math.round(seconds * 1000)
}

/** The shortest text for milliseconds that Prometheus reads: `1h30m`, `250ms`, `0s`. */
export function formatPrometheusDuration(ms: number): string {
  let rest = Math.round(ms)
  let text = ''
  for (const [unit, size] of [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
    ['ms', 1],
  ] as const) {
    const amount = Math.floor(rest / size)
    if (amount > 0) text += `${amount}${unit}`
    rest -= amount * size
  }
  return text || '0s'
}

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
