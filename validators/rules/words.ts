import { formatPrometheusDuration } from '../../lib/prometheus-duration.ts'
import type { Timeline, Track } from './timeline.ts'

/** When things happen, counted from where. */
export interface Clock {
  readonly stepMs: number
  /** The step that counts as zero. */
  readonly onset: number
  /** Steps of the whole incident. */
  readonly steps: number
}

const mostTracks = 3
const mostValues = 6

/** `pending 4m, fires 6m, resolves 20m`, from where the incident begins; `silent` if nothing happens. */
export function alertWords(timeline: Timeline, clock: Clock): string {
  const texts = [...timeline.values()].map((track) => trackWords(track, clock)).sort()
  return said(texts, 'silent')
}

/** The values of recorded series where they change. */
export function recordWords(timeline: Timeline, clock: Clock): string {
  return said([...timeline.values()].map((track) => valueWords(track, clock)).sort(), 'nothing recorded')
}

function said(texts: readonly string[], none: string): string {
  const [first, ...others] = texts
  if (first === undefined) return none
  if (others.every((text) => text === first)) return others.length > 0 ? `${texts.length} times: ${first}` : first
  const rest = texts.length - mostTracks
  return `${texts.slice(0, mostTracks).join('; ')}${rest > 0 ? `; and ${rest} more` : ''}`
}

function trackWords(track: Track, clock: Clock): string {
  const words: string[] = []
  let before: { step: number; state: string } | undefined
  for (const [step, state] of track) {
    const interrupted = before !== undefined && before.step !== step - 1
    if (before && interrupted) words.push(ended(before, clock))
    if (!before || interrupted || before.state !== state)
      words.push(`${state === 'f' ? 'fires' : 'pending'} ${when(step, clock)}`)
    before = { step, state }
  }
  if (before && before.step < clock.steps - 1) words.push(ended(before, clock))
  return words.join(', ')
}

function ended(before: { step: number; state: string }, clock: Clock): string {
  return `${before.state === 'f' ? 'resolves' : 'given up'} ${when(before.step + 1, clock)}`
}

function valueWords(track: Track, clock: Clock): string {
  const changes: string[] = []
  let before: string | undefined
  for (const [step, value] of track) {
    const text = String(Number(Number(value).toPrecision(6)))
    if (text !== before) changes.push(`${text} at ${when(step, clock)}`)
    before = text
  }
  const rest = changes.length - mostValues
  return rest > 0 ? `${changes.slice(0, mostValues).join(', ')}, and ${rest} more values` : changes.join(', ')
}

function when(step: number, { stepMs, onset }: Clock): string {
  const ms = (step - onset) * stepMs
  return `${ms < 0 ? '-' : ''}${formatPrometheusDuration(Math.abs(ms))}`
}
