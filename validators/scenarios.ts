import { resolve } from 'node:path'
import { parseDuration } from '../lib/duration.ts'
import { UsageError } from '../lib/errors.ts'
import { type DrivenJourney, drivenJourneys, type Scenario } from '../lib/scenario.ts'
import type { Config } from './config.ts'
import { loadScenario } from './k6.ts'

/** A scenario of the config with its sizes and its place in the run. */
export interface Planned {
  readonly scenario: Scenario
  /** Absolute. */
  readonly file: string
  /** Trace ids' scenario number of its first journey. */
  readonly firstNumber: number
  readonly rate: number | undefined
  readonly durationMs: number | undefined
  readonly driven: readonly DrivenJourney[]
}

/**
 * Loads the scenarios of the config, or those named.
 * @throws UsageError for a name that the config does not have, and for files that are no scenarios
 */
export async function planScenarios(config: Config, names: readonly string[]): Promise<Planned[]> {
  const planned: Planned[] = []
  let firstNumber = 0
  for (const entry of config.scenarios) {
    const one = await planScenario(resolve(config.folder, entry.file), firstNumber, entry.rate, entry.duration)
    planned.push(one)
    firstNumber += one.driven.length
  }
  const known = planned.map(({ scenario }) => scenario.name)
  const unknown = names.filter((name) => !known.includes(name))
  if (unknown.length > 0) {
    throw new UsageError(
      `There is no scenario ${unknown.map((name) => `"${name}"`).join(', ')} in ${config.file}: it has ${known.join(', ')}.`,
    )
  }
  return names.length === 0 ? planned : planned.filter(({ scenario }) => names.includes(scenario.name))
}

/** @throws UsageError if the file is no scenario */
export async function planScenario(
  file: string,
  firstNumber: number,
  rate?: number,
  duration?: string,
): Promise<Planned> {
  const scenario = await loadScenario(file)
  const durationMs = duration === undefined ? undefined : parseDuration(duration)
  return {
    scenario,
    file,
    firstNumber,
    rate,
    durationMs,
    driven: drivenJourneys(scenario, { firstNumber, rate, durationMs }),
  }
}

/** Iterations per second at the highest, of all journeys together. */
export function peakRate({ driven }: Planned): number {
  return driven.reduce((sum, { load }) => sum + load.peakRate, 0)
}

export function durationOf({ driven }: Planned): number {
  return Math.max(...driven.map(({ load }) => load.durationMs))
}
