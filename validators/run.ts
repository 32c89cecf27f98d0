import { join, resolve } from 'node:path'
import type { Action } from '../lib/action.ts'
import { EnvironmentError, type ExitCode, exitCodes } from '../lib/errors.ts'
import type { RunEvent } from '../lib/event.ts'
import { makeLedger } from '../lib/ledger.ts'
import { eventually } from '../lib/poll.ts'
import { hex8 } from '../lib/trace-id.ts'
import { type CheckResult, isRed, type Window } from '../lib/verdict.ts'
import { Acceptances } from './accepted.ts'
import { quietChecks } from './alerts/quiet.ts'
import { holdTrials, type PlannedTrials, planTrials } from './alerts/trials.ts'
import { isFinal } from './backends/http.ts'
import type { Series } from './backends/prometheus.ts'
import { type Check, put } from './check.ts'
import { assertTargetAllowed, type BackendEndpoints, type Config, secretTexts } from './config.ts'
import {
  type Edges,
  edgeKey,
  pipelineDeadline,
  type RunContext,
  type ScenarioContext,
  type ScenarioFacts,
  type SentinelRun,
  scrapeDeadline,
} from './context.ts'
import { CourseRecorder } from './course/course.ts'
import type { LoadTrack } from './course/load-track.ts'
import { jobsOf } from './coverage.ts'
import type { Observed, ObservedFreshness } from './freshness.ts'
import { invalidating } from './invalidating.ts'
import { runK6 } from './k6.ts'
import { connect, preflight } from './preflight.ts'
import { type Recording, urlsOf, writeRecording } from './recording.ts'
import { withRollCall } from './roll-call/roll-call.ts'
import { rollCallTable } from './roll-call/table.ts'
import { durationOf, type Planned, peakRate, planScenario, planScenarios, type Sizes } from './scenarios.ts'
import { loadSentinel, Sentry } from './sentinels.ts'
import { freshnessChecks } from './signals/freshness.ts'
import { joinedChecks } from './signals/joined.ts'
import { loadChecks } from './signals/load.ts'
import { logsChecks } from './signals/logs.ts'
import { metricsChecks } from './signals/metrics.ts'
import { sloRunChecks } from './signals/slo.ts'
import { sloSentChecks } from './signals/slo-sent.ts'
import { stackChecks } from './signals/stack.ts'
import { tracesChecks } from './signals/traces.ts'
import type { Sinks } from './sinks/sinks.ts'

/** Everything a run needs; who provides the stack, k6 and the reporters is the command line's affair. */
export interface RunInput {
  readonly config: Config
  readonly runId: number
  readonly planned: readonly Planned[]
  /** A signal or the beginning of a check id; only such checks are put. */
  readonly only: string | undefined
  readonly endpoints: BackendEndpoints
  readonly targetUrl: string
  /** Fault ports by service. */
  readonly faultUrls: Readonly<Record<string, string>>
  readonly k6Path: string
  readonly sinks: Sinks | undefined
  /** The run's report folder; exists. */
  readonly folder: string
  readonly signal: AbortSignal
  readonly emit: (event: RunEvent) => void
  readonly guard: {
    /** Told of k6, so that it ends with muster. */
    readonly k6: (pid: number) => void
    /** Told what lifts a fault; returns what to call once it is lifted. */
    readonly fault: (lift: Action) => () => void
  }
  /** Sends a request or runs a program that the config names. @throws Error if it fails */
  readonly perform: (action: Action) => Promise<void>
  readonly versions: Readonly<Record<string, string>>
}

/**
 * Plans a run and finds what is wrong with it before anything is started for it.
 * @throws UsageError for scenarios, targets, secrets and credentials that will not do
 */
export async function planRun(config: Config, names: readonly string[], sizes: Sizes): Promise<Planned[]> {
  const planned = await planScenarios(config, names, sizes)
  for (const { load } of config.alerts) if (load) await planScenario(resolve(config.folder, load.scenario), 0, {}, {})
  if (config.freshness) await loadSentinel(config, config.freshness.sentinel)
  if (config.target) assertLoadAllowed(config, config.target.url, planned)
  secretTexts(config)
  if (config.backends) connect(config.backends, config.queries)
  return planned
}

function assertLoadAllowed({ target, freshness }: Config, url: string, planned: readonly Planned[]): void {
  const { allow = [], maxRate = Number.POSITIVE_INFINITY } = target ?? {}
  const besides = freshness?.rate ?? 0
  for (const one of planned) assertTargetAllowed({ url, allow, maxRate }, peakRate(one) + besides)
}

/**
 * Drives the scenarios, tries the alerts, and judges all; every verdict goes out as an event.
 * @returns the exit code
 * @throws MusterError for usage and environment before anything is driven; the abort reason when interrupted
 */
export async function run(input: RunInput): Promise<ExitCode> {
  const { config, planned, signal, emit } = input
  assertLoadAllowed(config, input.targetUrl, planned)
  const backends = connect(input.endpoints, config.queries)
  const secrets = secretTexts(config)
  const facts = await preflight(config, backends, input.targetUrl, signal)
  const context: RunContext = { runId: input.runId, config, secrets, backends, facts, signal }
  const trials = await planTrials(context, wants(input.only, 'alerts') ? config.alerts : [])
  emit(started(input, context, planned, trials))

  const judgements: CheckResult[] = []
  const acceptances = new Acceptances(config.accepted, Date.now())
  const judge = async (checks: readonly Check[]) => judgements.push(...(await judgeAll(checks, input, acceptances)))
  const recording: Recording = {
    version: 1,
    runId: input.runId,
    configFile: config.file,
    targetUrl: input.targetUrl,
    backends: urlsOf(input.endpoints),
    scenarios: [],
  }
  const begun = Date.now()
  const course = new CourseRecorder(context, emit)
  for (const one of planned) {
    if (!backends.lacks('prometheus'))
      emit({ type: 'phase', at: Date.now(), text: `waiting for a quiet scrape before ${one.scenario.name}` })
    const edges = await quietEdge(context)
    emit({ type: 'phase', at: Date.now(), text: `driving ${one.scenario.name}` })
    const track = course.track(one)
    const driven = await drive(input, { ...context, edges }, one, track)
    emit({ type: 'phase', at: Date.now(), text: `judging ${one.scenario.name}` })
    await judge(scenarioChecks(driven))
    const rollCall = await rollCallTable(driven)
    if (rollCall) emit({ type: 'roll-call', at: Date.now(), rollCall })
    recording.scenarios.push(await recorded(one, driven))
    await writeRecording(input.folder, recording)
    await course.scenario(track, driven)
  }
  const healthy: Window = { from: begun, to: Date.now() }
  if (wants(input.only, 'slo')) await judge(sloRunChecks(context, healthy))
  if (wants(input.only, 'alerts')) await judge(quietChecks(context, input.sinks, healthy))
  await holdTrials(input, context, trials, judge, (trial, lanes) => course.trial(trial, lanes))
  emit({ type: 'phase', at: Date.now(), text: 'judging the stack' })
  await judge(stackChecks(context, { from: begun, to: Date.now() }))
  await judge(acceptances.checks(input.only !== undefined || planned.length < config.scenarios.length))
  await course.record()
  return exitCodeOf(judgements)
}

/** All checks of one driven scenario. */
export function scenarioChecks(context: ScenarioContext): Check[] {
  return [
    ...loadChecks(context),
    ...metricsChecks(context),
    ...logsChecks(context),
    ...tracesChecks(context),
    ...joinedChecks(context),
    ...freshnessChecks(context),
    ...sloSentChecks(context),
  ]
}

/** Puts those checks that `--only` asks for, all at once; every verdict, accepted or not, goes out as an event when it is there. */
export function judgeAll(
  checks: readonly Check[],
  { only, signal, emit }: Pick<RunInput, 'only' | 'signal' | 'emit'>,
  acceptances: Acceptances,
): Promise<CheckResult[]> {
  return Promise.all(
    checks
      .filter(({ id, signal: kind }) => wants(only, kind, id))
      .map(async (check) => {
        const result = acceptances.apply(await put(check, signal))
        emit({ type: 'check', at: Date.now(), result })
        return result
      }),
  )
}

/** True if `--only` asks for this signal or check, or asks for nothing in particular. */
export function wants(only: string | undefined, signal: string, id?: string): boolean {
  if (only === undefined || only === signal) return true
  if (id === undefined) return only.startsWith(`${signal}.`)
  return id === only || id.startsWith(`${only}.`)
}

/** If several apply: invalid before failed before environment. Nothing judged is a failure. */
export function exitCodeOf(results: readonly CheckResult[]): ExitCode {
  const red = results.filter(isRed)
  if (red.some(({ id }) => invalidating.has(id))) return exitCodes.invalid
  if (red.some(({ verdict }) => verdict !== 'errored')) return exitCodes.failed
  if (red.length > 0) return exitCodes.environment
  return results.some(({ verdict }) => verdict === 'passed') ? exitCodes.passed : exitCodes.failed
}

/**
 * Waits until every target of every service was scraped once after now, so that nothing earlier is counted in the window to
 * come.
 * @returns the last scrape of each target that could be queried, and so had ended
 */
async function quietEdge({ config, backends, facts, signal }: RunContext): Promise<Edges> {
  const since = Date.now() + facts.clockOffsetMs
  const jobs = jobsOf(config)
  if (backends.lacks('prometheus') || jobs.size === 0) return {}
  const last = ({ samples }: Series) => samples.findLast(({ value }) => value === 1)?.at ?? 0
  const polled = await eventually(
    async (attempt) => {
      const now = Date.now() + facts.clockOffsetMs
      const targets = await backends.prometheus.raw('up', since - 5 * facts.scrapeMs, now, attempt)
      return targets.filter(({ labels }) => jobs.has(labels.job ?? ''))
    },
    (targets) =>
      targets.every((target) => last(target) > since) &&
      [...jobs].every((job) => targets.some(({ labels }) => labels.job === job)),
    { withinMs: scrapeDeadline(facts).ms, signal, isFinal, firstPauseMs: 100, longestPauseMs: 250 },
  )
  // A target that is not scraped any more is for the checks to tell; the load goes on.
  if (polled.outcome === 'unasked' && polled.error instanceof Error && isFinal(polled.error))
    throw new EnvironmentError(polled.error.message)
  const targets = (polled.value ?? []).filter((target) => last(target) > 0)
  return Object.fromEntries(
    targets.map((target) => [edgeKey(target.labels.job ?? '', target.labels.instance ?? ''), last(target)]),
  )
}

async function drive(
  input: RunInput,
  context: RunContext & Pick<ScenarioFacts, 'edges'>,
  planned: Planned,
  track: LoadTrack,
): Promise<ScenarioContext> {
  const { emit } = input
  const { scenario, firstNumber, rate, durationMs, thresholds } = planned
  const plan = {
    run: input.runId,
    instance: 0,
    firstNumber,
    baseUrl: input.targetUrl.replace(/\/+$/, ''),
    ...(rate === undefined ? {} : { rate }),
    ...(durationMs === undefined ? {} : { durationMs }),
    thresholds,
  }
  const sentry = await Sentry.of(input.config, context, {
    durationMs: durationOf(planned),
    timeoutMs: scenario.timeoutMs,
    baseUrl: plan.baseUrl,
    scenario: firstNumber,
  })
  let patrolling = false
  const driving = runK6({
    k6Path: input.k6Path,
    scenarioFile: planned.file,
    plan,
    folder: join(input.folder, 'logs', 'k6', scenario.name),
    signal: input.signal,
    onProgress: (progress) => {
      const at = Date.now()
      track.note(progress, at)
      emit({ type: 'load-progress', at, progress })
    },
    onSpawn: (pid) => {
      input.guard.k6(pid)
      // k6 may be started again, without its live figures; the sentinel goes on.
      if (!patrolling) sentry?.start()
      patrolling = true
    },
  })
  const warn = (text: string) => emit({ type: 'warning', at: Date.now(), text })
  const endSentry = () => sentry?.end(warn)
  // However k6 ends, the sentinel ends with it.
  const sentinel = await driving.then(endSentry, endSentry)
  const result = await driving
  input.signal.throwIfAborted()
  const { summary, oddLines } = result
  const sentinels = sentinel?.requests ?? []
  const ledger = summary && makeLedger({ scenario, plan, summary, oddLines, sentinels })
  const lastAnswer = Math.max(0, ...sentinels.map(({ answeredAt }) => answeredAt))
  const window = { from: result.startedAt, to: Math.max(result.endedAt, lastAnswer) }
  const duration = summary?.metrics.http_req_duration?.values
  emit({
    type: 'scenario-ended',
    at: Date.now(),
    result: {
      name: scenario.name,
      window,
      requests: ledger?.requests[0] ?? 0,
      iterations: ledger?.journeys.reduce((sum, { completed }) => sum + completed, 0) ?? 0,
      dropped: ledger?.journeys.reduce((sum, { dropped }) => sum + dropped, 0) ?? 0,
      p95Ms: duration?.['p(95)'] ?? null,
      errorRatio: summary?.metrics.http_req_failed?.values.rate ?? null,
    },
  })
  const load = {
    exitCode: result.exitCode,
    exitMeaning: result.exitMeaning,
    words: [...result.logTail, ...result.stderrTail],
  }
  return withRollCall({ ...context, scenario, thresholds, window, ledger, summary, load, sentinel })
}

async function recorded(
  { file, firstNumber, rate, durationMs, thresholds }: Planned,
  { window, edges, load, summary, ledger, sentinel }: ScenarioContext,
): Promise<Recording['scenarios'][number]> {
  const observed = await sentinel?.observed
  return {
    file,
    firstNumber,
    ...(rate === undefined ? {} : { rate }),
    ...(durationMs === undefined ? {} : { durationMs }),
    thresholds: Object.fromEntries(Object.entries(thresholds).map(([key, list]) => [key, [...list]])),
    window,
    edges,
    judgedAt: Date.now(),
    load: {
      exitMeaning: load.exitMeaning,
      words: [...load.words],
      ...(load.exitCode === undefined ? {} : { exitCode: load.exitCode }),
    },
    ...(summary ? { summary: structuredClone({ ...summary, checks: [...summary.checks] }) } : {}),
    oddLines: (ledger?.oddLines ?? []).map((line) => ({ ...line, path: [...line.path] })),
    ...(sentinel && observed ? { sentinel: recordedSentinel(sentinel, observed) } : {}),
  }
}

function recordedSentinel({ file, requests }: SentinelRun, { logs, traces }: ObservedFreshness) {
  const copy = ({ sightings, ...rest }: Observed) => ({ ...rest, sightings: [...sightings] })
  return {
    file,
    requests: requests.map(({ number: _, declared: __, ...rest }) => rest),
    observed: { logs: copy(logs), traces: copy(traces) },
  }
}

function started(input: RunInput, context: RunContext, planned: readonly Planned[], trials: PlannedTrials): RunEvent {
  const { facts } = context
  const { lacks } = context.backends
  const deadlines = [
    ...(lacks('prometheus') ? [] : [`metrics: ${scrapeDeadline(facts).words} after the load`]),
    ...(lacks('loki') && lacks('traces') ? [] : [`logs and traces: ${pipelineDeadline().words} after the load`]),
  ]
  const loadMs = planned.reduce((sum, one) => sum + durationOf(one) + 6000, 0)
  return {
    type: 'run-started',
    at: Date.now(),
    versions: { ...input.versions, ...facts.versions },
    plan: {
      runId: hex8(input.runId),
      target: input.targetUrl,
      scenarios: planned.map((one) => ({
        name: one.scenario.name,
        profile: one.scenario.profile,
        journeys: one.driven.map(({ journey }) => journey.name),
        peakRate: Math.round(peakRate(one) * 10) / 10,
        durationMs: durationOf(one),
      })),
      backends: Object.fromEntries(
        Object.entries(urlsOf(input.endpoints)).flatMap(([name, url]) => (url === undefined ? [] : [[name, url]])),
      ),
      deadlines: [...deadlines, ...trials.deadlines],
      faults: trials.faults,
      estimatedMs: loadMs + trials.estimatedMs,
    },
  }
}
