import { formatDuration } from '../lib/duration.ts'
import { exitCodes } from '../lib/errors.ts'
import type { RunEnd, ScenarioResult } from '../lib/event.ts'
import { type CheckResult, isRed, signals, type Verdict, verdicts } from '../lib/verdict.ts'
import { type EvidenceLine, evidenceLines, placeOf } from './evidence.ts'
import type { Paint } from './paint.ts'
import { table } from './table.ts'
import { clean, oneLine, padEnd, wrap, wrapCommand } from './text.ts'
import { thresholdRows } from './thresholds.ts'

/** How each verdict is shown: a mark, a word, a colour. */
export const looks: Readonly<Record<Verdict, { mark: string; word: string; color: keyof Paint }>> = {
  passed: { mark: '✓', word: 'passed', color: 'green' },
  failed: { mark: '✗', word: 'failed', color: 'red' },
  'no-data': { mark: '✗', word: 'no data', color: 'red' },
  errored: { mark: '!', word: 'errored', color: 'red' },
  accepted: { mark: '~', word: 'accepted', color: 'yellow' },
  skipped: { mark: '-', word: 'skipped', color: 'yellow' },
}

/** One check in one line: where, what, and for anything but green, why. */
export function checkLine(result: CheckResult): string {
  const { verdict, title, reason, evidence } = result
  const why = verdict === 'passed' ? '' : `: ${reason ?? `expected ${evidence.expected}, got ${evidence.actual}`}`
  return oneLine(`${looks[verdict].mark} ${placeOf(result)} · ${title}${why}`)
}

/** What was driven, a row per scenario. */
export function scenarioTable(scenarios: readonly ScenarioResult[], columns: number, colors: Paint): string[] {
  if (scenarios.length === 0) return []
  const figures = ['Requests', 'Iterations', 'Dropped', 'p95', 'Errors'].map((title) => ({ title, figures: true }))
  const rows = scenarios.map(({ name, requests, iterations, dropped, p95Ms, errorRatio }) => [
    oneLine(name),
    count(requests),
    count(iterations),
    count(dropped),
    p95Ms === null ? 'no data' : formatDuration(p95Ms),
    errorRatio === null ? 'no data' : percent(errorRatio),
  ])
  return [...titled(table([{ title: 'Scenario' }, ...figures], rows, columns - 2), colors), '']
}

/** Every threshold's rule beside what was measured, a row per scenario. */
export function thresholdTable(checks: readonly CheckResult[], columns: number, colors: Paint): string[] {
  const rows = thresholdRows(checks)
  if (rows.length === 0) return []
  const cells = rows.map(({ scenario, metric, rule, actual, verdict }) =>
    [scenario, metric, rule, `${actual} ${looks[verdict].mark}`].map(oneLine),
  )
  const titles = [{ title: 'Scenario' }, { title: 'Threshold' }, { title: 'Rule' }, { title: 'Actual', figures: true }]
  const [title = '', ...lines] = table(titles, cells, columns - 2)
  const colored = lines.map((line, n) => (rows[n]?.verdict === 'passed' ? line : colors.red(line)))
  return [`  ${colors.dim(title)}`, ...colored.map((line) => `  ${line}`), '']
}

/** The verdicts that a table of them has columns for; a rare word takes one only where it is used. */
export function verdictColumns(checks: readonly CheckResult[]): Verdict[] {
  return verdicts.filter((verdict) => verdict !== 'accepted' || checks.some((check) => check.verdict === verdict))
}

/** How many checks ended how, a row per signal that was judged. */
export function signalTable(checks: readonly CheckResult[], columns: number, colors: Paint): string[] {
  if (checks.length === 0) return [`  ${colors.red('No check was judged, so nothing is proven.')}`, '']
  const shown = verdictColumns(checks)
  const rows = signals.flatMap((signal) => {
    const own = checks.filter((check) => check.signal === signal)
    return own.length === 0 ? [] : [[signal, ...tally(own, shown)]]
  })
  if (rows.length > 1) rows.push(['all', ...tally(checks, shown)])
  const figures = shown.map((verdict) => ({ title: capital(looks[verdict].word), figures: true }))
  const [title = '', ...lines] = table([{ title: 'Signal' }, ...figures], rows, columns - 2)
  const colored = lines.map((line, n) => {
    const own =
      n < lines.length - 1 || rows.length === 1 ? checks.filter(({ signal }) => signal === rows[n]?.[0]) : checks
    return own.some(isRed) ? colors.red(line) : line
  })
  return [`  ${colors.dim(title)}`, ...colored.map((line) => `  ${line}`), '']
}

/** A point for none: what is there stands out. */
function tally(checks: readonly CheckResult[], shown: readonly Verdict[]): string[] {
  return shown.map((verdict) => count(checks.filter((check) => check.verdict === verdict).length).replace(/^0$/, '·'))
}

/** Checks that were not judged, with the reason; equal reasons are told once. */
export function skippedLines(checks: readonly CheckResult[], columns: number, colors: Paint): string[] {
  const byReason = new Map<string, string[]>()
  for (const check of checks) {
    if (check.verdict !== 'skipped') continue
    const reason = oneLine(check.reason ?? 'no reason given')
    byReason.set(reason, [...(byReason.get(reason) ?? []), oneLine(`${placeOf(check)} · ${check.title}`)])
  }
  if (byReason.size === 0) return []
  const lines = [...byReason].flatMap(([reason, names]) => [
    ...names.flatMap((name) => bullet('-', name, columns)),
    ...wrap(reason, columns - 6).map((line) => `      ${colors.dim(line)}`),
  ])
  return [colors.bold('Skipped'), ...lines, '']
}

/** Failures that the config accepts: what fails, why that is accepted, by whom and how long. */
export function acceptedLines(checks: readonly CheckResult[], columns: number, colors: Paint): string[] {
  const lines = checks.flatMap((check) => {
    if (check.verdict !== 'accepted') return []
    const why = wrap(oneLine(check.reason ?? 'no reason given'), columns - 6)
    return [
      ...bullet('~', oneLine(`${placeOf(check)} · ${check.title}`), columns),
      ...why.map((line) => `      ${colors.dim(line)}`),
    ]
  })
  return lines.length === 0 ? [] : [colors.bold('Accepted'), ...lines, '']
}

export function warningLines(warnings: readonly { readonly text: string }[], columns: number, colors: Paint): string[] {
  if (warnings.length === 0) return []
  const lines = [...new Set(warnings.map(({ text }) => text))].flatMap((text) => bullet('!', oneLine(text), columns))
  return [colors.bold('Warnings'), ...lines.map((line) => colors.yellow(line)), '']
}

function bullet(mark: string, text: string, columns: number): string[] {
  return wrap(text, columns - 4).map((line, n) => `  ${n === 0 ? mark : ' '} ${line}`)
}

/** Each red check with everything needed to look into it. */
export function failureLines(checks: readonly CheckResult[], columns: number, colors: Paint): string[] {
  return checks.filter(isRed).flatMap((check) => {
    const { word } = looks[check.verdict]
    const [first = '', ...rest] = wrap(oneLine(`${placeOf(check)} · ${check.title}`), columns - word.length - 2)
    const head = `${colors.red(colors.bold(word.toUpperCase()))}  ${colors.bold(first)}`
    const more = rest.map((line) => `${' '.repeat(word.length + 2)}${colors.bold(line)}`)
    return [head, ...more, ...evidenceBlock(check, columns, colors), '']
  })
}

const evidenceIndent = 2
const labelWidth = 11

/** The evidence of one check, a labelled paragraph per fact. */
export function evidenceBlock(check: CheckResult, columns: number, colors: Paint): string[] {
  const room = columns - evidenceIndent - labelWidth
  return evidenceLines(check).flatMap((line) => {
    const lines = broken(line, room)
    // What a reader copies must not be broken: too long for its column, it gets lines of its own.
    const whole = line.kind !== 'prose' && lines.some((text) => text.length > room)
    const label = ' '.repeat(evidenceIndent) + colors.dim(padEnd(line.label, labelWidth))
    if (whole) return [label.trimEnd(), ...broken(line, columns - 4).map((text) => `    ${text}`)]
    return lines.map(
      (text, n) => (n === 0 ? label : ' '.repeat(evidenceIndent + labelWidth)) + emphasize(line, text, check, colors),
    )
  })
}

function broken({ kind, text }: EvidenceLine, room: number): string[] {
  if (kind === 'prose') return wrap(clean(text), room)
  return kind === 'command' ? wrapCommand(clean(text), room) : [oneLine(text)]
}

function emphasize({ label }: EvidenceLine, text: string, check: CheckResult, colors: Paint): string {
  if (label === 'actual' && isRed(check)) return colors.red(text)
  return label === 'link' ? colors.cyan(text) : text
}

/** How a run ended, in one or a few words. */
export function verdictWord(end: RunEnd | null): string {
  return end === null ? 'CUT OFF' : (words[end.exitCode] ?? 'FAILED')
}

/** The last line of all. Without an end the run was cut off, which is never green. */
export function verdictLines(end: RunEnd | null, columns: number, colors: Paint): string[] {
  const green = end?.exitCode === exitCodes.passed
  const word = verdictWord(end)
  const text = end === null ? 'The run did not come to its end.' : oneLine(end.verdict)
  const time = end === null ? '' : ` (${formatDuration(end.endedAt - end.startedAt)})`
  const color = green ? colors.green : colors.red
  const head = `${green ? looks.passed.mark : looks.failed.mark} ${word}  `
  return wrap(`${text}${time}`, columns - head.length).map((line, n) =>
    n === 0 ? color(colors.bold(head)) + line : ' '.repeat(head.length) + line,
  )
}

const words: Readonly<Record<number, string>> = {
  [exitCodes.passed]: 'PASSED',
  [exitCodes.failed]: 'FAILED',
  [exitCodes.usage]: 'USAGE',
  [exitCodes.environment]: 'COULD NOT ASK',
  [exitCodes.invalid]: 'INVALID',
  [exitCodes.interrupted]: 'INTERRUPTED',
}

function titled([title = '', ...lines]: readonly string[], colors: Paint): string[] {
  return [`  ${colors.dim(title)}`, ...lines.map((line) => `  ${line}`)]
}

export function count(value: number): string {
  return value.toLocaleString('en-US')
}

export function percent(ratio: number): string {
  if (ratio > 0 && ratio < 0.0001) return '< 0.01 %'
  return `${(ratio * 100).toFixed(2).replace(/\.?0+$/, '')} %`
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
