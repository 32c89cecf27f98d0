import { join, resolve } from 'node:path'
import type { AlertLane } from '../../lib/course.ts'
import { EnvironmentError, MusterError } from '../../lib/errors.ts'
import { trialInstance } from '../../lib/trace-id.ts'
import type { CheckResult } from '../../lib/verdict.ts'
import type { Check } from '../check.ts'
import type { RunContext } from '../context.ts'
import { runK6 } from '../k6.ts'
import type { RunInput } from '../run.ts'
import { planScenario } from '../scenarios.ts'
import { type AlertState, alertState, endStateCheck } from './end-state.ts'
import type { Trial } from './expectation.ts'
import { longest, planTrial, planWords, type TrialPlan, trialWords } from './plan.ts'
import { readRouting } from './routes.ts'
import { holdTrial } from './trial.ts'

/** The trials of a run as they are planned; one that could not be says why when its turn comes. */
export interface PlannedTrials {
  readonly plans: readonly TrialPlan[]
  /** What is waited for, one sentence each. */
  readonly deadlines: readonly string[]
  readonly faults: readonly string[]
  readonly estimatedMs: number
}

/**
 * Plans all trials before anything is driven.
 * @throws UsageError for a trial that can prove nothing, EnvironmentError if Prometheus or Alertmanager do not tell
 */
export async function planTrials(
  { backends, facts, signal }: RunContext,
  trials: readonly Trial[],
): Promise<PlannedTrials> {
  if (trials.length === 0) return { plans: [], deadlines: [], faults: [], estimatedMs: 0 }
  const [rules, configuration] = await Promise.all([
    backends.prometheus.rules(signal),
    backends.alertmanager.config(signal),
  ]).catch((error: unknown) => {
    signal.throwIfAborted()
    throw error instanceof MusterError
      ? error
      : new EnvironmentError(error instanceof Error ? error.message : String(error))
  })
  const names = trials.flatMap(({ expect }) => expect.map(({ alert }) => alert))
  const repeated = new Set(names.filter((name, index) => names.indexOf(name) !== index))
  const routing = readRouting(configuration)
  const plans = trials.map((trial) => planTrial(trial, rules, routing, { scrapeMs: facts.scrapeMs, repeated }))
  return {
    plans,
    deadlines: plans.flatMap(planWords),
    faults: trials.map(trialWords),
    // Most of a bound is what may come, not what does.
    estimatedMs: plans
      .map(longest)
      .reduce((sum, { fireMs, resolveMs }) => sum + trialOverheadMs + 0.7 * fireMs + 0.6 * resolveMs, 0),
  }
}

/** k6's start, and the traffic before the fault. */
const trialOverheadMs = 6000

/** Holds one trial after the other, and compares what they leave behind with what was there. */
export async function holdTrials(
  input: RunInput,
  context: RunContext,
  { plans }: PlannedTrials,
  judge: (checks: readonly Check[]) => Promise<unknown>,
  tellLanes: (trial: Trial, lanes: readonly AlertLane[]) => Promise<void>,
): Promise<void> {
  if (plans.length === 0) return
  const from = Date.now()
  const faultUrls = faultUrlsOf(input, plans)
  const before = await alertState(context, faultUrls, context.signal).catch((error: unknown) => {
    context.signal.throwIfAborted()
    return error instanceof Error ? error : new Error(String(error))
  })
  for (const plan of plans) {
    const { fault, expect, name } = plan.trial
    const awaited = expect.map(({ alert }) => alert).join(', ')
    input.emit({ type: 'phase', at: Date.now(), text: `trial "${name}" (${fault.kind}): awaiting ${awaited}` })
    const lanes: AlertLane[] = []
    await judge(await tried(input, context, plan, (own) => lanes.push(...own)))
    await tellLanes(plan.trial, lanes)
  }
  const withinMs = Math.max(...plans.map((plan) => longest(plan).resolveMs))
  const trials = plans.map(({ trial }) => trial)
  await judge([endState(context, trials, faultUrls, before, { from, withinMs })])
}

/** The fault ports that the trials use. */
function faultUrlsOf({ faultUrls }: RunInput, plans: readonly TrialPlan[]): Record<string, string> {
  const used = new Set(plans.flatMap(({ trial: { fault } }) => (fault.kind === 'service' ? [fault.service] : [])))
  return Object.fromEntries(Object.entries(faultUrls).filter(([service]) => used.has(service)))
}

function endState(
  context: RunContext,
  trials: readonly Trial[],
  faultUrls: Readonly<Record<string, string>>,
  before: AlertState | Error,
  when: { readonly from: number; readonly withinMs: number },
): Check {
  if (!(before instanceof Error)) return endStateCheck(context, trials, faultUrls, before, when)
  return { ...endStateCheck(context, trials, faultUrls, [], when), run: () => Promise.reject(before) }
}

/** A trial that could not be held is errored in each of its alerts, and hides no other. */
async function tried(
  input: RunInput,
  context: RunContext,
  plan: TrialPlan,
  tellLanes: (lanes: readonly AlertLane[]) => void,
): Promise<Check[]> {
  const { sinks, config } = input
  try {
    if (!sinks) throw new EnvironmentError(`No sink is open, so nothing of "${plan.trial.name}" can be seen to arrive.`)
    return await holdTrial(context, plan, {
      ears: sinks,
      faultUrls: input.faultUrls,
      folder: config.folder,
      perform: input.perform,
      guard: input.guard.fault,
      tellLanes,
      drive: (load, signal, underWay) => drive(input, load, signal, underWay),
    })
  } catch (error) {
    context.signal.throwIfAborted()
    return plan.alerts.map(({ name }) => ({
      id: `alerts.firing.${name}`,
      title: `${name} fires in Prometheus within its bound`,
      signal: 'alerts',
      run: (): Promise<Pick<CheckResult, 'verdict' | 'evidence'>> => Promise.reject(error),
    }))
  }
}

/** Longer than any trial, which ends it. */
const loadMs = 3_600_000

async function drive(
  input: RunInput,
  { scenario: name, rate }: { readonly scenario: string; readonly rate: number },
  signal: AbortSignal,
  underWay: () => void,
): Promise<void> {
  const file = resolve(input.config.folder, name)
  const { scenario } = await planScenario(file, 0, {}, {})
  await runK6({
    k6Path: input.k6Path,
    scenarioFile: file,
    plan: {
      run: input.runId,
      // An instance of its own keeps its trace ids apart from those of the scenarios.
      instance: trialInstance,
      firstNumber: 0,
      baseUrl: input.targetUrl.replace(/\/+$/, ''),
      rate,
      durationMs: loadMs,
      thresholds: {},
    },
    folder: join(input.folder, 'logs', 'k6', `fault-${scenario.name}`),
    signal,
    killAfterMs: 3000,
    onProgress: ({ iterations }) => {
      if (iterations > 0) underWay()
    },
    onSpawn: input.guard.k6,
  })
}
