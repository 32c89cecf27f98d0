import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { exitCodes } from '../lib/errors.ts'
import type { Reporter } from '../lib/event.ts'
import type { PositionFinder } from '../lib/position.ts'
import type { Verdict } from '../lib/verdict.ts'
import { RewrittenFile } from './atomic-file.ts'
import { type FailureGroup, failureGroups, pathWithin, reasonsOf } from './failure-groups.ts'
import { junitReporter } from './junit.ts'
import { RunFacts } from './run-facts.ts'
import { oneLine, shortened } from './text.ts'

/** The files that a job names under `artifacts: reports:`. */
const gitlabFiles = { codeQuality: 'gl-code-quality-report.json', junit: 'gl-junit-report.xml' } as const

export interface GitlabReporterOptions {
  /** The checkout: the files are written there, and paths in them are relative to it. */
  readonly folder: string
  readonly positionOf: PositionFinder
  /** The config, where whatever has no line of its own is shown. */
  readonly config: string
}

/** An entry of GitLab's Code Quality report. */
interface Issue {
  readonly description: string
  readonly check_name: string
  /** The same in every run, so that a merge request tells new failures from known ones. */
  readonly fingerprint: string
  readonly severity: 'info' | 'minor' | 'major' | 'critical' | 'blocker'
  readonly location: { readonly path: string; readonly lines: { readonly begin: number } }
}

/**
 * For GitLab CI: what does not hold as a Code Quality report, which merge requests show at the line that states it, and
 * JUnit under a name that does not change, since artefacts are not looked for behind links.
 */
export function gitlabReporter({ folder, positionOf, config }: GitlabReporterOptions): Reporter {
  const facts = new RunFacts()
  const junit = junitReporter({ path: join(folder, gitlabFiles.junit) })
  const render = () => `${JSON.stringify(issues(facts, positionOf, folder, config), null, 2)}\n`
  const file = new RewrittenFile(join(folder, gitlabFiles.codeQuality), render, 0)
  return {
    name: 'gitlab',
    on: (event) => {
      facts.add(event)
      // A job that is killed leaves the report of a run that was cut off, not that of the run before.
      if (event.type === 'run-started' || event.type === 'run-ended') file.flush()
      return junit.on(event)
    },
    close: () => {
      file.flush()
      return junit.close?.()
    },
  }
}

const severities: Readonly<Record<Verdict, Issue['severity']>> = {
  failed: 'critical',
  'no-data': 'critical',
  errored: 'major',
  accepted: 'info',
  skipped: 'info',
  passed: 'info',
}

function issues(facts: RunFacts, positionOf: PositionFinder, folder: string, config: string): Issue[] {
  const path = (file: string) => pathWithin(folder, file) ?? file
  const seen = new Map<string, number>()
  const found = failureGroups(facts.checks, positionOf).map((group) => {
    const file = path(group.position?.file ?? config)
    // The line is left out: it moves with every edit above it. Of several lines each has its number.
    const key = JSON.stringify([group.id, file])
    const nth = (seen.get(key) ?? 0) + 1
    seen.set(key, nth)
    return issue(group, file, nth)
  })
  const { end } = facts
  if (found.length > 0 && end !== null) return found
  if (end?.exitCode === exitCodes.passed) return found
  const ended = {
    description: oneLine(end?.verdict ?? 'The run has not come to its end: it was cut off, or is still under way.'),
    check_name: 'run',
    fingerprint: fingerprint(['run', path(config)]),
    severity: 'blocker' as const,
    location: { path: path(config), lines: { begin: 1 } },
  }
  return [...found, ended]
}

function issue(group: FailureGroup, file: string, nth: number): Issue {
  const { id, title, signal, verdict, position } = group
  const why = reasonsOf(group).map(oneLine).join('; ')
  return {
    description: shortened(oneLine(`${signal}: ${title}: ${why}`), 1000),
    check_name: id,
    fingerprint: fingerprint([id, file, String(nth)]),
    severity: severities[verdict],
    location: { path: file, lines: { begin: position?.line ?? 1 } },
  }
}

function fingerprint(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}
