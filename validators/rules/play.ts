import type { Labels, Series } from './evaluator/series.ts'
import type { ModelSeries } from './model.ts'

/** A level for each quantity of a model; undefined: its series are not there. */
export type Levels = readonly (number | undefined)[]

/** Series that move together, and their levels in each phase. */
export interface Actor {
  readonly series: readonly ModelSeries[]
  /** Labels that tell this one from other actors with the same series. */
  readonly as?: Labels
  readonly levels: readonly Levels[]
}

export interface Phase {
  readonly steps: number
  /** True: counters begin again from zero. */
  readonly resets?: boolean
}

/** Enough digits to be exact for what people measure, few enough to be read. */
const digits = 12

/**
 * Samples of every actor's series. The first step stays empty, because promtool's dump doesn't show what is evaluated at
 * its very beginning.
 */
export function play(actors: readonly Actor[], phases: readonly Phase[], stepMs: number): Series[] {
  return actors.flatMap(({ series, as, levels }) =>
    series.map((one) => {
      const values: (number | undefined)[] = [undefined]
      let count = 0
      for (const [index, { steps, resets }] of phases.entries()) {
        const current = levels[index] ?? []
        const level = sumOf(one.terms, current)
        const slope = one.slope === undefined ? 0 : (current[one.slope] ?? 0)
        if (resets && one.kind === 'counter') count = 0
        for (let step = 0; step < steps; step++) {
          if (level === undefined) {
            values.push(undefined)
            continue
          }
          if (one.kind === 'gauge') values.push(rounded(level + slope * (step * (stepMs / 1000))))
          else {
            // A reset shows as a zero; growth goes on from there.
            if (!(resets && step === 0)) count = rounded(count + level * (stepMs / 1000))
            values.push(count)
          }
        }
      }
      return { labels: as ? { ...one.labels, ...as } : one.labels, values }
    }),
  )
}

function sumOf(terms: readonly number[], levels: Levels): number | undefined {
  let total: number | undefined
  for (const term of terms) {
    const level = levels[term]
    if (level !== undefined) total = (total ?? 0) + level
  }
  return total
}

function rounded(value: number): number {
  return Number(value.toPrecision(digits))
}

/** Values in promtool's notation: `0+600x5 _x3 stale`; what is absent after something is stale, before it missing. */
export function notation(values: readonly (number | undefined)[]): string {
  const words: string[] = []
  let index = 0
  while (index < values.length) {
    const value = values[index]
    const next = values[index + 1]
    if (value === undefined) {
      let end = index
      while (end < values.length && values[end] === undefined) end++
      if (index > 0) words.push('stale')
      const missing = end - index - (index > 0 ? 1 : 0)
      if (missing > 0 && (end < values.length || index === 0)) words.push(missing === 1 ? '_' : `_x${missing}`)
      index = end
      continue
    }
    const run = next === undefined ? 1 : runLength(values, index, value, next - value)
    if (next === undefined || run < 3) words.push(plain(value))
    else if (next === value) words.push(`${plain(value)}x${run - 1}`)
    else words.push(`${plain(value)}${next > value ? '+' : '-'}${plain(Math.abs(next - value))}x${run - 1}`)
    index += next === undefined || run < 3 ? 1 : run
  }
  return words.join(' ') || '_'
}

/** How many values from `index` on promtool would read back exactly from a beginning and a step. */
function runLength(values: readonly (number | undefined)[], index: number, from: number, step: number): number {
  if (Number(plain(step)) !== step) return 1
  let length = 1
  let value = from
  for (let next = values[index + length]; next !== undefined; next = values[index + length]) {
    value += step
    if (value !== next) break
    length++
  }
  return length
}

/** Without an exponent, which promtool's notation would take for a step. */
function plain(value: number): string {
  const text = String(value)
  if (!text.includes('e')) return text
  return Math.abs(value) < 1 ? value.toFixed(20).replace(/0+$/, '') : BigInt(Math.round(value)).toString()
}

/** Reads notation back. @returns undefined for what is none, or uses more of promtool's notation than `notation` writes */
export function valuesOf(text: string): (number | undefined)[] | undefined {
  const values: (number | undefined)[] = []
  for (const word of text.split(/\s+/).filter((one) => one !== '')) {
    const missing = /^_(?:x(\d+))?$/.exec(word)
    const run = /^(-?[\d.]+)(?:([+-])([\d.]+))?x(\d+)$/.exec(word)
    if (missing) values.push(...Array.from({ length: Number(missing[1] ?? 1) }, () => undefined))
    else if (word === 'stale') values.push(undefined)
    else if (run) {
      const step = Number(run[3] ?? 0) * (run[2] === '-' ? -1 : 1)
      let value = Number(run[1])
      for (let index = 0; index <= Number(run[4]); index++) {
        values.push(value)
        value += step
      }
    } else if (/^-?[\d.]+$/.test(word)) values.push(Number(word))
    else return undefined
  }
  return values
}
