import imported, { type Builder, type TestCase } from 'junit-report-builder'
import { exitCodes } from '../lib/errors.ts'
import type { Plan, Reporter, RollCallTable, RunEnd, RunEvent, ScenarioResult } from '../lib/event.ts'
import { type CheckResult, isRed, signals } from '../lib/verdict.ts'
import { RewrittenFile } from './atomic-file.ts'
import { evidenceLines, formatWindow, placeOf } from './evidence.ts'
import { paint } from './paint.ts'
import { rollCallLines } from './terminal-roll-call.ts'
import { clean, oneLine, shortened } from './text.ts'

export interface JunitReporterOptions {
  /** The file to write, `junit.xml` of the report folder. */
  readonly path: string
  /** How often the file is rewritten at most. */
  readonly intervalMs?: number
}

/**
 * Writes JUnit XML as the run goes: a suite per signal and scenario, a test case per check. The form is what GitLab,
 * Jenkins, GitHub's actions and Azure all read. A suite `run` says whether the run itself came to a valid end, so that a
 * file left behind by a killed run is red.
 */
export function junitReporter(options: JunitReporterOptions): Reporter {
  const report = new JunitReport()
  const file = new RewrittenFile(options.path, () => report.render(), options.intervalMs ?? 500)
  return {
    name: 'junit',
    on: (event) => {
      report.add(event)
      if (event.type === 'run-started' || event.type === 'run-ended') file.flush()
      else if (event.type === 'check' || event.type === 'scenario-ended') file.touch()
    },
    close: () => file.flush(),
  }
}

// The package's types promise a property `default` that its CommonJS build does not have.
const builder: Builder = isBuilder(imported) ? imported : imported.default

function isBuilder(value: object): value is Builder {
  return 'newBuilder' in value
}

// GitLab, Jenkins and every reader that is built on libxml2 refuse a file with a text that is too long.
const longestText = 100_000
const longestMessage = 10_000
const longestName = 500

const unfinished = 'The run has not come to its end: it was cut off, or is still under way.'

class JunitReport {
  private readonly checks: CheckResult[] = []
  private readonly scenarios: ScenarioResult[] = []
  private readonly rollCalls: RollCallTable[] = []
  private readonly warnings: string[] = []
  private plan: Plan | undefined
  private versions: Readonly<Record<string, string>> = {}
  private startedAt: number | undefined
  private end: RunEnd | undefined

  add(event: RunEvent): void {
    this.startedAt ??= event.at
    if (event.type === 'run-started') {
      this.plan = event.plan
      this.versions = event.versions
      this.startedAt = event.at
    } else if (event.type === 'check') this.checks.push(event.result)
    else if (event.type === 'scenario-ended') this.scenarios.push(event.result)
    else if (event.type === 'roll-call') this.rollCalls.push(event.rollCall)
    else if (event.type === 'warning') this.warnings.push(event.text)
    else if (event.type === 'run-ended') this.end = event.end
  }

  render(): string {
    const report = builder.newBuilder()
    this.addRunSuite(report)
    for (const [place, results] of this.places()) this.addSuite(report, place, results)
    // The root says no numbers: Jenkins' schema has none for skipped tests there, and without it readers take these for passed.
    // Every reader adds up the suites' own.
    return report.build().replace(/<testsuites [^>]*>/, '<testsuites name="muster">')
  }

  /** Checks by suite: signals in their own order, scenarios as the run met them. */
  private places(): Map<string, CheckResult[]> {
    const inOrder = signals.flatMap((signal) => this.checks.filter((check) => check.signal === signal))
    const places = new Map<string, CheckResult[]>()
    for (const check of inOrder) {
      const place = this.stable(placeOf(check))
      places.set(place, [...(places.get(place) ?? []), check])
    }
    return places
  }

  private addSuite(report: Builder, place: string, results: readonly CheckResult[]): void {
    const elapsedMs = results.reduce((sum, { evidence }) => sum + evidence.elapsedMs, 0)
    const suite = report.testSuite().name(place).timestamp(this.timestamp()).time(seconds(elapsedMs))
    for (const [name, value] of this.properties(results[0]?.scenario)) suite.property(name, oneLine(value))
    const names = uniqueNames(results, (text) => this.stable(text))
    results.forEach((result, index) => {
      const name = names[index] ?? result.id
      fill(suite.testCase().className(place).name(name).time(seconds(result.evidence.elapsedMs)), result)
    })
  }

  private addRunSuite(report: Builder): void {
    const elapsedMs = this.end === undefined ? 0 : this.end.endedAt - this.end.startedAt
    const suite = report.testSuite().name('run').timestamp(this.timestamp()).time(seconds(elapsedMs))
    for (const [name, value] of this.properties(undefined)) suite.property(name, oneLine(value))
    const test = suite.testCase().className('run').name('The run came to a valid end').time(seconds(elapsedMs))
    const problem = runProblem(this.end, this.checks)
    if (problem !== undefined) test.error(shortened(oneLine(problem), longestMessage), 'run', content(problem))
    const lines = [
      this.end?.verdict ?? unfinished,
      ...rollCallLines(this.rollCalls, 80, paint(false)),
      ...this.warnings.map((text) => `warning: ${text}`),
    ]
    test.standardOutput(content(lines.join('\n')))
  }

  /** Facts for people; on suites alone, since Jenkins' schema has none on test cases. */
  private properties(scenario: string | undefined): [name: string, value: string][] {
    const planned = this.plan?.scenarios.find(({ name }) => name === scenario)
    const driven = this.scenarios.find(({ name }) => name === scenario)
    return [
      ...pair('run', this.plan?.runId ?? this.end?.runId),
      ...pair('target', this.plan?.target),
      ...pair('profile', planned?.profile),
      ...pair('window', driven && formatWindow(driven.window)),
      ...Object.entries(this.versions).map(([name, version]): [string, string] => [`version.${name}`, version]),
    ]
  }

  /** UTC without a zone or fraction, the one form that every schema takes. */
  private timestamp(): string {
    return new Date(this.startedAt ?? Date.now()).toISOString().slice(0, 19)
  }

  /** Takes out what differs from run to run, for CI systems keep a test's history by its name. */
  private stable(name: string): string {
    const runId = this.plan?.runId ?? this.end?.runId
    const text = oneLine(name).replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?/g, '(time)')
    const stable = runId ? text.replaceAll(runId, '(run)') : text
    // Told without a number: that would differ from run to run.
    return stable.length > longestName ? `${shortened(stable, longestName).slice(0, longestName - 1)}…` : stable
  }
}

function pair(name: string, value: string | undefined): [string, string][] {
  return value === undefined ? [] : [[name, value]]
}

/** To the millisecond: a smaller number would be written as 1e-7, which most readers reject. */
function seconds(ms: number): number {
  return Number.isFinite(ms) ? Math.max(0, Math.round(ms)) / 1000 : 0
}

/** GitLab keeps only the first of two equal names. The id tells equal titles apart, whatever their order; then a number. */
function uniqueNames(results: readonly CheckResult[], stable: (text: string) => string): string[] {
  const titles = results.map(({ title, id }) => stable(title) || stable(id))
  const withIds = titles.map((title, index) =>
    occursTwice(titles, title) ? `${title} [${results[index]?.id}]` : title,
  )
  const used = new Set<string>()
  return withIds.map((name) => {
    let unique = name
    for (let n = 2; used.has(unique); n++) unique = `${name} #${n}`
    used.add(unique)
    return unique
  })
}

/**
 * Text of an element. The builder puts it into a CDATA section and splits the first `]]>` in it, but no other one, which
 * would end the section and ruin the file; so the others are split here.
 */
function content(text: string): string {
  const [before = '', first, ...others] = shortened(clean(text), longestText).split(']]>')
  if (first === undefined) return before
  return [`${before}]]>${first}`, ...others].join(']]]]><![CDATA[>')
}

function occursTwice(texts: readonly string[], text: string): boolean {
  return texts.indexOf(text) !== texts.lastIndexOf(text)
}

function fill(test: TestCase, result: CheckResult): void {
  const { verdict, reason, evidence } = result
  const lines = evidenceLines(result).map(({ label, text }) => `${label}: ${text}`)
  const text = content([`verdict: ${verdict}`, ...lines].join('\n'))
  const message = shortened(oneLine(reason ?? `expected ${evidence.expected}, got ${evidence.actual}`), longestMessage)
  if (verdict === 'failed' || verdict === 'no-data') test.failure(message, verdict).stacktrace(text)
  if (verdict === 'errored') test.error(message, verdict, text)
  // JUnit has no word for an accepted failure; its text tells.
  if (verdict === 'skipped' || verdict === 'accepted') test.skipped()
  test.standardOutput(text)
}

/** Why the run as a whole can't be trusted, though all its checks may be green. */
function runProblem(end: RunEnd | undefined, checks: readonly CheckResult[]): string | undefined {
  if (end === undefined) return unfinished
  const red = checks.some(isRed)
  const judged = red || checks.some(({ verdict }) => verdict === 'passed')
  switch (end.exitCode) {
    case exitCodes.passed:
      if (red) return `The run says that it passed, but a check did not: ${end.verdict}`
      return judged ? undefined : 'No check was judged, so nothing is proven.'
    case exitCodes.failed:
    case exitCodes.environment:
      return red ? undefined : end.verdict
    default:
      return end.verdict
  }
}
