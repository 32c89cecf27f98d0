import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import { UsageError } from '../lib/errors.ts'
import type { Step, StepInput, StepResponse } from '../lib/journey.ts'
import type { SentinelRequest } from '../lib/ledger.ts'
import { pause } from '../lib/poll.ts'
import { queryText } from '../lib/route.ts'
import type { Sentinel } from '../lib/sentinel.ts'
import { type Origin, sentinelInstance, traceId, traceparent } from '../lib/trace-id.ts'
import type { Config } from './config.ts'
import type { RunContext, SentinelRun } from './context.ts'
import { FreshnessWatch } from './freshness.ts'
import type { Recording } from './recording.ts'

const isSentinel = z.looseObject({
  steps: z.record(
    z.string(),
    z.looseObject({ method: z.string(), route: z.string(), status: z.number(), services: z.array(z.string()).min(1) }),
  ),
  visit: z.custom((value) => typeof value === 'function'),
})

/**
 * Imports the sentinel that a file default-exports.
 * @throws UsageError if the file is missing, throws, or exports something else, or if a step names an unknown service
 */
export async function loadSentinel(config: Config, file: string): Promise<Sentinel> {
  const path = resolve(config.folder, file)
  let module: { readonly default?: unknown }
  try {
    module = await import(pathToFileURL(path).href)
  } catch (error) {
    throw new UsageError(`Sentinel file ${path} cannot be loaded: ${messageOf(error)}`, { cause: error })
  }
  const { default: declared } = module
  if (!declaresSentinel(declared)) {
    throw new UsageError(`Sentinel file ${path} must default-export what sentinel() of lib/sentinel.ts returns.`)
  }
  const names = Object.keys(declared.steps)
  const problems = [
    ...(names.length === 0 ? ['it has no steps'] : []),
    ...(names.length > 256 ? [`it has ${names.length} steps; a trace id can tell 256 apart`] : []),
    ...names
      .filter((name) => name === 'visit' || name === 'data')
      .map((name) => `"${name}" cannot be the name of a step`),
    ...Object.entries(declared.steps).flatMap(([name, { services }]) =>
      services
        .filter((one) => !config.services[one])
        .map((one) => `${name} touches "${one}", which is not in services`),
    ),
  ]
  if (problems.length > 0) throw new UsageError(`Sentinel file ${path}: ${problems.join('; ')}.`)
  return declared
}

function declaresSentinel(value: unknown): value is Sentinel {
  return isSentinel.safeParse(value).success
}

interface PatrolOptions {
  readonly sentinel: Sentinel
  /** Requests per second at the highest. */
  readonly rate: number
  /** For how long visits begin, unless stopped before; milliseconds. */
  readonly durationMs: number
  /** Milliseconds until a request is given up. */
  readonly timeoutMs: number
  /** Without a slash at the end. */
  readonly baseUrl: string
  /** The run and the scenario's first number, for trace ids. */
  readonly run: number
  readonly scenario: number
  /** Ends all at once, requests under way too. */
  readonly signal: AbortSignal
  /** Called when the declared answer to a request has arrived. */
  readonly onAnswer: (id: string, step: Step) => void
}

/** All that a sentinel sent. */
interface SentinelBook {
  readonly requests: readonly SentinelRequest[]
  /** What its scripts threw, one sentence each. */
  readonly problems: readonly string[]
}

/** A sentinel under way. `end` lets the visit under way come to its end and waits for the answers. */
interface Patrol {
  end(): Promise<SentinelBook>
}

type Hand = (input?: StepInput & Readonly<Record<string, unknown>>) => Promise<StepResponse>

/** Begins to send. A request that fails is a record in the book, never an exception. */
export function startPatrol(options: PatrolOptions): Patrol {
  const over = new AbortController()
  const timer = setTimeout(() => over.abort(), options.durationMs)
  const walk = new Walk(options, AbortSignal.any([over.signal, options.signal]))
  const walked = walk.run()
  return {
    end: async () => {
      clearTimeout(timer)
      over.abort()
      await walked
      return { requests: walk.requests, problems: walk.problems }
    },
  }
}

class Walk {
  readonly requests: SentinelRequest[] = []
  readonly problems: string[] = []
  readonly #options: PatrolOptions
  readonly #over: AbortSignal
  /** When the next request may go out, on the monotonic clock. */
  #next = 0
  /** The pause before the next request has been made. */
  #paced = false

  constructor(options: PatrolOptions, over: AbortSignal) {
    this.#options = options
    this.#over = over
  }

  async run(): Promise<void> {
    const { prepare, visit, cleanup } = this.#options.sentinel
    let data: unknown
    if (prepare && !(await this.#attempt('prepare', async () => (data = await prepare(this.#hands(0) as never)))))
      return
    let count = 0
    for (; await this.#goesOn(); count += 1) {
      const before = this.requests.length
      await this.#attempt(`visit ${count}`, () => visit({ ...this.#hands(count), visit: count, data } as never))
      if (this.requests.length > before) continue
      this.problems.push(`visit ${count} sent nothing`)
      break
    }
    if (cleanup) {
      await this.#attempt('cleanup', () => cleanup({ ...this.#hands(count), visit: count, data } as never))
    }
  }

  /** True if what was called did not throw. */
  async #attempt(what: string, call: () => Promise<unknown>): Promise<boolean> {
    try {
      await call()
      return true
    } catch (error) {
      this.problems.push(`${what} threw: ${messageOf(error)}`)
      return false
    }
  }

  /** Makes the pause before a visit; false if there is to be none. */
  async #goesOn(): Promise<boolean> {
    await this.#pace()
    this.#paced = true
    return !this.#over.aborted
  }

  /** Once the time is over, what must still be sent is sent at once. */
  async #pace(): Promise<void> {
    if (this.#paced) {
      this.#paced = false
      return
    }
    const now = performance.now()
    const at = Math.max(now, this.#next)
    this.#next = at + 1000 / this.#options.rate
    if (at > now && !this.#over.aborted) await pause(at - now, this.#over).catch(() => undefined)
  }

  /** One function per step, as the script is promised them. */
  #hands(iteration: number): Readonly<Record<string, Hand>> {
    const { sentinel, run, scenario } = this.#options
    const entries = Object.entries(sentinel.steps).map(([name, step], number): [string, Hand] => {
      let sent = this.requests.filter((one) => one.step === name && one.iteration === iteration).length
      const hand: Hand = async (input) => {
        const path = pathOf(name, step.route, input) + (input?.query === undefined ? '' : queryText(input.query))
        const repetition = sent
        sent += 1
        if (repetition > 255) throw new Error(`${name} was sent more than 256 times in a visit`)
        await this.#pace()
        const origin: Origin = { run, instance: sentinelInstance, scenario, step: number, repetition, iteration }
        const { status, body } = await this.#send(step, path, input, traceparent(origin))
        if (status === step.status) this.#options.onAnswer(traceId(origin), step)
        const request = { step: name, number, declared: step, repetition, iteration, status, answeredAt: Date.now() }
        this.requests.push(request)
        return answer(name, step, status, body)
      }
      return [name, hand]
    })
    return Object.fromEntries(entries)
  }

  /** One request, sent once: a connection of its own can't have been closed in the meantime. Status 0: no answer. */
  #send(step: Step, path: string, input: StepInput | undefined, parent: string) {
    const { baseUrl, timeoutMs, signal } = this.#options
    const body = input?.body === undefined ? undefined : JSON.stringify(input.body)
    return new Promise<{ readonly status: number; readonly body: string }>((done) => {
      const failed = () => done({ status: 0, body: '' })
      const read = (response: IncomingMessage) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (piece: string) => (text += piece))
        response.on('end', () => done({ status: response.statusCode ?? 0, body: text }))
        response.on('error', failed)
      }
      const headers = {
        ...input?.headers,
        ...(body === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
        traceparent: parent,
      }
      const request = baseUrl.startsWith('https:') ? httpsRequest : httpRequest
      const patience = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
      const sent = request(baseUrl + path, { method: step.method, headers, agent: false, signal: patience }, read)
      sent.on('error', failed)
      sent.end(body)
    })
  }
}

function pathOf(step: string, route: string, input: Readonly<Record<string, unknown>> = {}): string {
  return route.replace(/:(\w+)/g, (_, name: string) => {
    const value = input[name]
    if (value === undefined || value === null || value === '')
      throw new Error(`${step} needs the path parameter ${name}`)
    return encodeURIComponent(String(value))
  })
}

function answer(name: string, step: Step, status: number, body: string): StepResponse {
  return {
    status,
    body,
    json: <T>(): T => {
      if (status !== step.status) throw new Error(`${name} answered ${status || 'nothing'} instead of ${step.status}`)
      return JSON.parse(body)
    },
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** A sentinel that stands beside k6, and the watch for what it sends. */
export class Sentry {
  readonly #file: string
  readonly #options: Omit<PatrolOptions, 'onAnswer' | 'signal'>
  readonly #context: RunContext
  #patrol: Patrol | undefined
  #watch: FreshnessWatch | undefined

  private constructor(file: string, context: RunContext, options: Omit<PatrolOptions, 'onAnswer' | 'signal'>) {
    this.#file = file
    this.#context = context
    this.#options = options
  }

  /** Undefined if the config asks for none. @throws UsageError as `loadSentinel` does */
  static async of(
    config: Config,
    context: RunContext,
    options: Pick<PatrolOptions, 'durationMs' | 'timeoutMs' | 'baseUrl' | 'scenario'>,
  ): Promise<Sentry | undefined> {
    const { freshness } = config
    if (freshness === undefined) return undefined
    const { sentinel: file, rate } = freshness
    const sentinel = await loadSentinel(config, file)
    return new Sentry(resolve(config.folder, file), context, { ...options, sentinel, rate, run: context.runId })
  }

  /** Begins to send, and to look for what was answered. */
  start(): void {
    const watch = new FreshnessWatch(this.#context)
    const onAnswer: PatrolOptions['onAnswer'] = (id, step) => watch.add(id, step)
    this.#watch = watch
    this.#patrol = startPatrol({ ...this.#options, signal: this.#context.signal, onAnswer })
  }

  /** Waits for the answers, but not until all is found. Undefined if it was never started. */
  async end(warn: (text: string) => void): Promise<SentinelRun | undefined> {
    if (this.#patrol === undefined || this.#watch === undefined) return undefined
    const { requests, problems } = await this.#patrol.end()
    const [first] = problems
    if (first !== undefined) warn(`The sentinel had ${problems.length} problems; the first: ${first}`)
    return { file: this.#file, number: this.#options.scenario, requests, observed: this.#watch.end() }
  }
}

type RecordedSentinel = NonNullable<Recording['scenarios'][number]['sentinel']>

/** A past run's sentinel as its recording has it. @throws UsageError if its declaration has gone or has changed */
export async function recalled(config: Config, number: number, recorded: RecordedSentinel): Promise<SentinelRun> {
  const { file, requests, observed } = recorded
  const { steps } = await loadSentinel(config, file)
  const names = Object.keys(steps)
  return {
    file,
    number,
    observed: Promise.resolve(observed),
    requests: requests.map((request) => {
      const declared = steps[request.step]
      if (declared === undefined) {
        throw new UsageError(`Sentinel file ${file} has no step ${request.step} any more: run the scenarios again.`)
      }
      return { ...request, number: names.indexOf(request.step), declared }
    }),
  }
}
