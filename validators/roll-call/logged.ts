import { Attendance, type Tally } from '../../lib/attendance.ts'
import type { Ledger } from '../../lib/ledger.ts'
import { eventually } from '../../lib/poll.ts'
import type { Roll } from '../../lib/roll.ts'
import { colonRoute, isPathOf } from '../../lib/route.ts'
import { slicesOf } from '../../lib/slices.ts'
import { hex8 } from '../../lib/trace-id.ts'
import { Tries, type Try } from '../../lib/tries.ts'
import { isFinal } from '../backends/http.ts'
import { literal } from '../backends/prometheus.ts'
import type { Service } from '../config.ts'
import { pipelineDeadline, present, type ScenarioFacts, settled } from '../context.ts'
import { logsOf } from '../coverage.ts'
import { type LogFact, lineQuery, tells } from '../log-format.ts'
import { blurred, keyOf } from '../signals/expected.ts'
import { type LogLine, readLogLine } from './log-line.ts'
import { Problems } from './problems.ts'

/** How far the clock of a service may be off before its lines are looked for in the wrong place; ids tell whose they are. */
const edgeMs = 15_000
/** Lines asked for at once; Loki gives at most 5,000 unless told otherwise. */
const aimedLines = 2500

/** What one service logged of the requests of a scenario, by place in the roll. */
export interface LoggedService {
  /** By method, route and status, as `keyOf` writes them; set-up and sentinels are among them. */
  readonly counted: ReadonlyMap<string, number>
  readonly tally: Tally
  /** Lines read. */
  readonly lines: number
  /** How often each request was logged, saturating. */
  readonly counts: Uint8Array
  /** NaN: not logged. */
  readonly durationsMs: Float32Array
  /** 0: not logged, or no HTTP status. */
  readonly statuses: Uint16Array
  /** 0: not logged. */
  readonly spanIds: BigUint64Array
  /** Fields that are missing or of a wrong type. */
  readonly malformed: Problems
  /** Levels that do not fit the status. */
  readonly levels: Problems
  /** How long it took from the first question to the last answer. */
  readonly elapsedMs: number
  readonly attempts: number
  readonly tries: readonly Try[]
}

/** The LogQL that finds a service's request lines of a run. */
export function requestLines(service: Service, runId: number): string {
  return `${lineQuery(logsOf(service))} |= ${literal(hex8(runId))}`
}

/** What the lines of a service tell of a request; what they do not is counted together. */
export function toldByLines({ logs, requests }: Service): ReturnType<typeof blurred> {
  if (requests.kind === 'queue' || logs === undefined) return blurred(requests)
  const told = (...facts: readonly LogFact[]) => (tells(logs, ...facts) ? 'told' : false)
  return blurred({ kind: 'http', method: told('method'), route: told('route', 'path'), status: told('status') })
}

/**
 * Reads every request line of a service, counts first: lines are read once their number can be complete, or when time is
 * up. What is missing then was not there when it was asked for after the deadline.
 */
export async function gatherLogged(
  context: ScenarioFacts,
  ledger: Ledger,
  roll: Roll,
  name: string,
): Promise<LoggedService> {
  const service = context.config.services[name]
  if (service === undefined) throw new RangeError(`${name} is not among services`)
  const begun = performance.now()
  const least = ledger.expected(name).reduce((sum, { count }) => sum + count[0], 0)
  const deadline = begun + (context.horizon === undefined ? pipelineDeadline().ms : 0)
  await settled(context)
  const book = new Book(roll, service)
  const tries = new Tries()
  for (let attempts = 0, known = -1; ; ) {
    const wanted = Math.max(least, known + 1)
    const count = await awaitCount(context, service, wanted, deadline - performance.now())
    for (const { found, at } of count.tries) tries.note(`${found} of at least ${wanted} lines`, at)
    attempts += count.attempts + 1
    known = count.value
    const askedAt = performance.now()
    book.clear()
    await readAll(context, service, Math.max(least, known), book)
    const tally = book.attendance.tally(ledger, name)
    tries.note(`${tally.present} logged, ${tally.missing} missing, ${tally.doubled} doubled, ${tally.foreign} foreign`)
    if (tally.missing === 0 || askedAt >= deadline) {
      return { ...book.result(), tally, elapsedMs: performance.now() - begun, attempts, tries: tries.kept }
    }
  }
}

/** How long an answer may take for which Loki looks at that many lines: beside a load it reads some 10,000 a second. */
export function answerTimes(lines: number): { attemptMs: number; lastAnswerMs: number } {
  const ms = lines / 10
  return { attemptMs: 5000 + ms, lastAnswerMs: 3000 + ms }
}

/** Waits until as many lines are there as must be; gives the last count. */
async function awaitCount(context: ScenarioFacts, service: Service, least: number, withinMs: number) {
  const { loki } = context.backends
  const pipeline = requestLines(service, context.runId)
  const polled = await eventually(
    async (attempt) => {
      const rows = await loki.count(pipeline, [], context.window.from - edgeMs, present(context) + edgeMs, attempt)
      return rows.reduce((sum, { count }) => sum + count, 0)
    },
    (count) => count >= least,
    {
      withinMs: Math.max(0, withinMs),
      signal: context.signal,
      isFinal,
      firstPauseMs: 150,
      ...answerTimes(least),
    },
  )
  if (polled.outcome === 'unasked' || polled.value === undefined) throw polled.error
  return { ...polled, value: polled.value }
}

async function readAll(context: ScenarioFacts, service: Service, expected: number, book: Book): Promise<void> {
  const { loki } = context.backends
  const { from, to } = context.window
  const pipeline = requestLines(service, context.runId)
  const slices = [
    ...slicesOf(from - edgeMs, from, 1),
    ...slicesOf(from, to, expected / aimedLines),
    ...slicesOf(to, present(context) + edgeMs, 1),
  ]
  await loki.eachLine(pipeline, slices, (line) => book.note(line), context.signal)
}

/** What is noted of the lines of one service. */
class Book {
  readonly attendance: Attendance
  readonly #roll: Roll
  readonly #service: Service
  readonly #told: ReturnType<typeof blurred>
  readonly #counted = new Map<string, number>()
  readonly #durationsMs: Float32Array
  readonly #statuses: Uint16Array
  readonly #spanIds: BigUint64Array
  #malformed = new Problems()
  #levels = new Problems()
  #lines = 0

  constructor(roll: Roll, service: Service) {
    this.attendance = new Attendance(roll)
    this.#roll = roll
    this.#service = service
    this.#told = toldByLines(service)
    this.#durationsMs = new Float32Array(roll.size)
    this.#statuses = new Uint16Array(roll.size)
    this.#spanIds = new BigUint64Array(roll.size)
    this.clear()
  }

  clear(): void {
    this.attendance.clear()
    this.#counted.clear()
    this.#durationsMs.fill(Number.NaN)
    this.#statuses.fill(0)
    this.#spanIds.fill(0n)
    this.#malformed = new Problems()
    this.#levels = new Problems()
    this.#lines = 0
  }

  note(text: string): void {
    const read = readLogLine(text, this.#service)
    // Words that happen to be in another line of the same request.
    if (read === undefined) return
    const { line, faults } = read
    this.#lines += 1
    const place = line.traceId === undefined ? -1 : this.attendance.mark(line.traceId)
    if (place < 0) return
    const who = line.traceId ?? 'a line'
    for (const fault of faults) this.#malformed.add(`${who}: ${fault}`)
    this.#noteLevel(who, line)
    const said = this.#told({
      method: line.method ?? '?',
      route: this.#routeOf(line, place),
      status: line.status ?? '?',
    })
    const key = keyOf(this.#service, said.method, said.route, String(said.status))
    this.#counted.set(key, (this.#counted.get(key) ?? 0) + 1)
    this.#durationsMs[place] = line.durationMs ?? Number.NaN
    this.#statuses[place] = typeof line.status === 'number' ? line.status : 0
    this.#spanIds[place] = line.spanId === undefined ? 0n : BigInt(`0x${line.spanId}`)
  }

  /** A path is as good as the template of the step that it belongs to. */
  #routeOf({ route, path }: LogLine, place: number): string {
    if (route !== undefined) return colonRoute(route)
    if (path === undefined) return '?'
    const declared = this.#roll.step(place).declared.route
    return isPathOf(path, declared) ? declared : path
  }

  #noteLevel(who: string, { level, status }: LogLine): void {
    if (level === undefined || typeof status !== 'number') return
    const error = /^(error|fatal|critical)$/i.test(level)
    if (status >= 500 !== error) this.#levels.add(`${who}: status ${status} at level ${level}`)
  }

  result(): Omit<LoggedService, 'tally' | 'elapsedMs' | 'attempts' | 'tries'> {
    return {
      counted: this.#counted,
      lines: this.#lines,
      counts: this.attendance.counts,
      durationsMs: this.#durationsMs,
      statuses: this.#statuses,
      spanIds: this.#spanIds,
      malformed: this.#malformed,
      levels: this.#levels,
    }
  }
}
