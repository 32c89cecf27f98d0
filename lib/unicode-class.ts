import { lastCodePoint, pairs, type Ranges } from './regular-language.ts'

const digits: Ranges = [48, 57]
const upper: Ranges = [65, 90]
const lower: Ranges = [97, 122]

/** The classes that a backslash names, by their lower-case letter; ASCII, as in Go. */
export const perlClasses: ReadonlyMap<string, Ranges> = new Map([
  ['d', digits],
  ['s', [9, 10, 12, 13, 32, 32]],
  ['w', [...digits, ...upper, 95, 95, ...lower]],
])

/** The classes that `[:name:]` names. */
export const posixClasses: ReadonlyMap<string, Ranges> = new Map<string, Ranges>([
  ['alnum', [...digits, ...upper, ...lower]],
  ['alpha', [...upper, ...lower]],
  ['ascii', [0, 127]],
  ['blank', [9, 9, 32, 32]],
  ['cntrl', [0, 31, 127, 127]],
  ['digit', digits],
  ['graph', [33, 126]],
  ['lower', lower],
  ['print', [32, 126]],
  ['punct', [33, 47, 58, 64, 91, 96, 123, 126]],
  ['space', [9, 13, 32, 32]],
  ['upper', upper],
  ['word', [...digits, ...upper, 95, 95, ...lower]],
  ['xdigit', [...digits, 65, 70, 97, 102]],
])

const categories = new Map<string, Ranges | undefined>()

/** Code points of a general category such as Lu, or of a script such as Greek; undefined if there is none of that name. */
export function categoryRanges(name: string): Ranges | undefined {
  if (!categories.has(name)) categories.set(name, scan(name))
  return categories.get(name)
}

function scan(name: string): Ranges | undefined {
  if (name === 'Any') return [0, lastCodePoint]
  const pattern = /^(C[cfos]?|L[lmotu]?|M[cen]?|N[dlo]?|P[cdefios]?|S[ckmo]?|Z[lps]?)$/.test(name)
    ? unicodePattern(`\\p{gc=${name}}`)
    : /^\w+$/.test(name)
      ? unicodePattern(`\\p{Script=${name}}`)
      : undefined
  if (!pattern) return undefined
  const ranges: number[] = []
  for (let point = 0; point <= lastCodePoint; point++) {
    if (pattern.test(String.fromCodePoint(point))) ranges.push(point, point)
  }
  return ranges
}

function unicodePattern(source: string): RegExp | undefined {
  try {
    return new RegExp(`^${source}$`, 'u')
  } catch {
    return undefined
  }
}

let orbits: ReadonlyMap<number, readonly number[]> | undefined

/** The ranges with every other case of their letters added. */
export function folded(ranges: Ranges): Ranges {
  orbits ??= caseOrbits()
  const added: number[] = []
  for (const [from, to] of pairs(ranges)) {
    for (const [point, orbit] of orbits) {
      if (point >= from && point <= to) added.push(...orbit.flatMap((other) => [other, other]))
    }
  }
  return [...ranges, ...added]
}

/** Code points beyond this one have no case. */
const lastCased = 0x1e943

/** Letters that are equal but for case, as Go's unicode.SimpleFold has them: one code point for another. */
function caseOrbits(): ReadonlyMap<number, readonly number[]> {
  const groups = new Map<number, number[]>()
  for (let point = 0; point <= lastCased; point++) {
    const key = foldKey(point)
    groups.set(key, [...(groups.get(key) ?? []), point])
  }
  const result = new Map<number, readonly number[]>()
  for (const group of groups.values()) {
    if (group.length > 1) for (const point of group) result.set(point, group)
  }
  return result
}

/** The Turkish letters i with and without a dot fold to no other. */
const caseless = new Set([0x130, 0x131])

function foldKey(point: number): number {
  if (caseless.has(point)) return point
  return mapped(mapped(point, 'toUpperCase'), 'toLowerCase')
}

function mapped(point: number, change: 'toUpperCase' | 'toLowerCase'): number {
  const [only, ...more] = [...String.fromCodePoint(point)[change]()]
  return only !== undefined && more.length === 0 ? (only.codePointAt(0) ?? point) : point
}
