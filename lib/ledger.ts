import type { Journey, Step } from './journey.ts'
import { type DrivenJourney, drivenJourneys, type Scenario, type SetupPart, setupIteration } from './scenario.ts'
import { type OddLine, parseUnexpected, type Summary, type Unexpected } from './summary.ts'
import { subMetric } from './threshold.ts'
import { type Origin, sentinelInstance, setupScenario } from './trace-id.ts'

/** Who sent a request, and when: k6 under load, k6 around it, or muster itself while the load ran. */
export type Part = 'load' | SetupPart | 'sentinel'

/** At least, at most; both included. */
export type Band = readonly [number, number]

/** What was sent of one step of one journey. */
export interface StepAccount {
  readonly part: Part
  readonly journey: string
  readonly step: string
  /** Its number in trace ids. */
  readonly number: number
  readonly declared: Step
  /** Equal unless iterations were cut off. */
  readonly attempted: Band
  /** Requests with an answer. */
  readonly answered: number
  /** Answers with the declared status. */
  readonly asExpected: number
  readonly unexpected: readonly Unexpectedness[]
}

export interface Unexpectedness {
  /** 0: no answer; the service may or may not have received the request. */
  readonly status: number
  /** k6's code if there was no answer, e.g. 1050 for a time-out; else 0. */
  readonly errorCode: number
  readonly count: number
}

export interface JourneyAccount {
  readonly journey: string
  /** The scenario number in its trace ids. */
  readonly number: number
  readonly begun: number
  /** As k6 counts them, with those that threw. */
  readonly completed: number
  readonly odd: number
  /** Begun and neither completed nor ended by themselves. */
  readonly interrupted: number
  /** Arrivals for which k6 had no virtual user left. */
  readonly dropped: number
}

/** Requests that a service must have seen. `status` undefined: of unknown status, since the client never learned it. */
export interface ExpectedCount {
  readonly part: Part
  readonly journey: string
  readonly step: string
  readonly method: Step['method']
  readonly route: string
  readonly status: number | undefined
  readonly count: Band
}

/** One request that was sent; its trace id is `traceId(origin)`. */
export interface Sent {
  readonly origin: Origin
  /** The step it is a request of. */
  readonly account: StepAccount
  /** False if it may have been sent: its iteration may have been cut off. */
  readonly must: boolean
}

/** A request that muster itself sent while the load ran. */
export interface SentinelRequest {
  readonly step: string
  /** The place of the step in the sentinel's declaration. */
  readonly number: number
  readonly declared: Step
  readonly repetition: number
  readonly iteration: number
  /** 0: no answer; it may or may not have been received. */
  readonly status: number
  /** When the answer had arrived, or was given up; epoch milliseconds. */
  readonly answeredAt: number
}

/** All that is known of what one k6 process sent. */
export interface Ledger {
  readonly scenario: string
  readonly journeys: readonly JourneyAccount[]
  /** Set-up and tear-down steps come last. */
  readonly steps: readonly StepAccount[]
  readonly oddLines: readonly OddLine[]
  /** Requests of the load, without set-up. */
  readonly requests: Band
  readonly setupRequests: number
  /** Requests without an answer, set-up included. */
  readonly unanswered: number
  /** k6's total of requests minus those enumerated; anything but 0 is a failure of the book-keeping. */
  readonly remainder: number
  /** What does not add up, one sentence each; empty when the books are right. */
  readonly problems: readonly string[]
  /** The very requests, one by one; 10^6 are no problem. */
  sent(): Generator<Sent>
  /** What the service must have received, set-up included (see `part`). */
  expected(service: string): ExpectedCount[]
}

export interface LedgerInput {
  readonly scenario: Scenario
  readonly plan: {
    readonly run: number
    readonly instance: number
    readonly firstNumber: number
    readonly rate?: number | undefined
    readonly durationMs?: number | undefined
  }
  readonly summary: Summary
  readonly oddLines: readonly OddLine[]
  readonly sentinels?: readonly SentinelRequest[]
}

/** Makes the ledger of one k6 process. Pure; says in `problems` what does not add up instead of throwing. */
export function makeLedger(input: LedgerInput): Ledger {
  const driven = drivenJourneys(input.scenario, input.plan)
  const books = new Books(input)
  const journeys = driven.map((one) => books.journey(one))
  const steps = [
    ...driven.flatMap((one, index) => books.loadSteps(one, journeys[index])),
    ...driven.flatMap((one) => books.setupSteps(one)),
    ...sentinelSteps(input.sentinels ?? []),
  ]
  const load = steps.filter(({ part }) => part === 'load')
  const setup = steps.filter(({ part }) => part === 'setup' || part === 'teardown')
  const setupRequests = sum(setup.map(({ attempted }) => attempted[0]))
  const least = sum(load.map(({ attempted }) => attempted[0]))
  const interrupted = sum(journeys.map((one) => one.interrupted))
  const total = books.count('http_reqs')
  const remainder = total - least - setupRequests
  const problems = [...books.problems]
  if (remainder !== 0) {
    problems.push(`k6 counted ${total} requests, of which ${total - remainder} belong to a declared step`)
  }
  return {
    scenario: input.scenario.name,
    journeys,
    steps,
    oddLines: input.oddLines,
    requests: [least, least + interrupted],
    setupRequests,
    unanswered: sum(
      steps.flatMap(({ unexpected }) => unexpected.filter(({ status }) => status === 0).map(({ count }) => count)),
    ),
    remainder,
    problems,
    sent: () => sentRequests(input, driven, journeys, steps),
    expected: (service) => steps.flatMap((step) => expectedOf(step, service)),
  }
}

/** Reads k6's counts and notes what does not fit together. */
class Books {
  readonly problems: string[] = []
  readonly #summary: Summary
  readonly #odd = new Map<string, OddLine[]>()
  readonly #unexpected = new Map<string, (Unexpected & { readonly count: number })[]>()

  constructor({ summary, oddLines, scenario }: LedgerInput) {
    this.#summary = summary
    const names = new Set(scenario.journeys.map(({ journey }) => journey.name))
    for (const line of oddLines) {
      if (!names.has(line.journey)) this.problems.push(`an odd line names the unknown journey "${line.journey}"`)
      append(this.#odd, line.journey, line)
    }
    for (const { name, fails } of summary.checks) {
      const one = parseUnexpected(name)
      if (one !== undefined)
        append(this.#unexpected, `${one.part}|${one.journey}|${one.step}`, { ...one, count: fails })
    }
  }

  count(key: string): number {
    return this.#summary.metrics[key]?.values.count ?? 0
  }

  journey({ journey: { name, steps }, number }: DrivenJourney): JourneyAccount {
    const of = (metric: string) => this.count(subMetric(metric, { scenario: name }))
    const [begun, completed, oddCount] = [of('muster_begun'), of('iterations'), of('muster_odd')]
    const lines = this.#odd.get(name) ?? []
    if (lines.length !== oddCount) {
      this.problems.push(`${name}: ${oddCount} odd iterations were counted, but ${lines.length} lines arrived`)
    }
    if (new Set(lines.map(({ iteration }) => iteration)).size !== lines.length) {
      this.problems.push(`${name}: an odd iteration is listed twice`)
    }
    const stepCount = Object.keys(steps).length
    const strange = lines.filter(({ iteration, path }) => iteration >= begun || path.some((step) => step >= stepCount))
    if (strange.length > 0 && begun === completed) {
      this.problems.push(`${name}: ${strange.length} odd lines name an iteration or a step that does not exist`)
    }
    if (completed > begun) this.problems.push(`${name}: ${completed} iterations completed, but only ${begun} began`)
    const interrupted = Math.max(0, begun - completed)
    return { journey: name, number, begun, completed, odd: oddCount, interrupted, dropped: of('dropped_iterations') }
  }

  loadSteps({ journey }: DrivenJourney, account: JourneyAccount | undefined): StepAccount[] {
    const { begun = 0, interrupted = 0 } = account ?? {}
    const lines = this.#odd.get(journey.name) ?? []
    return Object.entries(journey.steps).map(([step, declared], number) => {
      const sent = this.count(subMetric('http_reqs', { part: 'load', scenario: journey.name, step }))
      const inOdd = sum(lines.map(({ path }) => path.filter((one) => one === number).length))
      const most = begun - lines.length + inOdd
      const least = most - interrupted
      if (sent < least || sent > most) {
        const wanted = least === most ? `${most}` : `${least} to ${most}`
        this.problems.push(`${journey.name}/${step}: k6 counted ${sent} requests, the iterations account for ${wanted}`)
      }
      return this.#step('load', journey, step, number, declared, [sent, sent + interrupted])
    })
  }

  setupSteps({ journey }: DrivenJourney): StepAccount[] {
    const parts: readonly SetupPart[] = ['setup', 'teardown']
    return parts.flatMap((part) =>
      Object.entries(journey.testData?.steps ?? {}).map(([step, declared], number) => {
        const sent = this.count(subMetric('http_reqs', { part, journey: journey.name, step }))
        return this.#step(part, journey, step, number, declared, [sent, sent])
      }),
    )
  }

  #step(part: Part, { name }: Journey, step: string, number: number, declared: Step, attempted: Band): StepAccount {
    const unexpected = this.#unexpected.get(`${part}|${name}|${step}`) ?? []
    const wrong = sum(unexpected.map(({ count }) => count))
    const unanswered = sum(unexpected.filter(({ status }) => status === 0).map(({ count }) => count))
    if (wrong > attempted[1])
      this.problems.push(`${name}/${step}: ${wrong} unexpected answers to ${attempted[1]} requests`)
    return {
      part,
      journey: name,
      step,
      number,
      declared,
      attempted,
      answered: attempted[0] - unanswered,
      asExpected: Math.max(0, attempted[0] - wrong),
      unexpected: unexpected.map(({ status, errorCode, count }) => ({ status, errorCode, count })),
    }
  }
}

function expectedOf(account: StepAccount, service: string): ExpectedCount[] {
  const { part, journey, step, declared, attempted, asExpected, unexpected } = account
  if (!declared.services.includes(service)) return []
  const { method, route } = declared
  const line = (status: number | undefined, count: Band): ExpectedCount => ({
    part,
    journey,
    step,
    method,
    route,
    status,
    count,
  })
  const lines = [line(declared.status, [asExpected, asExpected])]
  // What was answered or cut off half-way may have come to any end behind the first service, or never have got there.
  let unsure = attempted[1] - attempted[0]
  for (const { status, count } of unexpected) {
    if (status !== 0 && service === declared.services[0]) lines.push(line(status, [count, count]))
    else unsure += count
  }
  if (unsure > 0) lines.push(line(undefined, [0, unsure]))
  return lines
}

function sentinelSteps(requests: readonly SentinelRequest[]): StepAccount[] {
  const byStep = new Map<string, SentinelRequest[]>()
  for (const request of requests) append(byStep, request.step, request)
  return [...byStep].flatMap(([step, own]) => {
    const [first] = own
    if (first === undefined) return []
    const wrong = new Map<number, number>()
    for (const { status, declared } of own) {
      if (status !== declared.status) wrong.set(status, (wrong.get(status) ?? 0) + 1)
    }
    return [
      {
        part: 'sentinel',
        journey: 'sentinel',
        step,
        number: first.number,
        declared: first.declared,
        attempted: [own.length, own.length],
        answered: own.filter(({ status }) => status !== 0).length,
        asExpected: own.filter(({ status, declared }) => status === declared.status).length,
        unexpected: [...wrong].map(([status, count]) => ({ status, errorCode: 0, count })),
      } satisfies StepAccount,
    ]
  })
}

function* sentRequests(
  input: LedgerInput,
  driven: readonly DrivenJourney[],
  accounts: readonly JourneyAccount[],
  steps: readonly StepAccount[],
): Generator<Sent> {
  const { run, instance } = input.plan
  for (const [index, { journey, number: scenario, load }] of driven.entries()) {
    const account = accounts[index]
    if (account === undefined) continue
    const own = steps.filter((step) => step.part === 'load' && step.journey === journey.name)
    const inOrder = own.map((_, step) => step)
    const odd = new Map(
      input.oddLines.filter((line) => line.journey === journey.name).map((line) => [line.iteration, line.path]),
    )
    // Cut off by the end, an iteration may have had a number without having begun.
    const most = account.begun + (account.interrupted > 0 ? load.k6.maxVUs : 0)
    for (let iteration = 0; iteration < most; iteration++) {
      const path = odd.get(iteration)
      const must = (path !== undefined || account.interrupted === 0) && iteration < account.begun
      const repetitions = new Map<number, number>()
      for (const step of path ?? inOrder) {
        const declared = own[step]
        if (declared === undefined) continue
        // Without a path no step is repeated; the map would cost more than all the rest.
        const repetition = path === undefined ? 0 : (repetitions.get(step) ?? 0)
        if (path !== undefined) repetitions.set(step, repetition + 1)
        yield { origin: { run, instance, scenario, step, repetition, iteration }, account: declared, must }
      }
    }
  }
  for (const account of steps) {
    const { part, number: step } = account
    if (part !== 'setup' && part !== 'teardown') continue
    const journey = driven.find((one) => one.journey.name === account.journey)?.number ?? 0
    for (let count = 0; count < account.attempted[0]; count++) {
      const iteration = setupIteration(journey, part, count)
      yield { origin: { run, instance, scenario: setupScenario, step, repetition: 0, iteration }, account, must: true }
    }
  }
  for (const { step: name, number: step, repetition, iteration } of input.sentinels ?? []) {
    const account = steps.find((one) => one.part === 'sentinel' && one.step === name)
    if (account === undefined) continue
    const origin = { run, instance: sentinelInstance, scenario: input.plan.firstNumber, step, repetition, iteration }
    yield { origin, account, must: true }
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function append<Value>(map: Map<string, Value[]>, key: string, value: Value): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [value])
  else list.push(value)
}
