import { arch, availableParallelism, cpus, platform, release, totalmem } from 'node:os'
import type { RunFacts } from './run-facts.ts'
import { type Run, runSchema, schemaVersion } from './run-schema.ts'

/** Of which run the record is, and how it was configured; the caller has taken the secrets out. */
export interface Recorded {
  readonly runId: string
  readonly config: unknown
}

/** A run as it is written to run.json. */
export function runJson(facts: RunFacts, { runId, config }: Recorded): string {
  const { plan, startedAt, versions, scenarios, checks, rollCalls, course, lanes, traces, warnings, end } = facts
  const head = { schemaVersion, runId, writtenAt: Date.now(), startedAt, plan, versions, environment: environment() }
  const body = { scenarios, checks, rollCalls, course, lanes, traces, warnings, end, config: config ?? null }
  return JSON.stringify({ ...head, ...body }, null, 2)
}

/** A run as it is read back from run.json. */
export function asRead(facts: RunFacts, recorded: Recorded): Run {
  return runSchema.parse(JSON.parse(runJson(facts, recorded)))
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
