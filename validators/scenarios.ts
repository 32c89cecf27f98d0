import { resolve } from 'node:path'
import { parseDuration } from '../lib/duration.ts'
import { UsageError } from '../lib/errors.ts'
import { type DrivenJourney, drivenJourneys, type Scenario } from '../lib/scenario.ts'
import type { ThresholdRecord } from '../lib/threshold.ts'
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
  /** The config's thresholds for all scenarios, and those for this one. */
  readonly thresholds: ThresholdRecord
  readonly driven: readonly DrivenJourney[]
}

/** Sizes from the command line; they win over the config's, which win over the scenario's own. */
export interface Sizes {
  /** Iterations per second at the highest. */
  readonly rate?: number | undefined
  /** As k6 writes it, e.g. 30s. */
  readonly duration?: string | undefined
}

/**
 * Loads the scenarios of the config, or those named.
 * @throws UsageError for a name that the config does not have, and for files that are no scenarios
 */
export async function planScenarios(config: Config, names: readonly string[], sizes: Sizes = {}): Promise<Planned[]> {
  const planned: Planned[] = []
  let firstNumber = 0
  for (const entry of config.scenarios) {
    const size = { rate: sizes.rate ?? entry.rate, duration: sizes.duration ?? entry.duration }
    const thresholds = { ...config.thresholds, ...entry.thresholds }
    const one = await planScenario(resolve(config.folder, entry.file), firstNumber, size, thresholds)
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
  { rate, duration }: Sizes,
  thresholds: ThresholdRecord,
): Promise<Planned> {
  const scenario = await loadScenario(file)
  const durationMs = duration === undefined ? undefined : parseDuration(duration)
  const driven = drivenJourneys(scenario, { firstNumber, rate, durationMs })
  return { scenario, file, firstNumber, rate, durationMs, thresholds, driven }
}

/** Iterations per second at the highest, of all journeys together. */
export function peakRate({ driven }: Planned): number {
  return driven.reduce((sum, { load }) => sum + load.peakRate, 0)
}

export function durationOf({ driven }: Planned): number {
  return Math.max(...driven.map(({ load }) => load.durationMs))
}
