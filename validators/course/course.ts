import { type AlertLane, type Band, type Course, gridOf, type RequestTrace, type Series } from '../../lib/course.ts'
import type { RunEvent } from '../../lib/event.ts'
import { decodeTraceId } from '../../lib/trace-id.ts'
import type { Trial } from '../alerts/expectation.ts'
import type { RunContext, ScenarioContext } from '../context.ts'
import { lineQuery } from '../log-format.ts'
import type { Planned } from '../scenarios.ts'
import { metricSightings } from '../signals/freshness.ts'
import { type Grid, merged, onGrid, rateOnGrid } from './grid.ts'
import { LoadTrack } from './load-track.ts'
import { prometheusSeries } from './prometheus-series.ts'
import { failedTrace, requestTraces } from './request-traces.ts'

/** Values in a series at most; a picture has no more room. */
const most = 900
/** Pictures must not hold a run up: what is not read by then is said to be missing. */
const patienceMs = 10_000

type Emit = (event: RunEvent) => void

/** What freshness is drawn of: when a request was answered, and when it was found. */
interface Sighted {
  readonly name: string
  readonly at: number
  readonly afterMs: number
}

/**
 * Records what happened over time, for the pictures of the report. It judges nothing, and never fails: what cannot be read
 * is named instead. Each recording replaces the one before, so that a run that is cut off has what was there.
 */
export class CourseRecorder {
  readonly #context: RunContext
  readonly #emit: Emit
  readonly #from = Date.now()
  readonly #driven: { readonly track: LoadTrack; readonly context: ScenarioContext }[] = []
  readonly #faults: Band[] = []
  readonly #sighted: Sighted[] = []
  readonly #lost = new Set<string>()
  /** By service and second since the epoch, how many requests were traced. */
  readonly #traced = new Map<string, Map<number, number>>()
  #hasFailed = false

  constructor(context: RunContext, emit: Emit) {
    this.#context = context
    this.#emit = emit
  }

  /** Begins to follow a scenario's load. */
  track(planned: Planned): LoadTrack {
    return new LoadTrack(planned)
  }

  /** Notes what came of a scenario, and the traces of requests worth looking at. */
  async scenario(track: LoadTrack, context: ScenarioContext): Promise<void> {
    this.#driven.push({ track, context })
    const [traces] = await Promise.all([
      this.#attempt(`traces of single requests in ${track.name}`, (signal) => requestTraces(context, signal)),
      this.#attempt(`freshness in ${track.name}`, (signal) => this.#sight(context, signal)),
    ])
    for (const trace of traces ?? []) this.#emitTrace(trace)
    await this.record()
  }

  /** Notes how alerts went in a trial. */
  async trial({ name, fault }: Pick<Trial, 'name' | 'fault'>, lanes: readonly AlertLane[]): Promise<void> {
    const [first] = lanes
    if (first === undefined) return
    this.#faults.push({ kind: 'fault', name, ...first.fault })
    for (const lane of lanes) this.#emit({ type: 'alert-lane', at: Date.now(), lane })
    if (fault.kind === 'service' && !this.#hasFailed && !this.#context.backends.lacks('traces')) {
      const where = { service: fault.service, window: first.fault, where: `the trial "${name}"` }
      const trace = await this.#attempt(`a failed request in ${where.where}`, (signal) =>
        failedTrace(this.#context, where, signal),
      )
      if (trace) this.#emitTrace(trace)
    }
    await this.record()
  }

  /** Reads the backends' series from the beginning to now, and hands all out. */
  async record(): Promise<void> {
    const to = Date.now()
    const grid = { from: this.#from, to, ...gridOf({ from: this.#from, to }, most) }
    const metrics = this.#context.backends.lacks('prometheus')
      ? undefined
      : await this.#attempt('all that Prometheus saw', (signal) => prometheusSeries(this.#context, grid, signal))
    const logs = await this.#logs(grid)
    const series: Series[] = [
      ...this.#loads(grid),
      ...(metrics?.series ?? []),
      ...logs,
      ...this.#traces(grid),
      ...this.#freshness(grid),
    ]
    const bands = [...this.#driven.flatMap(({ track, context: { window } }) => track.bands(window)), ...this.#faults]
    const missing = [...this.#lost, ...(metrics?.missing ?? [])]
    const course: Course = { from: grid.from, to, stepMs: grid.stepMs, series, bands, missing }
    this.#emit({ type: 'course', at: Date.now(), course })
  }

  #emitTrace(trace: RequestTrace): void {
    this.#hasFailed ||= trace.why === 'failed'
    this.#emit({ type: 'request-trace', at: Date.now(), trace: clear(trace) })
  }

  #loads(grid: Grid): Series[] {
    const all = this.#driven.map(({ track, context }) => track.series(grid, context.window))
    return ['offered', 'achieved'].flatMap((name): Series[] => {
      const own = all.flat().filter((one) => one.name === name)
      return own.length === 0
        ? []
        : [
            {
              panel: 'rate',
              name,
              values: merged(
                grid.length,
                own.map(({ values }) => values),
              ),
            },
          ]
    })
  }

  async #logs(grid: Grid): Promise<Series[]> {
    const { config, backends } = this.#context
    if (backends.lacks('loki')) return []
    const found = await Promise.all(
      Object.entries(config.services).map(async ([service, { logs }]): Promise<Series[]> => {
        if (logs === undefined) return []
        const pipeline = lineQuery(logs)
        const counts = await this.#attempt(`lines of ${service}`, (signal) =>
          backends.loki.counts(pipeline, grid.from, grid.to, grid.stepMs, signal),
        )
        if (counts === undefined || counts.length === 0) return []
        const perSecond = counts.map(({ at, value }) => ({ at, value: (value * 1000) / grid.stepMs }))
        return [{ panel: 'seen', service, name: 'logged', values: onGrid(grid, perSecond) }]
      }),
    )
    return found.flat()
  }

  #traces(grid: Grid): Series[] {
    // Of each trace the second is known, not the moment.
    const windows = this.#driven.map(({ context: { window } }) => ({ from: window.from - 500, to: window.to + 500 }))
    return [...this.#traced].map(([service, seconds]) => {
      const counts = [...seconds].map(([second, count]) => [second * 1000 + 500, count] as const)
      const all = windows.map((window) => rateOnGrid(grid, counts, window))
      return { panel: 'seen', service, name: 'traced', values: merged(grid.length, all) }
    })
  }

  #freshness(grid: Grid): Series[] {
    const names = [...new Set(this.#sighted.map(({ name }) => name))]
    return names.map((name) => {
      const samples = this.#sighted
        .filter((one) => one.name === name)
        .map(({ at, afterMs }) => ({ at, value: afterMs }))
      return { panel: 'freshness', name, values: onGrid(grid, samples) }
    })
  }

  /** What was seen of the sentinel's requests, and of all requests in traces. */
  async #sight(context: ScenarioContext, signal: AbortSignal): Promise<void> {
    const traced = await context.rollCall?.tracedSoFar()
    for (const [service, { seconds }] of traced?.services ?? []) {
      const all = this.#traced.get(service) ?? new Map<number, number>()
      for (const [second, count] of seconds) all.set(second, (all.get(second) ?? 0) + count)
      this.#traced.set(service, all)
    }
    const { sentinel } = context
    if (sentinel === undefined) return
    const answered = new Map(
      sentinel.requests.map(({ number, repetition, iteration, answeredAt }) => [
        `${number} ${repetition} ${iteration}`,
        answeredAt,
      ]),
    )
    const { logs, traces } = await sentinel.observed
    const metrics = await metricSightings(context, sentinel, signal)
    for (const [name, sightings] of Object.entries({ metrics, logs: logs.sightings, traces: traces.sightings }))
      for (const { traceId, afterMs } of sightings) {
        const { step = 0, repetition = 0, iteration = 0 } = decodeTraceId(traceId) ?? {}
        const at = answered.get(`${step} ${repetition} ${iteration}`)
        if (at !== undefined && afterMs !== undefined) this.#sighted.push({ name, at, afterMs })
      }
  }

  async #attempt<T>(what: string, task: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    const enough = AbortSignal.any([this.#context.signal, AbortSignal.timeout(patienceMs)])
    try {
      return await task(enough)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      this.#lost.add(`${what}: ${enough.aborted ? 'not read in time' : why}`)
      return undefined
    }
  }
}

/** A span's attributes may hold anything; of those that may be secret, none is kept. */
function clear(trace: RequestTrace): RequestTrace {
  const kept = /^(http\.(request\.method|route|response\.status_code)|messaging\.|error\.type|db\.system)/
  const spans = trace.spans.map((span) => ({
    ...span,
    attributes: Object.fromEntries(Object.entries(span.attributes).filter(([name]) => kept.test(name))),
  }))
  return { ...trace, spans }
}
