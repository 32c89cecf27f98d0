import { check } from 'k6'
import exec from 'k6/execution'
import http, { type RefinedParams, type ResponseType } from 'k6/http'
import { Counter } from 'k6/metrics'
import type { Journey, Step, StepInput, StepResponse } from '../lib/journey.ts'
import type { LoadPhase } from '../lib/load-profile.ts'
import { queryText } from '../lib/route.ts'
import {
  type DrivenJourney,
  type DrivePlan,
  drivenJourneys,
  type Scenario,
  type SetupPart,
  setupIteration,
} from '../lib/scenario.ts'
import { formatOdd, type Summary, type SummaryMetric, threwPrefix, unexpectedName } from '../lib/summary.ts'
import { parseThresholds, subMetric, type Threshold } from '../lib/threshold.ts'
import { setupScenario, traceparents } from '../lib/trace-id.ts'

/*
 * The journey runtime, inside k6. What runs per request is written for speed: all that is constant is put together once a
 * virtual user, objects are reused, and an expected answer costs neither a check nor a counter.
 */

type Params = RefinedParams<ResponseType> & { headers: Record<string, string> }
type SetupData = Readonly<Record<string, readonly unknown[]>>
type Part = 'load' | SetupPart

const begun = new Counter('muster_begun')
const oddCount = new Counter('muster_odd')

interface K6Group {
  readonly checks?: readonly { name: string; passes: number; fails: number }[]
  readonly groups?: readonly K6Group[]
}

/** What k6 gives to handleSummary, as far as it is read here. */
interface K6SummaryData {
  readonly metrics: Readonly<
    Record<
      string,
      { type: SummaryMetric['type']; values: Record<string, number>; thresholds?: Record<string, { ok: boolean }> }
    >
  >
  readonly root_group?: K6Group
  readonly state: { readonly testRunDurationMs: number }
}

/** All that k6 wants exported; `exec` has a function per journey, in the order of the scenario. */
export interface Driven {
  readonly options: object
  readonly setup: () => SetupData
  readonly teardown: (data: SetupData) => void
  readonly handleSummary: (data: K6SummaryData) => Record<string, string>
  readonly exec: readonly ((data: SetupData) => void)[]
}

/** The name under which the journey with this place is exported. */
export function execName(index: number): string {
  return `journey_${index}`
}

/** Makes a scenario runnable. The plan is read from the file that MUSTER_PLAN names; Node wrote and checked it. */
export function drive(scenario: Scenario): Driven {
  const plan: DrivePlan = JSON.parse(open(__ENV.MUSTER_PLAN ?? ''))
  const journeys = drivenJourneys(scenario, plan)
  const { thresholds: limits } = parseThresholds(plan.thresholds)
  const base = {
    plan,
    timeoutMs: scenario.timeoutMs,
    sample: scenario.sample ?? 1,
    named: tagsNamed(limits).includes('name'),
  }
  return {
    options: optionsOf(plan, journeys, limits),
    setup: () => Object.fromEntries(journeys.map((driven) => [driven.journey.name, prepare(base, driven)])),
    teardown: (data) => {
      for (const driven of journeys) cleanup(base, driven, data[driven.journey.name] ?? [])
    },
    handleSummary: (data) => ({ [plan.summaryFile]: JSON.stringify(summaryOf(data)) }),
    exec: journeys.map((driven) => runner(base, driven)),
  }
}

interface Base {
  readonly plan: DrivePlan
  readonly timeoutMs: number
  /** The share of the load's requests that are to be traced. */
  readonly sample: number
  /** Whether a threshold needs the tag `name`. */
  readonly named: boolean
}

function optionsOf(plan: DrivePlan, journeys: readonly DrivenJourney[], limits: readonly Threshold[]): object {
  const thresholds: Record<string, string[]> = {}
  const add = (key: string, expression: string) => {
    thresholds[key] = [...(thresholds[key] ?? []), expression]
  }
  for (const limit of limits) add(limit.key, limit.expression)
  // k6 reports a sub-metric only where a threshold names it; these can't fail and are there for the counts.
  const count = (metric: string, tags: Readonly<Record<string, string>>) => add(subMetric(metric, tags), 'count>=0')
  for (const { journey } of journeys) {
    const own = { scenario: journey.name }
    for (const metric of ['iterations', 'dropped_iterations', 'muster_begun', 'muster_odd']) count(metric, own)
    for (const step of Object.keys(journey.steps)) count('http_reqs', { part: 'load', ...own, step })
    for (const step of Object.keys(journey.testData?.steps ?? {})) {
      for (const part of ['setup', 'teardown']) count('http_reqs', { part, journey: journey.name, step })
    }
  }
  for (const { name } of phasesOf(journeys)) {
    add(subMetric('http_req_duration', { part: 'load', phase: name }), 'max>=0')
    add(subMetric('http_req_failed', { part: 'load', phase: name }), 'rate>=0')
  }
  const trendStats = ['avg', 'min', 'med', 'max', 'p(90)', 'p(95)', 'p(99)', 'count']
  const named = limits.map((limit) => limit.aggregation).filter((name) => name.startsWith('p('))
  return {
    scenarios: Object.fromEntries(
      // Said once for a scenario, a tag costs a request nothing.
      journeys.map(({ journey, load }, index) => [
        journey.name,
        { ...load.k6, exec: execName(index), tags: { part: 'load' } },
      ]),
    ),
    // A followed redirect would be two requests with one trace id.
    maxRedirects: 0,
    ...segmentOf(plan),
    thresholds,
    summaryTrendStats: [...new Set([...trendStats, ...named])],
    // Each tag costs every request, so there are but those that a threshold names. Without `group` k6 leaves the checks
    // out of its summary.
    systemTags: [...new Set(['group', 'scenario', 'check', ...tagsNamed(limits).filter((tag) => systemTags.has(tag))])],
    setupTimeout: '120s',
    teardownTimeout: '120s',
  }
}

/** This process' part of the load, if several share it; all are told the same sequence, so that nothing is driven twice. */
function segmentOf({ instance, instances = 1 }: DrivePlan): object {
  if (instances === 1) return {}
  const edge = (n: number) => (n === 0 || n === instances ? `${n / instances}` : `${n}/${instances}`)
  const edges = Array.from({ length: instances + 1 }, (_, n) => edge(n))
  return {
    executionSegment: `${edge(instance)}:${edge(instance + 1)}`,
    executionSegmentSequence: edges.join(','),
  }
}

/** The tags that k6 sets by itself, where told to. */
const systemTags: ReadonlySet<string> = new Set(
  'proto subproto status method url name error error_code tls_version expected_response service'.split(' '),
)

function tagsNamed(limits: readonly Threshold[]): string[] {
  return limits.flatMap(({ tags }) => Object.keys(tags))
}

/** The phases to be judged apart; those of the first journey, as all have the same profile. None if there is but one. */
function phasesOf(journeys: readonly DrivenJourney[]): readonly LoadPhase[] {
  const phases = journeys[0]?.load.phases ?? []
  return phases.length > 1 ? phases : []
}

/** Plain fields: k6's interpreter takes its time over private ones, and this is made with every request. */
class Answer implements StepResponse {
  readonly status: number
  readonly response: { readonly body: unknown }
  readonly step: Expected

  constructor(status: number, response: { readonly body: unknown }, step: Expected) {
    this.status = status
    this.response = response
    this.step = step
  }

  get body(): string {
    const { body } = this.response
    return typeof body === 'string' ? body : ''
  }

  json<T>(): T {
    const { name, status } = this.step
    if (this.status !== status) throw new Error(`${name} answered ${this.status} instead of ${status}`)
    try {
      return JSON.parse(this.body)
    } catch {
      throw new Error(`${name} answered ${this.status} with a body that is not JSON: ${this.body.slice(0, 80)}`)
    }
  }
}

interface Expected {
  readonly name: string
  readonly status: number
}

type Input = StepInput & Readonly<Record<string, unknown>>
type Hand = (input?: Input) => StepResponse
/** The user of a visit; the runtime moves the iteration on. */
interface User {
  readonly vu: number
  iteration: number
  readonly name: string
}

/** The status that this virtual user's k6 takes for right. To say it anew with each request, as a parameter, costs more. */
let expecting = 0

/** A request whose constant half is put together: what it needs is the input and, just before it goes out, its header. */
type Send = (input: Input | undefined, traceparent: () => string) => StepResponse

function sendOf(base: Base, journey: Journey, name: string, step: Step, part: Part): Send {
  const tags: Record<string, string> = { step: name }
  if (base.named) tags.name = `${step.method} ${step.route}`
  if (part !== 'load') Object.assign(tags, { part, journey: journey.name })
  const ownHeaders: Record<string, string> = {}
  const params: Params = {
    headers: ownHeaders,
    tags,
    timeout: base.timeoutMs,
  }
  const callback = http.expectedStatuses(step.status)
  const urlFor = urlOf(base.plan.baseUrl, name, step.route)
  const { method, status } = step
  const expected = { name, status }
  // A look-up in a module of k6's is a call.
  const { request } = http
  return (input, traceparent) => {
    let url = typeof urlFor === 'string' ? urlFor : urlFor(input)
    if (input?.query !== undefined) url += queryText(input.query)
    const headers = input?.headers === undefined ? ownHeaders : { ...input.headers }
    let body: string | null = null
    if (input?.body !== undefined) {
      body = JSON.stringify(input.body)
      headers['content-type'] = 'application/json'
    }
    // Last, since from here on the step counts as sent.
    headers.traceparent = traceparent()
    params.headers = headers
    if (expecting !== status) {
      http.setResponseCallback(callback)
      expecting = status
    }
    const response = request(method, url, body, params)
    // Read once: k6 looks a field of its answers up by reflection.
    const got = response.status
    if (got !== status) {
      const errorCode = got === 0 ? response.error_code : 0
      check(null, { [unexpectedName(part, journey.name, name, got, errorCode)]: () => false })
    }
    return new Answer(got, response, expected)
  }
}

/** The URL, or a function that fills path parameters in; the template is cut up once. */
function urlOf(baseUrl: string, step: string, route: string): string | ((input: Input | undefined) => string) {
  const pieces = route.split(/:(\w+)/)
  if (pieces.length === 1) return baseUrl + route
  return (input) => {
    let url = baseUrl
    for (let n = 0; n < pieces.length; n++) {
      const piece = pieces[n] ?? ''
      if (n % 2 === 0) {
        url += piece
        continue
      }
      const value = input?.[piece]
      if (value === undefined || value === null || value === '')
        throw new Error(`${step} needs the path parameter ${piece}`)
      url += encodeURIComponent(String(value))
    }
    return url
  }
}

/** What one virtual user keeps for one journey, made at its first iteration. */
interface Worker {
  readonly visit: Record<string, unknown> & { user: User }
  readonly info: typeof exec.scenario
  readonly startedAt: number
}

function runner(base: Base, { journey, number, load }: DrivenJourney): (data: SetupData) => void {
  const { run, instance } = base.plan
  const stepCount = Object.keys(journey.steps).length
  const phases = load.phases.length > 1 ? load.phases : []
  const { sent, state, hands } = loadHands()
  // The runtime builds what the journey's own types promise: a hand per step, the user, the data.
  const script: (visit: never) => void = journey.script
  let worker: Worker | undefined
  let phase = ''
  return (data) => {
    if (worker === undefined) worker = workerOf(data)
    const { visit, info } = worker
    const iteration = info.iterationInInstance
    state.iteration = iteration
    state.inOrder = true
    sent.length = 0
    visit.user.iteration = iteration
    if (phases.length > 0) {
      const now = phaseAt(phases, Date.now() - worker.startedAt)
      if (now !== phase) exec.vu.metrics.tags.phase = phase = now
    }
    begun.add(1)
    let why = ''
    try {
      script(visit as never)
    } catch (error) {
      why = `${threwPrefix}${describe(error)}`
    }
    if (why === '' && state.inOrder && sent.length === stepCount) return
    oddCount.add(1)
    if (why === '') why = state.inOrder ? 'ended early' : 'left the order'
    console.warn(formatOdd({ journey: journey.name, iteration, path: sent, why }))
  }

  function workerOf(data: SetupData): Worker {
    const { name, testData } = journey
    const vu = exec.vu.idInInstance
    const prepared = data[name] ?? []
    const place = prepared.length === 0 ? vu : 1 + ((vu - 1) % prepared.length)
    const user: User = { vu, iteration: 0, name: userName(name, instance, place) }
    return {
      visit: { ...hands, user, data: testData === undefined ? undefined : prepared[place - 1] },
      info: exec.scenario,
      startedAt: exec.scenario.startTime,
    }
  }

  function loadHands() {
    // Step numbers in the order sent in this iteration.
    const sent: number[] = []
    const state = { iteration: 0, inOrder: true }
    const hands: Record<string, Hand> = {}
    for (const [index, [name, step]] of Object.entries(journey.steps).entries()) {
      const send = sendOf(base, journey, name, step, 'load')
      const header = traceparents({ run, instance, scenario: number, step: index }, base.sample)
      const announce = () => {
        let repetition = 0
        if (!state.inOrder || sent.length !== index) {
          state.inOrder = false
          for (const earlier of sent) if (earlier === index) repetition++
          if (repetition > 255)
            throw new Error(`${name} was sent 256 times in one iteration, more than trace ids can tell apart`)
        }
        sent[sent.length] = index
        return header(repetition, state.iteration)
      }
      hands[name] = (input) => send(input, announce)
    }
    return { sent, state, hands }
  }
}

function phaseAt(phases: readonly LoadPhase[], elapsedMs: number): string {
  for (const phase of phases) if (elapsedMs < phase.toMs) return phase.name
  return phases[phases.length - 1]?.name ?? ''
}

/** One line: the message and where it was thrown. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error).replace(/\s+/g, ' ')
  const place = /at .*?([^/\s(]+\.ts:\d+)/.exec(error.stack ?? '')?.[1]
  return `${error.message}${place === undefined ? '' : ` (${place})`}`.replace(/\s+/g, ' ')
}

function userName(journey: string, instance: number, place: number): string {
  return instance === 0 ? `user-${journey}-${place}` : `user-${journey}-${instance}-${place}`
}

/** Hands for set-up and tear-down: every request of a step has the next number, so the count alone names the ids. */
function setupHands(base: Base, { journey, number }: DrivenJourney, part: SetupPart): Record<string, Hand> {
  const { run, instance } = base.plan
  const hands: Record<string, Hand> = {}
  for (const [index, [name, step]] of Object.entries(journey.testData?.steps ?? {}).entries()) {
    const send = sendOf(base, journey, name, step, part)
    const header = traceparents({ run, instance, scenario: setupScenario, step: index })
    let count = 0
    hands[name] = (input) => send(input, () => header(0, setupIteration(number, part, count++)))
  }
  return hands
}

function prepare(base: Base, driven: DrivenJourney): readonly unknown[] {
  const { journey } = driven
  const { testData } = journey
  if (testData === undefined) return []
  const hands = setupHands(base, driven, 'setup')
  return Array.from({ length: testData.users }, (_, index) => {
    const user: User = { vu: index + 1, iteration: 0, name: userName(journey.name, base.plan.instance, index + 1) }
    return testData.prepare({ ...hands, user, data: undefined } as never)
  })
}

/** Removes what was prepared. One user's failure leaves the others' turn; it is in k6's log. */
function cleanup(base: Base, driven: DrivenJourney, prepared: readonly unknown[]): void {
  const { journey } = driven
  const { testData } = journey
  if (testData === undefined) return
  const hands = setupHands(base, driven, 'teardown')
  for (const [index, data] of prepared.entries()) {
    const user: User = { vu: index + 1, iteration: 0, name: userName(journey.name, base.plan.instance, index + 1) }
    try {
      testData.cleanup({ ...hands, user, data } as never)
    } catch (error) {
      console.error(`teardown of ${user.name} threw ${describe(error)}`)
    }
  }
}

function summaryOf({ metrics, root_group, state }: K6SummaryData): Summary {
  const checks = checksOf(root_group ?? {})
  const kept = Object.entries(metrics).map(([name, { type, values, thresholds }]) => [
    name,
    { type, values, thresholds },
  ])
  return { metrics: Object.fromEntries(kept), checks, testRunDurationMs: state.testRunDurationMs }
}

/** Those of set-up are in a group of their own. */
function checksOf({ checks = [], groups = [] }: K6Group): Summary['checks'] {
  return [...checks.map(({ name, passes, fails }) => ({ name, passes, fails })), ...groups.flatMap(checksOf)]
}
