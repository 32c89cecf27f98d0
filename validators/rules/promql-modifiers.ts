import { numberOf } from './promql-literal.ts'
import type { Span } from './promql-tree.ts'

/** An `offset`, `@`, `anchored` or `smoothed`, and what it changes of the selector or subquery before it. */
export interface Modifier extends Span {
  readonly change: { readonly offsetMs: number | undefined } | { readonly pinned: true } | Record<never, never>
}

const skipped = /"(?:\\[\s\S]|[^"\\])*"|'(?:\\[\s\S]|[^'\\])*'|`[^`]*`|#[^\n]*/
const offset = /\boffset\s+(?<amount>[-+]?\s*(?:\d\w*|step\(\)|range\(\)))(?=[\s)\],@+*/%^<>=!-]|$)/
const at = /@\s*(?:[-+]?(?:0x[\da-f]+|[\d_.]+(?:e[-+]?\d+|[a-z]\w*)?|inf|nan)|(?:start|end)\s*\(\s*\))/
const extended = /(?<=[\]})\w]\s+|[\]})])(?:anchored|smoothed)\b(?!\s*[({=!,)]\s*\w)/
const openNumber = /(?<![\w.])\d+\.(?![\w.])/
const token = new RegExp(
  [skipped, offset, at, extended, openNumber].map(({ source }, n) => `(?<t${n}>${source})`).join('|'),
  'gi',
)

/**
 * The grammar of lezer-promql binds modifiers to a whole binary expression (`a or b offset 5m` would shift both), where
 * Prometheus binds them to the selector before. So they are blanked out, and handed back with their places, which stay.
 * Numbers such as `1.`, which the grammar does not know, lose their point.
 */
export function maskModifiers(text: string): { readonly masked: string; readonly modifiers: readonly Modifier[] } {
  const modifiers: Modifier[] = []
  const masked = text.replace(token, (found, ...rest) => {
    const groups: Readonly<Record<string, string | undefined>> = rest.at(-1)
    const from: number = rest.at(-3)
    const span = { from, to: from + found.length }
    if (groups.t0 !== undefined) return found
    if (groups.t4 !== undefined) return found.replace('.', ' ')
    if (groups.t1 !== undefined) modifiers.push({ ...span, change: { offsetMs: shift(groups.amount ?? '') } })
    else modifiers.push({ ...span, change: groups.t2 === undefined ? {} : { pinned: true } })
    return ' '.repeat(found.length)
  })
  return { masked, modifiers }
}

function shift(amount: string): number | undefined {
  const seconds = numberOf(amount.replace(/\s/g, ''))
  return seconds === undefined ? undefined : Math.round(seconds * 1000)
}
