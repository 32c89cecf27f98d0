import { formatDuration } from '../lib/duration.ts'
import type { LiveLoad, LoadProgress, Reporter, RunEvent, ScenarioResult } from '../lib/event.ts'
import { type CheckResult, isRed } from '../lib/verdict.ts'
import { attemptLine, attemptsOf } from './attempts.ts'
import { liveOutput, type Output, type OutputStream, plainOutput, silentOutput } from './live-line.ts'
import { type Paint, paint, wantsColor, wantsLiveLine } from './paint.ts'
import { RunFacts } from './run-facts.ts'
import { planLines } from './terminal-plan.ts'
import { hasLosses, rollCallLines } from './terminal-roll-call.ts'
import {
  acceptedLines,
  checkLine,
  count,
  evidenceBlock,
  failureLines,
  looks,
  percent,
  scenarioTable,
  signalTable,
  skippedLines,
  thresholdTable,
  verdictLines,
  warningLines,
} from './terminal-summary.ts'
import { oneLine, padStart, truncate } from './text.ts'

/** `quiet`: failures and the verdict; `verbose`: every check with its evidence as it comes. */
export type Verbosity = 'quiet' | 'normal' | 'verbose'

export interface TerminalReporterOptions {
  readonly stream: OutputStream
  readonly verbosity?: Verbosity
  /** Shown at the end. */
  readonly reportFolder?: string
  /** Read for NO_COLOR, FORCE_COLOR, CI and TERM; the process's own unless given. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** For the clock time of the estimated end; the machine's own unless given. */
  readonly timeZone?: string
}

/** How often a plain line of progress comes at most, where there is no terminal. */
const plainIntervalMs = 5000

/** For people: the plan, progress, red checks at once, tables at the end, failures last. */
export function terminalReporter(options: TerminalReporterOptions): Reporter {
  const view = new TerminalView(options)
  return { name: 'terminal', on: (event) => view.on(event), close: () => view.close() }
}

class TerminalView {
  private readonly options: TerminalReporterOptions
  private readonly verbosity: Verbosity
  private readonly output: Output
  private readonly colors: Paint
  private readonly live: boolean
  private readonly facts = new RunFacts()
  private startedAt: number | undefined
  private lastAt = 0
  private lastSeenAt = 0
  private doing = ''
  private closed = false

  constructor(options: TerminalReporterOptions) {
    const { stream, environment = process.env, verbosity = 'normal' } = options
    const isTerminal = stream.isTTY === true
    this.options = options
    this.verbosity = verbosity
    this.colors = paint(wantsColor(environment, isTerminal))
    this.live = verbosity !== 'quiet' && wantsLiveLine(environment, isTerminal)
    const quiet = verbosity === 'quiet'
    if (quiet) this.output = silentOutput(stream)
    else this.output = this.live ? liveOutput(stream, () => this.columns()) : plainOutput(stream, plainIntervalMs)
    // Whoever reads may leave early (`| head`); the run and its other reports go on.
    stream.on?.('error', () => undefined)
  }

  on(event: RunEvent): void {
    this.startedAt ??= event.at
    this.lastAt = event.at
    this.lastSeenAt = performance.now()
    this.facts.add(event)
    switch (event.type) {
      case 'run-started':
        this.say(planLines(event.plan, event.at, this.columns(), this.colors, this.options.timeZone))
        break
      case 'phase':
        this.progress(oneLine(event.text))
        break
      case 'load-progress':
        this.progress(loadLine(event.progress, this.live))
        break
      case 'scenario-ended':
        this.say([this.stamped(scenarioLine(event.result))])
        break
      case 'check':
        this.showCheck(event.result)
        break
      case 'warning':
        this.say([this.stamped(`! ${oneLine(event.text)}`, this.colors.yellow)])
        break
      case 'run-ended':
        this.finish()
        break
    }
  }

  /** A run that never ended still gets its summary. */
  close(): void {
    this.finish()
  }

  private columns(): number {
    const { isTTY, columns } = this.options.stream
    return isTTY && columns !== undefined && columns > 0 ? Math.max(60, columns) : 80
  }

  private say(lines: readonly string[]): void {
    if (this.verbosity !== 'quiet') this.output.print(lines)
  }

  /** A line that tells what happened, behind the time since the start; cut to the width. */
  private stamped(text: string, color: (text: string) => string = (plain) => plain): string {
    const stamp = elapsed(this.lastAt - (this.startedAt ?? this.lastAt))
    return `${this.colors.dim(stamp)}  ${color(truncate(text, this.columns() - stamp.length - 2))}`
  }

  private showCheck(result: CheckResult): void {
    const verbose = this.verbosity === 'verbose'
    if (verbose || isRed(result)) this.say([this.stamped(checkLine(result), this.colors[looks[result.verdict].color])])
    if (verbose) {
      const tried = attemptsOf(result.evidence).map((part) =>
        truncate(`    ${oneLine(attemptLine(part))}`, this.columns()),
      )
      this.say([...evidenceBlock(result, this.columns(), this.colors), ...tried, ''])
    }
    if (this.doing !== '') this.progress(this.doing)
  }

  private progress(text: string): void {
    this.doing = text
    this.output.progress(() => {
      // On a terminal the clock runs on between events.
      const since = this.live ? performance.now() - this.lastSeenAt : 0
      const stamp = elapsed(this.lastAt - (this.startedAt ?? this.lastAt) + since)
      const line = [stamp, text, checkCounts(this.facts.checks)].filter((part) => part !== '').join('  ')
      return this.live ? line : truncate(line, this.columns())
    })
  }

  private finish(): void {
    if (this.closed) return
    this.closed = true
    this.output.stop()
    const { colors } = this
    const { scenarios, rollCalls, checks, warnings, end } = this.facts
    const columns = this.columns()
    const { reportFolder } = this.options
    this.say(['', ...scenarioTable(scenarios, columns, colors)])
    // Losses are told even where all else is kept quiet.
    if (this.verbosity !== 'quiet' || rollCalls.some(hasLosses))
      this.output.print(rollCallLines(rollCalls, columns, colors))
    this.say([
      ...thresholdTable(checks, columns, colors),
      ...signalTable(checks, columns, colors),
      ...skippedLines(checks, columns, colors),
      ...acceptedLines(checks, columns, colors),
      ...warningLines(warnings, columns, colors),
    ])
    this.output.print(failureLines(checks, columns, colors))
    if (reportFolder !== undefined)
      this.say([`${colors.dim('Report')}  ${oneLine(reportFolder)}/report.html, junit.xml, run.json`])
    this.output.print(verdictLines(end, columns, colors))
  }
}

/** `1:05` since the start, wide enough for runs below 100 minutes. */
function elapsed(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  return padStart(`${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`, 5)
}

const barWidth = 12

function loadLine({ scenario, elapsedMs, durationMs, iterations, live }: LoadProgress, drawn: boolean): string {
  const ratio = durationMs > 0 ? Math.min(1, Math.max(0, elapsedMs / durationMs)) : 1
  const filled = Math.round(ratio * barWidth)
  const bar = drawn ? `${'━'.repeat(filled)}${'┄'.repeat(barWidth - filled)} ` : ''
  const seconds = (ms: number) => Math.round(Math.min(ms, durationMs) / 1000)
  const done = `${seconds(elapsedMs)}/${seconds(durationMs)} s`
  const figures = live === undefined ? `${count(iterations)} iterations` : liveFigures(live)
  return `${oneLine(scenario)} ${bar}${done}  ${figures}`
}

/** `41/s  0 % errors  p95 12 ms` */
function liveFigures({ rate, errorRatio, p95Ms }: LiveLoad): string {
  return [
    `${count(Math.round(rate))}/s`,
    ...(errorRatio === null ? [] : [`${percent(errorRatio)} errors`]),
    ...(p95Ms === null ? [] : [`p95 ${formatDuration(p95Ms)}`]),
  ].join('  ')
}

function scenarioLine({ name, requests, dropped, p95Ms, errorRatio }: ScenarioResult): string {
  const figures = [
    `${count(requests)} requests`,
    `${count(dropped)} dropped`,
    ...(p95Ms === null ? [] : [`p95 ${formatDuration(p95Ms)}`]),
    ...(errorRatio === null ? [] : [`${percent(errorRatio)} errors`]),
  ]
  return oneLine(`${name} driven: ${figures.join(', ')}`)
}

/** `checks 14 ✓ 1 ✗`, or nothing before the first. */
function checkCounts(checks: readonly CheckResult[]): string {
  if (checks.length === 0) return ''
  const red = checks.filter(isRed).length
  const green = checks.filter(({ verdict }) => verdict === 'passed').length
  return `${green} passed${red === 0 ? '' : `, ${red} not`}`
}
