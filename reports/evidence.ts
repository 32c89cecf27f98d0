import { formatDuration } from '../lib/duration.ts'
import { type CheckResult, isRed, type Window } from '../lib/verdict.ts'
import { explainCommand } from './check-docs.ts'

/** Where a check belongs, as people and CI systems see it: `metrics / basic`, or `stack` for the whole run. */
export function placeOf(result: Pick<CheckResult, 'signal' | 'scenario'>): string {
  return result.scenario === undefined ? result.signal : `${result.signal} / ${result.scenario}`
}

/** Both ends in UTC to the millisecond, so that the same question can be asked again anywhere. */
export function formatWindow({ from, to }: Window): string {
  return `${timestamp(from)} to ${timestamp(to)} (${formatDuration(to - from)})`
}

function timestamp(time: number): string {
  const date = new Date(time)
  return Number.isNaN(date.getTime()) ? String(time) : date.toISOString()
}

/** `prose` may be broken anywhere, `command` at blanks, `address` nowhere. */
export type EvidenceKind = 'prose' | 'command' | 'address'

export interface EvidenceLine {
  readonly label: string
  readonly text: string
  readonly kind: EvidenceKind
}

/** All that a verdict rests on, in the order in which one asks for it. */
export function evidenceLines(result: CheckResult): EvidenceLine[] {
  const { id, reason, evidence } = result
  const { query, window, deadline, details, reproduce, link } = evidence
  const attempts = `${evidence.attempts} ${evidence.attempts === 1 ? 'attempt' : 'attempts'}`
  const lines: [string, string | undefined, EvidenceKind?][] = [
    ['reason', reason],
    ['expected', evidence.expected],
    ['actual', evidence.actual],
    ['details', details === undefined || details.length === 0 ? undefined : details.join('\n')],
    ['query', query],
    ['window', window && formatWindow(window)],
    ['asked', `${attempts} in ${formatDuration(evidence.elapsedMs)}`],
    ['deadline', deadline],
    ['reproduce', reproduce, 'command'],
    ['link', link, 'address'],
    ['check', id],
    ['explained', isRed(result) ? explainCommand(id) : undefined, 'command'],
  ]
  return lines.flatMap(([label, text, kind = 'prose']) => (text ? [{ label, text, kind }] : []))
}
