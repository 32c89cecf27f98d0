import { readFile } from 'node:fs/promises'
import { arch, availableParallelism, cpus, platform, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { UsageError } from '../lib/errors.ts'
import type { Plan, Reporter, RollCallTable, RunEnd, RunEvent, ScenarioResult } from '../lib/event.ts'
import type { CheckResult } from '../lib/verdict.ts'
import { RewrittenFile } from './atomic-file.ts'
import { type Run, runSchema, schemaVersion } from './run-schema.ts'

export interface JsonReporterOptions {
  /** The file to write, `run.json` of the report folder. */
  readonly path: string
  readonly runId: string
  /** The resolved configuration; the caller has taken the secrets out. */
  readonly config: unknown
  /** How often the file is rewritten at most. */
  readonly intervalMs?: number
}

/** Writes `run.json` as the run goes. A cut-off run leaves a valid file whose `end` is null. */
export function jsonReporter(options: JsonReporterOptions): Reporter {
  const record = new RunRecord(options.runId, options.config)
  const file = new RewrittenFile(options.path, () => `${record.stringify()}\n`, options.intervalMs ?? 500)
  return {
    name: 'json',
    on: (event) => {
      record.add(event)
      if (event.type === 'phase' || event.type === 'load-progress') return
      if (event.type === 'run-started' || event.type === 'run-ended') file.flush()
      else file.touch()
    },
    close: () => file.flush(),
  }
}

/** What is known of a run so far. */
class RunRecord {
  private readonly runId: string
  private readonly config: unknown
  private readonly scenarios: ScenarioResult[] = []
  private readonly checks: CheckResult[] = []
  private readonly rollCalls: RollCallTable[] = []
  private readonly warnings: { readonly at: number; readonly text: string }[] = []
  private plan: Plan | null = null
  private startedAt: number | null = null
  private versions: Readonly<Record<string, string>> = {}
  private end: RunEnd | null = null

  constructor(runId: string, config: unknown) {
    this.runId = runId
    this.config = config
  }

  add(event: RunEvent): void {
    switch (event.type) {
      case 'run-started':
        this.plan = event.plan
        this.startedAt = event.at
        this.versions = event.versions
        break
      case 'scenario-ended':
        this.scenarios.push(event.result)
        break
      case 'check':
        this.checks.push(event.result)
        break
      case 'roll-call':
        this.rollCalls.push(event.rollCall)
        break
      case 'warning':
        this.warnings.push({ at: event.at, text: event.text })
        break
      case 'run-ended':
        this.end = event.end
        break
    }
  }

  stringify(): string {
    const { runId, plan, startedAt, versions, scenarios, checks, rollCalls, warnings, end } = this
    const config = this.config ?? null
    const writtenAt = Date.now()
    const head = { schemaVersion, runId, writtenAt, startedAt, plan, versions, environment: environment() }
    return JSON.stringify({ ...head, scenarios, checks, rollCalls, warnings, end, config }, null, 2)
  }
}

function environment(): Run['environment'] {
  return {
    node: process.version,
    platform: `${platform()} ${release()} ${arch()}`,
    cpus: availableParallelism(),
    cpuModel: cpus()[0]?.model ?? 'unknown',
    memoryBytes: totalmem(),
  }
}

/**
 * Reads a past run.
 * @param path a `run.json` or the folder that holds it
 * @throws UsageError if it is not there, is not a run, or was written by a newer muster
 */
export async function readRun(path: string): Promise<Run> {
  const { file, text } = await readRunFile(path)
  const data = parseJson(file, text)
  const version = z.object({ schemaVersion: z.number() }).safeParse(data)
  if (version.success && version.data.schemaVersion !== schemaVersion) {
    throw new UsageError(
      `${file} has schema version ${version.data.schemaVersion}, but this muster reads version ${schemaVersion}; use the muster that wrote it.`,
    )
  }
  const run = runSchema.safeParse(data)
  if (run.success) return run.data
  const issues = run.error.issues.slice(0, 3).map((issue) => `${issue.path.join('.') || 'the whole'}: ${issue.message}`)
  throw new UsageError(`${file} is not a run of muster (${issues.join('; ')}); name a folder under reports/out.`, {
    cause: run.error,
  })
}

async function readRunFile(path: string): Promise<{ file: string; text: string }> {
  try {
    return { file: path, text: await readFile(path, 'utf8') }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EISDIR')) throw unreadable(path, error)
  }
  const file = join(path, 'run.json')
  try {
    return { file, text: await readFile(file, 'utf8') }
  } catch (error) {
    throw unreadable(file, error)
  }
}

function unreadable(file: string, cause: unknown): UsageError {
  const why = cause instanceof Error ? cause.message.replace(/, \w+( '.*')?$/, '') : String(cause)
  return new UsageError(`Cannot read the run ${file} (${why}); name a folder under reports/out.`, { cause })
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new UsageError(`${file} is not JSON, so not a run of muster; name a folder under reports/out.`, {
      cause: error,
    })
  }
}
