import { formatDuration } from '../lib/duration.ts'
import { exitCodes } from '../lib/errors.ts'
import type { RollCallRow } from '../lib/event.ts'
import { type CheckResult, isRed, signals } from '../lib/verdict.ts'
import { evidenceLines, placeOf } from './evidence.ts'
import { codeBlock, htmlText, markdownTable, markdownText } from './markdown.ts'
import type { RunFacts } from './run-facts.ts'
import { count, looks, percent, verdictColumns, verdictWord } from './terminal-summary.ts'
import { shortened } from './text.ts'
import { thresholdRows } from './thresholds.ts'

/** Of one text; what is longer stands in run.json. */
const longestText = 4000
const longestTitle = 300
/** Of one table, so that no table eats the room of the failures. */
const mostRows = 100

/**
 * The run as GitHub-flavoured Markdown.
 * @param most bytes; what has no room is counted in a last line, never cut in the middle
 * @param statedAt the file and line that state what a check expects
 */
export function githubSummary(
  facts: RunFacts,
  most: number,
  statedAt: (check: CheckResult) => string | undefined,
): string {
  const red = facts.checks.filter(isRed)
  const sections = [
    headline(facts),
    ...scenarioSection(facts),
    ...thresholdSection(facts),
    ...rollCallSection(facts),
    ...signalSection(facts),
    ...listSection('Accepted', accepted(facts)),
    ...listSection('Skipped', skipped(facts)),
    ...listSection('Warnings', [...new Set(facts.warnings.map(({ text }) => text))].map(short)),
  ]
  const failures = red.map((check) => failure(check, statedAt(check)))
  return fitted([...sections, ...(red.length === 0 ? [] : [`### Failures (${count(red.length)})`])], failures, most)
}

/** As many of the blocks as there is room for, the head first. */
function fitted(head: readonly string[], blocks: readonly string[], most: number): string {
  const note = (left: number) => `… and ${count(left)} more, for which there is no room here: see junit.xml.\n`
  const reserve = Buffer.byteLength(note(Number.MAX_SAFE_INTEGER))
  const pieces = [...head, ...blocks].map((block) => `${block}\n\n`)
  let used = 0
  const cut = pieces.findIndex((piece) => {
    used += Buffer.byteLength(piece)
    return used > most - reserve
  })
  if (cut < 0) return pieces.join('')
  const left = pieces.length - Math.max(cut, head.length)
  return most < reserve ? '' : pieces.slice(0, cut).join('') + note(left)
}

function headline({ end, plan, versions }: RunFacts): string {
  const green = end?.exitCode === exitCodes.passed
  const verdict = end?.verdict ?? 'The run did not come to its end.'
  const facts = [
    ...(plan ? [`run ${markdownText(plan.runId)}`, `target ${markdownText(plan.target)}`] : []),
    ...(end ? [`took ${formatDuration(end.endedAt - end.startedAt)}`] : []),
    ...Object.entries(versions).map(([name, version]) => `${markdownText(name)} ${markdownText(version)}`),
  ]
  return [
    `## ${looks[green ? 'passed' : 'failed'].mark} muster: ${verdictWord(end)}`,
    markdownText(shortened(verdict, longestText)),
    facts.join(' · '),
  ]
    .filter((line) => line !== '')
    .join('\n\n')
}

function scenarioSection({ scenarios }: RunFacts): string[] {
  if (scenarios.length === 0) return []
  const rows = scenarios.map(({ name, requests, iterations, dropped, p95Ms, errorRatio }) => [
    short(name),
    count(requests),
    count(iterations),
    count(dropped),
    p95Ms === null ? 'no data' : formatDuration(p95Ms),
    errorRatio === null ? 'no data' : percent(errorRatio),
  ])
  return [tableOf(['Scenario', 'Requests', 'Iterations', 'Dropped', 'p95', 'Errors'], rows)]
}

function thresholdSection({ checks }: RunFacts): string[] {
  const rows = thresholdRows(checks).map(({ scenario, metric, rule, actual, verdict }) => [
    short(scenario),
    short(metric),
    short(rule),
    short(actual),
    looks[verdict].mark,
  ])
  return rows.length === 0 ? [] : [tableOf(['Scenario', 'Threshold', 'Rule', 'Actual', ''], rows, 2)]
}

function rollCallSection({ rollCalls }: RunFacts): string[] {
  const rows = rollCalls.flatMap(({ scenario, rows: own }) => own.map((row) => rollCallCells(scenario, row)))
  const titles = ['Scenario', 'Service', 'Sent', 'Counted', 'Logged', 'Traced', 'Missing', 'Doubled', 'Freshness']
  return rows.length === 0 ? [] : [tableOf(titles, rows, 2)]
}

function rollCallCells(scenario: string, row: RollCallRow): string[] {
  const { service, sent, counted, logged, traced, missing, doubled, freshnessMs } = row
  const [least, most] = sent
  const known = (value: number | null) => (value === null ? '?' : count(value))
  const loud = (value: number) => (value === 0 ? '·' : `**${count(value)}**`)
  const freshness = Number.isFinite(freshnessMs) ? formatDuration(freshnessMs ?? 0) : 'never'
  return [
    short(scenario),
    short(service),
    count(least) + (most > least ? `+${count(most - least)}` : ''),
    known(counted),
    known(logged),
    known(traced),
    loud(missing),
    loud(doubled),
    freshnessMs === null ? '?' : freshness,
  ]
}

function signalSection({ checks }: RunFacts): string[] {
  if (checks.length === 0) return ['**No check was judged, so nothing is proven.**']
  const shown = verdictColumns(checks)
  const rows = signals.flatMap((signal) => {
    const own = checks.filter((check) => check.signal === signal)
    const numbers = shown.map((verdict) => own.filter((check) => check.verdict === verdict).length)
    return own.length === 0 ? [] : [[signal, ...numbers.map((number) => (number === 0 ? '·' : count(number)))]]
  })
  return [tableOf(['Signal', ...shown.map((verdict) => looks[verdict].word)], rows)]
}

function accepted({ checks }: RunFacts): string[] {
  return checks.flatMap((check) => {
    if (check.accepted === undefined) return []
    const { reason, owner, expires } = check.accepted
    return [`${short(`${placeOf(check)}: ${check.reason}`)}: ${short(`${reason} (${owner}, until ${expires})`)}`]
  })
}

function skipped({ checks }: RunFacts): string[] {
  const reasons = new Map<string, number>()
  for (const { verdict, reason = 'no reason given' } of checks)
    if (verdict === 'skipped') reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
  return [...reasons].map(([reason, number]) => `${count(number)} × ${short(reason)}`)
}

function listSection(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return []
  const rest = lines.length - mostRows
  const items = [...lines.slice(0, mostRows), ...(rest > 0 ? [`… and ${count(rest)} more`] : [])]
  return [[`### ${title}`, '', ...items.map((line) => `- ${line}`)].join('\n')]
}

function tableOf(titles: readonly string[], rows: readonly (readonly string[])[], figuresFrom = 1): string {
  const text = markdownTable(titles, rows.slice(0, mostRows), figuresFrom)
  return rows.length > mostRows ? `${text}\n\n… and ${count(rows.length - mostRows)} more rows` : text
}

function failure(check: CheckResult, statedAt: string | undefined): string {
  const { word } = looks[check.verdict]
  const name = htmlText(shortened(`${placeOf(check)} · ${check.title}`, longestTitle))
  const lines = evidenceLines(check).map(({ label, text }) => `${label.padEnd(10)} ${shortened(text, longestText)}`)
  const where = statedAt === undefined ? [] : [`stated at  ${statedAt}`]
  // A blank line ends the HTML block: below it Markdown is read again.
  return `<details><summary><b>${word.toUpperCase()}</b> ${name}</summary>\n\n${codeBlock([...lines, ...where].join('\n'))}\n\n</details>`
}

function short(text: string): string {
  return markdownText(shortened(text, longestTitle))
}
