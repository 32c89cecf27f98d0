export const profileNames = ['smoke', 'basic', 'stress', 'spike', 'soak'] as const
export type ProfileName = (typeof profileNames)[number]

/** A part of a profile that is judged by itself; milliseconds since the scenario's start, `toMs` excluded. */
export interface LoadPhase {
  readonly name: string
  readonly fromMs: number
  readonly toMs: number
}

export interface LoadSize {
  /** Iterations per second at the highest; each profile has a default. */
  readonly rate?: number
  readonly durationMs?: number
  /** This journey's part of the rate, above 0 and at most 1. */
  readonly share?: number
  /** Time-out of each step in milliseconds; their sum is the longest an iteration can last. */
  readonly timeouts: readonly number[]
}

interface Stage {
  readonly target: number
  readonly duration: string
}

interface Executor {
  readonly timeUnit: '1m'
  readonly preAllocatedVUs: number
  readonly maxVUs: number
  readonly gracefulStop: string
}

/** The options of one k6 scenario, without `exec`. Both executors are open models: arrivals do not wait for answers. */
export type K6Scenario =
  | (Executor & { readonly executor: 'constant-arrival-rate'; readonly rate: number; readonly duration: string })
  | (Executor & {
      readonly executor: 'ramping-arrival-rate'
      readonly startRate: number
      readonly stages: readonly Stage[]
    })

export interface LoadPlan {
  readonly k6: K6Scenario
  /** Without the grace for iterations under way. */
  readonly durationMs: number
  readonly gracefulStopMs: number
  /** Iterations per second at the highest, for this share. */
  readonly peakRate: number
  /** Iterations that start if none is dropped; k6 may differ by one per stage. */
  readonly expectedIterations: number
  /** In order, without gaps, from 0 to `durationMs`. */
  readonly phases: readonly LoadPhase[]
}

/** A stretch of constant rate: parts of the peak rate and of the whole duration. */
interface Level {
  readonly phase: string
  readonly height: number
  readonly length: number
}

interface Profile {
  readonly rate: number
  readonly durationMs: number
  readonly levels: readonly Level[]
}

const steady: readonly Level[] = [{ phase: 'steady', height: 1, length: 1 }]

/** Default sizes are for two cores that also carry the services and the backends. */
const profiles: Readonly<Record<ProfileName, Profile>> = {
  smoke: { rate: 4, durationMs: 5_000, levels: steady },
  basic: { rate: 40, durationMs: 15_000, levels: steady },
  stress: {
    rate: 100,
    durationMs: 20_000,
    levels: [1, 2, 3, 4, 5].map((n) => ({ phase: `step-${n}`, height: n / 5, length: 1 / 5 })),
  },
  spike: {
    rate: 150,
    durationMs: 20_000,
    levels: [
      { phase: 'baseline', height: 0.1, length: 0.3 },
      { phase: 'burst', height: 1, length: 0.25 },
      { phase: 'recovery', height: 0.1, length: 0.45 },
    ],
  },
  soak: { rate: 20, durationMs: 600_000, levels: steady },
}

/**
 * Seconds an iteration may last before arrivals need more virtual users than were put ready, and than are allowed. k6
 * drops arrivals while it makes a user in mid-run, so a hiccup of the machine must be covered by those put ready.
 */
const readySeconds = 2
const allowedSeconds = 4

/** Works out what k6 is told for one journey of a scenario, and what follows from it. Pure. */
export function loadPlan(name: ProfileName, size: LoadSize): LoadPlan {
  const profile = profiles[name]
  const durationMs = size.durationMs ?? profile.durationMs
  const peakRate = (size.rate ?? profile.rate) * (size.share ?? 1)
  // k6 takes whole numbers only: per minute, a share of a small rate still comes out right.
  const perMinute = (height: number) => Math.max(1, Math.round(peakRate * height * 60))
  const gracefulStopMs = size.timeouts.reduce((sum, timeout) => sum + timeout, 1_000)
  const common: Executor = {
    timeUnit: '1m',
    preAllocatedVUs: Math.max(2, Math.ceil(peakRate * readySeconds)),
    maxVUs: Math.max(4, Math.ceil(peakRate * allowedSeconds)),
    gracefulStop: `${gracefulStopMs}ms`,
  }
  const phases = phasesOf(profile.levels, durationMs)
  const first = profile.levels[0]
  const k6: K6Scenario =
    profile.levels.length === 1
      ? { executor: 'constant-arrival-rate', rate: perMinute(1), duration: `${durationMs}ms`, ...common }
      : {
          executor: 'ramping-arrival-rate',
          startRate: perMinute(first?.height ?? 1),
          stages: profile.levels.flatMap((level, index) => stagesOf(perMinute(level.height), phases[index])),
          ...common,
        }
  const expectedIterations = profile.levels.reduce((sum, level, index) => {
    const phase = phases[index]
    return sum + (phase === undefined ? 0 : (perMinute(level.height) * (phase.toMs - phase.fromMs)) / 60_000)
  }, 0)
  return { k6, durationMs, gracefulStopMs, peakRate, expectedIterations: Math.round(expectedIterations), phases }
}

/** Iterations a second that a load offers at a moment, milliseconds since its start; 0 outside of it. */
export function offeredRate({ k6, durationMs, phases }: LoadPlan, atMs: number): number {
  if (atMs < 0 || atMs >= durationMs) return 0
  if (k6.executor === 'constant-arrival-rate') return k6.rate / 60
  const index = phases.findIndex(({ fromMs, toMs }) => atMs >= fromMs && atMs < toMs)
  const holds = k6.stages.filter(({ duration }) => duration !== '0s')
  return (holds[index]?.target ?? 0) / 60
}

/** A jump to the level (a stage of no length), then the level itself. */
function stagesOf(target: number, phase: LoadPhase | undefined): Stage[] {
  if (phase === undefined) return []
  const hold = { target, duration: `${phase.toMs - phase.fromMs}ms` }
  return phase.fromMs === 0 ? [hold] : [{ target, duration: '0s' }, hold]
}

function phasesOf(levels: readonly Level[], durationMs: number): LoadPhase[] {
  let length = 0
  return levels.map((level) => {
    const fromMs = Math.round(length * durationMs)
    length += level.length
    return { name: level.phase, fromMs, toMs: Math.round(length * durationMs) }
  })
}
