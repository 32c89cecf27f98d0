import { randomUUID } from 'node:crypto'
import { appendFileSync, statSync } from 'node:fs'
import { exitCodes } from '../lib/errors.ts'
import type { Reporter } from '../lib/event.ts'
import type { PositionFinder } from '../lib/position.ts'
import { explainCommand } from './check-docs.ts'
import { type FailureGroup, failureGroups, pathWithin, reasonsOf } from './failure-groups.ts'
import { githubSummary } from './github-summary.ts'
import type { OutputStream } from './live-line.ts'
import { RunFacts } from './run-facts.ts'
import { verdictWord } from './terminal-summary.ts'
import { clean, oneLine, shortened } from './text.ts'

export interface GithubReporterOptions {
  /** Where workflow commands go: the step's standard output. */
  readonly stream: OutputStream
  /** Read for GITHUB_STEP_SUMMARY and GITHUB_WORKSPACE. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly positionOf: PositionFinder
}

/** GitHub refuses a step's summary as a whole above 1 MiB; some room is left for its own line ends. */
const summaryBytes = 1024 * 1024 - 1024
/** GitHub shows so many errors of a step, and drops the rest without a word. */
const mostAnnotations = 10
const longestMessage = 2000

/**
 * For GitHub Actions: an annotation for each expectation that does not hold, on the line that states it, and a summary of
 * the step. While muster runs, GitHub is told to take nothing of what is printed for a command: log lines and names come
 * from outside.
 */
export function githubReporter({ stream, environment, positionOf }: GithubReporterOptions): Reporter {
  const facts = new RunFacts()
  const root = environment.GITHUB_WORKSPACE ?? process.cwd()
  const token = randomUUID()
  stream.write(`::stop-commands::${token}\n`)
  return {
    name: 'github',
    on: (event) => facts.add(event),
    close: () => {
      stream.write(`::${token}::\n`)
      for (const line of annotations(facts, positionOf, root)) stream.write(`${line}\n`)
      const file = environment.GITHUB_STEP_SUMMARY
      if (file) appendSummary(file, facts, (check) => shownAs(root, positionOf(check)))
    },
  }
}

function shownAs(root: string, position: ReturnType<PositionFinder>): string | undefined {
  return position && `${pathWithin(root, position.file) ?? position.file}:${position.line}`
}

function appendSummary(file: string, facts: RunFacts, statedAt: Parameters<typeof githubSummary>[2]): void {
  // An earlier command of the step may have written there; the limit is on all together.
  const used = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  appendFileSync(file, githubSummary(facts, summaryBytes - used, statedAt))
}

function annotations(facts: RunFacts, positionOf: PositionFinder, root: string): string[] {
  const groups = failureGroups(facts.checks, positionOf)
  const lines = groups.map((group) => annotation(group, root))
  const { end } = facts
  // What ended the run is told even where no check did: bad config, no backend, an interruption.
  if (lines.length === 0 && end?.exitCode !== exitCodes.passed)
    lines.push(command({ title: `muster: ${verdictWord(end)}` }, end?.verdict ?? 'The run did not come to its end.'))
  if (lines.length <= mostAnnotations) return lines
  const rest = lines.length - (mostAnnotations - 1)
  const remainder = command({ title: 'muster' }, `${rest} more expectations do not hold: see the summary of the step.`)
  return [...lines.slice(0, mostAnnotations - 1), remainder]
}

function annotation(group: FailureGroup, root: string): string {
  const { position, id, signal, title } = group
  const file = position && pathWithin(root, position.file)
  const place = file === undefined || position === undefined ? {} : { file, line: String(position.line) }
  const explain = explainCommand(id)
  const lines = [...reasonsOf(group), `check ${id}`, ...(explain === undefined ? [] : [`explained by ${explain}`])]
  return command({ ...place, title: `${signal}: ${title}` }, lines.join('\n'))
}

function command(properties: Readonly<Record<string, string>>, message: string): string {
  const listed = Object.entries(properties).map(([name, value]) => `${name}=${escapeProperty(oneLine(value))}`)
  return `::error ${listed.join(',')}::${escapeData(clean(shortened(message, longestMessage)))}`
}

function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
