import { Attendance, type Demand, type Tally } from '../../lib/attendance.ts'
import { parseDuration } from '../../lib/duration.ts'
import type { Ledger, StepAccount } from '../../lib/ledger.ts'
import { pause } from '../../lib/poll.ts'
import type { Roll } from '../../lib/roll.ts'
import { isSampled } from '../../lib/sampling.ts'
import { eachSlice, slicesOf } from '../../lib/slices.ts'
import type { Span } from '../../lib/span.ts'
import { pathsOf } from '../../lib/span-shape.ts'
import { examineTrace, type TraceExpectation, type TraceTopic, traceTopics } from '../../lib/trace-examination.ts'
import { parentId } from '../../lib/trace-id.ts'
import { Tries, type Try } from '../../lib/tries.ts'
import { namedBy } from '../backends/trace-source.ts'
import { pipelineDeadline, present, type ScenarioFacts, settled } from '../context.ts'
import type { LoggedService } from './logged.ts'
import { Problems } from './problems.ts'

/** How far the clock of the first service may be off before its traces are looked for in the wrong place. */
const edgeMs = 15_000
/** Searches under way at once. */
const parallel = 2
/** Up to so many open traces are looked up by id; more are searched for again. */
const lookUpAtMost = 3000
/** Where a server's span says what was asked for, the template first; the present and the older names. */
const routeAttributes = ['http.route', 'url.path', 'http.target', 'http.path'] as const
const [firstPauseMs, longestPauseMs] = [200, 1000]

/** What was traced of one service, by place in the roll. */
export interface TracedService {
  readonly tally: Tally
  /** Of the span by which the service enters the trace; NaN: not traced. */
  readonly durationsMs: Float32Array
  /** 0: not traced, or no HTTP status. */
  readonly statuses: Uint16Array
  /** 0: not traced. */
  readonly spanIds: BigUint64Array
  /** By second since the epoch: how many of these spans began in it. */
  readonly seconds: ReadonlyMap<number, number>
}

/** What was traced of the requests of a scenario. */
export interface Traced {
  /** By the name of the service in the config. */
  readonly services: ReadonlyMap<string, TracedService>
  readonly topics: ReadonlyMap<TraceTopic, Problems>
  /** Traces that were looked at, and those of them whose shape was held against a promise. */
  readonly examined: number
  readonly shaped: number
  /** Traces that passed over each queue's consumer, by service. */
  readonly queued: ReadonlyMap<string, number>
  /** Traces of the first services, in the window, that nobody of this run sent. */
  readonly foreign: Problems
  /** Requests that could be traced. */
  readonly eligible: number
  /** Those that a service or a collector decides on by chance, and how many of them were traced. */
  readonly chance: { readonly eligible: number; readonly seen: number }
  readonly elapsedMs: number
  readonly passes: number
  readonly tries: readonly Try[]
}

/**
 * Reads every trace of a scenario and holds it against what its step promises. The first pass searches by time, in slices;
 * later ones ask for what is still open, until nothing is or a pass that began after the deadline has ended.
 */
export async function gatherTraced(
  context: ScenarioFacts,
  ledger: Ledger,
  roll: Roll,
  logged: (service: string) => Promise<LoggedService>,
): Promise<Traced> {
  const begun = performance.now()
  const deadline = begun + (context.horizon === undefined ? pipelineDeadline().ms : 0)
  await settled(context)
  const demand = await demandOf(context, roll, logged)
  const book = new Book(context, roll, demand)
  const tries = new Tries()
  // Where the services decide, no number tells that all has arrived: then time does.
  const patient = context.config.traces.sampling !== undefined
  for (let passes = 1, wait = firstPauseMs; ; passes += 1, wait = Math.min(wait * 1.5, longestPauseMs)) {
    const askedAt = performance.now()
    book.begin()
    const late = askedAt >= deadline
    if (passes === 1 || book.open > lookUpAtMost || (patient && late)) await searchAll(context, roll, book)
    if (passes > 1 && book.open <= lookUpAtMost)
      await context.backends.traces.lookUp(book.openIds(), (trace) => book.examine(trace), context.signal)
    tries.note(`${book.open} requests still without a trace as promised`)
    if (late || (book.open === 0 && !patient)) {
      return { ...book.result(ledger), passes, elapsedMs: performance.now() - begun, tries: tries.kept }
    }
    await pause(Math.max(0, Math.min(wait, deadline - performance.now())), context.signal)
  }
}

/** Which requests must be traced, may be, or must not be, according to who samples. */
async function demandOf(
  { scenario, config, backends }: ScenarioFacts,
  roll: Roll,
  logged: (service: string) => Promise<LoggedService>,
): Promise<(place: number) => Demand> {
  const { sampling } = config.traces
  const share = scenario.sample ?? 1
  const byCaller = (place: number): Demand => {
    if (share < 1 && roll.step(place).part === 'load' && !isSampled(roll.id(place), share)) return 'never'
    return roll.must(place) ? 'must' : 'may'
  }
  if (sampling === undefined) return byCaller
  if (sampling.by === 'service') return () => 'may'
  const slowMs =
    sampling.slowerThan === undefined ? Number.POSITIVE_INFINITY : (parseDuration(sampling.slowerThan) ?? 0)
  const logs = await Promise.all(writing(config, backends).map(logged))
  return (place) => {
    const kept = logs.some(
      ({ statuses, durationsMs }) =>
        (sampling.errors && (statuses[place] ?? 0) >= 500) || (durationsMs[place] ?? 0) > slowMs,
    )
    return kept ? 'must' : 'may'
  }
}

/** Services whose logs tell what a tail sampler must have kept. */
function writing(config: ScenarioFacts['config'], backends: ScenarioFacts['backends']): string[] {
  if (backends.lacks('loki')) return []
  return Object.entries(config.services).flatMap(([name, { logs }]) => (logs === undefined ? [] : [name]))
}

async function searchAll(context: ScenarioFacts, roll: Roll, book: Book): Promise<void> {
  const { traces } = context.backends
  const { from, to } = context.window
  const slices = [
    ...slicesOf(from - edgeMs, from, 1),
    // As few searches as the limit allows, since each may make the backend look through all it has.
    ...slicesOf(from, to, roll.size / (traces.can.limit / 2)),
    ...slicesOf(to, present(context) + edgeMs, 1),
  ]
  const each = (trace: readonly Span[]) => book.examine(trace)
  for (const service of firstServices(context, roll)) {
    // What is cut off in the narrowest slice is looked up by id; what is examined twice is examined to the same end.
    await eachSlice(slices, parallel, async ([from, to]) => {
      const query = { service, from, to, limit: traces.can.limit }
      return (await traces.search(query, each, context.signal)).cut ? 'cut' : 'whole'
    })
  }
}

/** As the source of traces names them. */
function firstServices({ config }: ScenarioFacts, roll: Roll): Set<string> {
  const traced = (name: string) => config.services[name]?.traces !== undefined
  const names = roll.steps.flatMap(({ declared }) => declared.services.filter(traced).slice(0, 1))
  return new Set(names.map((name) => config.services[name]?.traces?.service ?? name))
}

interface ServiceBook {
  readonly attendance: Attendance
  readonly durationsMs: Float32Array
  readonly statuses: Uint16Array
  readonly spanIds: BigUint64Array
  readonly seconds: Map<number, number>
}

/** What is noted of the traces of a scenario. */
class Book {
  readonly #context: ScenarioFacts
  readonly #roll: Roll
  readonly #demand: (place: number) => Demand
  /** 0: right or not needed; 1: to be looked for; 2: seen in this pass, and wrong. */
  readonly #state: Uint8Array
  readonly #seen: Uint8Array
  /** By the service's name in traces. */
  readonly #services = new Map<string, ServiceBook>()
  readonly #expectations = new Map<StepAccount, TraceExpectation>()
  readonly #otherStatuses = new Map<StepAccount, Map<number, number>>()
  /** Names in traces of the services that consume a queue. */
  readonly #queues: ReadonlySet<string>
  readonly #queued = new Map<string, number>()
  /** By the service's name in traces: routes that belong to nobody's journey. */
  readonly #ignored = new Map<string, ReadonlySet<string>>()
  readonly #foreignIds = new Set<string>()
  #foreign = new Problems()
  #topics = new Map<TraceTopic, Problems>()
  #examined = 0
  #shaped = 0
  open = 0

  constructor(context: ScenarioFacts, roll: Roll, demand: (place: number) => Demand) {
    this.#context = context
    this.#roll = roll
    this.#demand = demand
    this.#state = new Uint8Array(roll.size)
    this.#seen = new Uint8Array(roll.size)
    const { services } = context.config
    this.#queues = new Set(
      Object.values(services).flatMap(({ requests, traces }) =>
        requests.kind === 'queue' && traces ? [this.#named(traces.service)] : [],
      ),
    )
    for (const { traces, requests } of Object.values(services)) {
      if (traces === undefined) continue
      if (requests.kind === 'http' && requests.ignore)
        this.#ignored.set(this.#named(traces.service), new Set(requests.ignore))
      this.#services.set(this.#named(traces.service), {
        attendance: new Attendance(roll),
        durationsMs: new Float32Array(roll.size).fill(Number.NaN),
        statuses: new Uint16Array(roll.size),
        spanIds: new BigUint64Array(roll.size),
        seconds: new Map(),
      })
    }
    for (const [place] of roll.places()) {
      if (demand(place) !== 'must') continue
      this.#state[place] = 1
      this.open += 1
    }
  }

  #named(service: string): string {
    return namedBy(this.#context.backends.traces, service)
  }

  /** What an earlier pass found wrong is looked at anew. */
  begin(): void {
    this.#topics = new Map(traceTopics.map((topic) => [topic, new Problems()]))
    this.#otherStatuses.clear()
    for (let place = 0; place < this.#state.length; place++) if (this.#state[place] === 2) this.#state[place] = 1
  }

  openIds(): string[] {
    const ids: string[] = []
    for (const [place] of this.#roll.places()) if (this.#state[place] !== 0) ids.push(this.#roll.id(place))
    return ids
  }

  examine(trace: readonly Span[]): void {
    const id = trace[0]?.traceId
    if (id === undefined) return
    const place = this.#roll.place(id)
    if (place < 0) {
      this.#noteForeign(id, trace)
      return
    }
    // Right already, or found by two slices.
    const known = this.#seen[place] === 1 && this.#state[place] !== 1
    if (known) return
    const account = this.#roll.step(place)
    const examination = examineTrace(trace, this.#expectation(place, account))
    const absent = this.#noteEntries(place, account, examination.entries)
    const strange = examination.otherStatus !== undefined && !this.#mayAnswer(place, account, examination.otherStatus)
    let wrong = strange || absent
    if (strange) this.#topic('status').add(`${id}: answered ${examination.otherStatus} (${account.step})`)
    for (const [topic, texts] of examination.problems) {
      wrong = true
      this.#topic(topic).add(`${id}: ${texts.join(', ')} (${account.step})`)
    }
    if (this.#seen[place] === 0) {
      this.#seen[place] = 1
      this.#examined += 1
      if (account.declared.trace !== undefined && examination.otherStatus === undefined) this.#shaped += 1
      for (const queue of this.#queues)
        if (examination.entries.has(queue)) this.#queued.set(queue, (this.#queued.get(queue) ?? 0) + 1)
    }
    const before = this.#state[place] !== 0
    this.#state[place] = wrong ? 2 : 0
    if (before && !wrong) this.open -= 1
    if (!before && wrong) this.open += 1
  }

  #noteForeign(id: string, trace: readonly Span[]): void {
    const { from, to } = this.#context.window
    const [span] = trace
    const inside = span !== undefined && span.startedAt >= from && span.startedAt <= to
    if (!inside || this.#roll.isElsewhere(id) || this.#foreignIds.has(id) || this.#isIgnored(trace)) return
    // Kept to see each but once; a flood of them needs no exact number.
    if (this.#foreignIds.size < 10_000) this.#foreignIds.add(id)
    this.#foreign.add(`${id}: ${span.service} "${span.operation}"`)
  }

  /** Scrapes and probes of health are traced by some; what is not counted as a journey's is not foreign, either. */
  #isIgnored(trace: readonly Span[]): boolean {
    const server = trace.find(({ kind }) => kind === 'server')
    if (server === undefined) return false
    const route = routeAttributes.map((key) => server.attributes[key]).find((value) => value !== undefined)
    return route !== undefined && (this.#ignored.get(server.service)?.has(route) ?? false)
  }

  /** @returns true if a service that the step promises is not there, though the answer was the declared one */
  #noteEntries(place: number, account: StepAccount, entries: ReturnType<typeof examineTrace>['entries']): boolean {
    for (const [service, { spanId, startedAt, durationMs, status, count }] of entries) {
      const book = this.#services.get(service)
      if (book === undefined) continue
      const second = Math.floor(startedAt / 1000)
      if (book.attendance.counts[place] === 0) book.seconds.set(second, (book.seconds.get(second) ?? 0) + 1)
      book.attendance.counts[place] = Math.min(255, count)
      book.durationsMs[place] = durationMs
      book.statuses[place] = status
      book.spanIds[place] = BigInt(`0x${spanId}`)
    }
    if (account.unexpected.length > 0) return false
    const { services } = this.#context.config
    return account.declared.services.some((name) => {
      const traces = services[name]?.traces
      return traces !== undefined && !entries.has(this.#named(traces.service))
    })
  }

  /** True while there are no more answers of this status than the client got; one that was cut off may have any. */
  #mayAnswer(place: number, account: StepAccount, status: number): boolean {
    if (!this.#roll.must(place)) return true
    const used = this.#otherStatuses.get(account) ?? new Map<number, number>()
    this.#otherStatuses.set(account, used)
    const count = (used.get(status) ?? 0) + 1
    used.set(status, count)
    // Status 0: the client never learned it.
    const allowed = account.unexpected.filter((one) => one.status === status || one.status === 0)
    return count <= allowed.reduce((sum, one) => sum + one.count, 0)
  }

  #expectation(place: number, account: StepAccount): TraceExpectation {
    const known = this.#expectations.get(account)
    if (known !== undefined) return known
    const { config, backends } = this.#context
    const { can } = backends.traces
    const { trace, status } = account.declared
    const expectation: TraceExpectation = {
      announced: parentId(this.#roll.origin(place)),
      paths:
        trace === undefined
          ? undefined
          : pathsOf(trace, { ...can, nameOf: (service) => config.services[service]?.traces?.service ?? service }),
      queues: this.#queues,
      status,
      required: config.traces.required,
      skewMs: parseDuration(config.traces.skew) ?? 0,
      raw: can.raw,
    }
    this.#expectations.set(account, expectation)
    return expectation
  }

  #topic(topic: TraceTopic): Problems {
    const problems = this.#topics.get(topic) ?? new Problems()
    this.#topics.set(topic, problems)
    return problems
  }

  result(ledger: Ledger): Omit<Traced, 'passes' | 'elapsedMs' | 'tries'> {
    const services = new Map(
      Object.entries(this.#context.config.services).flatMap(([name, { traces }]) => {
        if (traces === undefined) return []
        const { attendance, ...columns } = this.#services.get(this.#named(traces.service)) ?? missingBook()
        // Of those that may be traced, those that are must be so everywhere.
        const demand = (place: number): Demand => {
          const own = this.#demand(place)
          return own === 'may' && this.#seen[place] === 1 && this.#roll.must(place) ? 'must' : own
        }
        return [[name, { ...columns, tally: attendance.tally(ledger, name, demand) }] as const]
      }),
    )
    let eligible = 0
    const chance = { eligible: 0, seen: 0 }
    for (const [place] of this.#roll.places()) {
      if (!this.#roll.must(place)) continue
      eligible += 1
      if (this.#demand(place) !== 'may') continue
      chance.eligible += 1
      chance.seen += this.#seen[place] ?? 0
    }
    return {
      services,
      topics: this.#topics,
      examined: this.#examined,
      shaped: this.#shaped,
      queued: this.#queued,
      foreign: this.#foreign,
      eligible,
      chance,
    }
  }
}

function missingBook(): never {
  throw new RangeError('every service has a book')
}
