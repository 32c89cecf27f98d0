import { parseDuration } from './duration.ts'
import { UsageError } from './errors.ts'
import type { Journey } from './journey.ts'
import { type LoadPlan, loadPlan, type ProfileName } from './load-profile.ts'
import { setupScenario } from './trace-id.ts'

/** Journeys under a load profile; data, read by Node and bundled into k6's script alike. */
export interface Scenario {
  readonly name: string
  readonly profile: ProfileName
  /** Iterations per second of all journeys together, at the highest. */
  readonly rate?: number
  readonly durationMs?: number
  /** Milliseconds until a request is given up. */
  readonly timeoutMs: number
  /** The share of requests, 0 to 1, that is marked as sampled; absent: all. */
  readonly sample?: number
  readonly journeys: readonly { readonly journey: Journey; readonly share: number }[]
}

export interface ScenarioInput {
  readonly profile: ProfileName
  readonly rate?: number
  /** As k6 writes it: `15s`, `1m30s`. */
  readonly duration?: string
  /** As k6 writes it; 10 s unless told otherwise. */
  readonly timeout?: string
  /** The share of requests, 0 to 1, that is marked as sampled in the W3C flag; all unless told otherwise. */
  readonly sample?: number
  /** Shares are relative to each other: 3 and 1 are three quarters and one quarter. */
  readonly journeys: readonly { readonly journey: Journey; readonly share: number }[]
}

/** k6 allows no other letters in the names of scenarios; journeys become k6 scenarios. */
const namePattern = /^[a-zA-Z0-9_-]+$/

/**
 * Declares a scenario.
 * @throws UsageError naming every mistake at once
 */
export function scenario(name: string, input: ScenarioInput): Scenario {
  const problems: string[] = []
  const durationMs = milliseconds(input.duration, 'duration', problems)
  const timeoutMs = milliseconds(input.timeout, 'timeout', problems) ?? 10_000
  if (!namePattern.test(name)) problems.push('its name may have letters, digits, - and _ only')
  if (input.rate !== undefined && !(input.rate > 0)) problems.push(`rate must be above 0, not ${input.rate}`)
  if (input.sample !== undefined && !(input.sample >= 0 && input.sample <= 1))
    problems.push(`sample must be from 0 to 1, not ${input.sample}`)
  problems.push(...journeyProblems(input.journeys))
  if (problems.length > 0) throw new UsageError(`Scenario "${name}": ${problems.join('; ')}.`)
  const total = input.journeys.reduce((sum, { share }) => sum + share, 0)
  return {
    name,
    profile: input.profile,
    timeoutMs,
    journeys: input.journeys.map(({ journey, share }) => ({ journey, share: share / total })),
    ...(input.sample === undefined ? {} : { sample: input.sample }),
    ...(input.rate === undefined ? {} : { rate: input.rate }),
    ...(durationMs === undefined ? {} : { durationMs }),
  }
}

function milliseconds(text: string | undefined, what: string, problems: string[]): number | undefined {
  if (text === undefined) return undefined
  const ms = parseDuration(text)
  if (ms === undefined || ms === 0) problems.push(`${what} "${text}" is no duration like 15s or 1m30s`)
  return ms
}

function journeyProblems(journeys: ScenarioInput['journeys']): string[] {
  const problems: string[] = []
  if (journeys.length === 0) problems.push('it has no journeys')
  const names = new Set<string>()
  for (const { journey, share } of journeys) {
    if (!namePattern.test(journey.name))
      problems.push(`journey "${journey.name}" may have letters, digits, - and _ only`)
    if (names.has(journey.name)) problems.push(`journey "${journey.name}" is there twice`)
    if (!(share > 0)) problems.push(`journey "${journey.name}" needs a share above 0`)
    const count = Object.keys(journey.steps).length
    if (count === 0) problems.push(`journey "${journey.name}" has no steps`)
    if (count > 256) problems.push(`journey "${journey.name}" has ${count} steps; a trace id can tell 256 apart`)
    const reserved = Object.keys(journey.steps).filter((step) => step === 'user' || step === 'data')
    for (const step of reserved) problems.push(`journey "${journey.name}": "${step}" cannot be the name of a step`)
    names.add(journey.name)
  }
  return problems
}

/**
 * What k6 is told besides the script; a file of JSON in the run's folder. Overrides win over the declaration.
 */
export interface DrivePlan {
  /** The run id, a uint32. */
  readonly run: number
  /** The number of this k6 process, 0 to 255. */
  readonly instance: number
  /** How many k6 processes share the load, numbered from 0; absent: this one drives all of it. */
  readonly instances?: number
  /** The trace ids' scenario number of the first journey; the others follow. Scenarios of one run must not overlap. */
  readonly firstNumber: number
  /** Without a slash at the end. */
  readonly baseUrl: string
  readonly rate?: number
  readonly durationMs?: number
  /** k6's metric, with tags or without, to its threshold expressions. */
  readonly thresholds: Readonly<Record<string, readonly string[]>>
  /** Where k6 writes its summary, an absolute path. */
  readonly summaryFile: string
}

/** One journey with its numbers, as both sides work them out. */
export interface DrivenJourney {
  readonly journey: Journey
  /** The scenario number in its trace ids. */
  readonly number: number
  readonly load: LoadPlan
}

/**
 * The journeys of a scenario with their loads and numbers.
 * @throws UsageError if the numbers would run into the one kept for set-up
 */
export function drivenJourneys(
  { name, profile, timeoutMs, journeys, ...declared }: Scenario,
  plan: { readonly firstNumber: number; readonly rate?: number | undefined; readonly durationMs?: number | undefined },
): DrivenJourney[] {
  if (plan.firstNumber + journeys.length > setupScenario) {
    throw new UsageError(
      `Scenario "${name}": a run can tell ${setupScenario} journeys apart; run fewer scenarios at once.`,
    )
  }
  const rate = plan.rate ?? declared.rate
  const durationMs = plan.durationMs ?? declared.durationMs
  return journeys.map(({ journey, share }, index) => ({
    journey,
    number: plan.firstNumber + index,
    load: loadPlan(profile, {
      share,
      timeouts: Object.keys(journey.steps).map(() => timeoutMs),
      ...(rate === undefined ? {} : { rate }),
      ...(durationMs === undefined ? {} : { durationMs }),
    }),
  }))
}

/** The two moments outside the counts at which test data is made and removed. */
export type SetupPart = 'setup' | 'teardown'

/**
 * The iteration field of a set-up request: the journey's number 8 bits, teardown 1, and a count per step. It is unique in
 * the run, and contiguous per journey, part and step, so that the count alone says which ids were sent.
 */
export function setupIteration(journeyNumber: number, part: SetupPart, count: number): number {
  return ((journeyNumber << 24) | (part === 'teardown' ? 1 << 23 : 0) | count) >>> 0
}
