import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { UsageError } from '../lib/errors.ts'
import type { Reporter } from '../lib/event.ts'
import { RewrittenFile } from './atomic-file.ts'
import { RunFacts } from './run-facts.ts'
import { runJson } from './run-record.ts'
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
  const facts = new RunFacts()
  const file = new RewrittenFile(options.path, () => `${runJson(facts, options)}\n`, options.intervalMs ?? 500)
  return {
    name: 'json',
    on: (event) => {
      facts.add(event)
      if (event.type === 'phase' || event.type === 'load-progress') return
      if (event.type === 'run-started' || event.type === 'run-ended') file.flush()
      else file.touch()
    },
    close: () => file.flush(),
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
