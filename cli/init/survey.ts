import { EnvironmentError, UsageError } from '../../lib/errors.ts'
import { eventually } from '../../lib/poll.ts'
import { queryText, sameShape } from '../../lib/route.ts'
import type { Span } from '../../lib/span.ts'
import { isFinal } from '../../validators/backends/http.ts'
import type { BackendEndpoints } from '../../validators/config.ts'
import type { Backends } from '../../validators/context.ts'
import type { Sent } from '../../validators/discovery/line-names.ts'
import { discoverLogs, type FoundLogs } from '../../validators/discovery/logs.ts'
import { discoverJobs, type FoundJob } from '../../validators/discovery/metrics.ts'
import { type Probed, probe, serversOf, tracesOf } from '../../validators/discovery/probe.ts'
import { connect } from '../../validators/preflight.ts'
import { type CandidateStep, pathOf } from './step.ts'

/** A step as it will be written: what it touches is known from its trace. */
export interface SurveyedStep extends CandidateStep {
  readonly services: readonly string[]
}

export interface SurveyedService {
  readonly name: string
  readonly job: FoundJob | undefined
  readonly logs: Pick<FoundLogs, 'logs' | 'untold'> | undefined
  /** Its name in traces. */
  readonly traced: string | undefined
  /** What it lacks, and why. */
  readonly remarks: readonly string[]
}

/** What was found of a system before it was ever loaded. */
export interface Survey {
  readonly baseUrl: string
  readonly backends: BackendEndpoints
  /** Headers to be sent with each request, by the environment variable that holds the value. */
  readonly headers: Readonly<Record<string, string>>
  readonly services: readonly SurveyedService[]
  readonly steps: readonly SurveyedStep[]
  readonly alertRules: readonly string[]
  /** Attributes that OpenTelemetry's conventions require and the spans of servers do not have. */
  readonly lackedAttributes: readonly string[]
  readonly remarks: readonly string[]
}

/** Where a system that says nothing of itself may answer. */
const usualPaths = ['/', '/health', '/healthz', '/-/healthy', '/ready', '/live', '/status', '/api']
const mostProbed = 30
const serverAttributes = ['http.request.method', 'http.route', 'http.response.status_code']

/**
 * Sends each harmless step once and looks where it was counted, logged and traced.
 * @param candidates undefined: no document tells of any
 * @throws EnvironmentError naming all that does not answer; UsageError for a variable that is not set
 */
export async function survey(
  { baseUrl, backends, headers }: Pick<Survey, 'baseUrl' | 'backends' | 'headers'>,
  candidates: readonly CandidateStep[] | undefined,
  tell: (text: string) => void,
  signal: AbortSignal,
): Promise<Survey> {
  const clients = connect(backends, 4)
  await allAnswer(clients, baseUrl, signal)
  const since = Date.now() - 2000
  const planned = candidates ?? (await usualSteps(baseUrl, signal))
  const harmless = planned.filter(({ obstacle }) => obstacle === undefined).slice(0, mostProbed)
  tell(`sending ${harmless.length} ${harmless.length === 1 ? 'request' : 'requests'} to ${baseUrl}, once each`)
  const sent = valuesOf(headers)
  const requests = harmless.map((step) => ({
    headers: sent,
    path: pathOf(step) + (Object.keys(step.query).length === 0 ? '' : queryText(step.query)),
  }))
  const probed = new Map(
    (await probe(baseUrl, requests, signal)).flatMap((one, n) => {
      const step = harmless[n]
      return step === undefined ? [] : [[step, one] as const]
    }),
  )
  const answered = planned.map((step) => withAnswer(step, probed.get(step), candidates !== undefined))
  const ids = [...probed.values()].filter(({ status }) => status > 0).map(({ traceId }) => traceId)
  const remarks: string[] = []
  const traces = await tracesFound(clients, ids, tell, remarks, signal)
  const written = [...probed].flatMap(([step, { traceId, status }]) => {
    const { method, route } = step
    return status === 0 ? [] : [{ traceId, method, route, path: pathOf(step), status }]
  })
  const logs = await logsFound(clients, written, since, tell, remarks, signal)
  const named = namesOf(traces)
  const jobs = await jobsFound(clients, baseUrl, named, answered, tell, remarks, signal)
  const entry = entryOf(traces, jobs.entry)
  const services = servicesOf(entry, named, jobs, logs, written.length, clients)
  const steps = answered.map((step) => {
    const trace = traces.get(probed.get(step.from)?.traceId ?? '') ?? []
    const reached = serversOf(trace)
    return routed({ ...step.step, services: reached[0] === entry ? reached : [entry] }, jobs.entry)
  })
  const unrouted = routeless(steps, jobs.entry)
  return {
    baseUrl,
    backends,
    headers,
    services: unrouted ? services.map((one) => (one.name === entry ? withoutRoute(one) : one)) : services,
    steps: unrouted ? answered.map(({ step }, n) => ({ ...step, services: steps[n]?.services ?? [entry] })) : steps,
    alertRules: await alertRulesOf(clients, signal),
    lackedAttributes: lacked(traces),
    remarks,
  }
}

function valuesOf(headers: Survey['headers']): Record<string, string> {
  const entries = Object.entries(headers).map(([name, variable]) => {
    const value = process.env[variable]
    if (!value)
      throw new UsageError(`--header names the environment variable ${variable}, which is not set: export it.`)
    return [name, value]
  })
  return Object.fromEntries(entries)
}

async function allAnswer(clients: Backends, baseUrl: string, signal: AbortSignal): Promise<void> {
  const asks = [
    fetch(baseUrl, { redirect: 'manual', signal: AbortSignal.any([signal, AbortSignal.timeout(5000)]) }).catch(() => {
      throw new Error(`${baseUrl} does not answer: is the service running, and is --url right?`)
    }),
    ...(clients.lacks('prometheus') ? [] : [clients.prometheus.version(signal)]),
    ...(clients.lacks('loki') ? [] : [clients.loki.version(signal)]),
    ...(clients.lacks('traces') ? [] : [clients.traces.services(signal)]),
    ...(clients.lacks('alertmanager') ? [] : [clients.alertmanager.version(signal)]),
  ]
  const failures = (await Promise.allSettled<unknown>(asks)).flatMap((one) => {
    if (one.status === 'fulfilled') return []
    return [one.reason instanceof Error ? one.reason.message : String(one.reason)]
  })
  signal.throwIfAborted()
  if (failures.length > 0) throw new EnvironmentError(failures.join('\n'))
}

/** The first usual path that answers well; else the first of all, with the answer that it gives. */
async function usualSteps(baseUrl: string, signal: AbortSignal): Promise<CandidateStep[]> {
  const answers = await probe(
    baseUrl,
    usualPaths.map((path) => ({ path })),
    signal,
  )
  const good = answers.findIndex(({ status }) => status >= 200 && status < 300)
  const chosen = Math.max(0, good)
  const status = answers[chosen]?.status ?? 0
  const route = usualPaths[chosen] ?? '/'
  return [{ name: 'look', method: 'GET', route, status: status === 0 ? 200 : status, parameters: {}, query: {} }]
}

interface Answered {
  readonly from: CandidateStep
  readonly step: CandidateStep
}

function withAnswer(step: CandidateStep, answer: Probed | undefined, documented: boolean): Answered {
  const no = (obstacle: string): Answered => ({ from: step, step: { ...step, obstacle } })
  if (answer === undefined)
    return step.obstacle === undefined ? no('it is one of many: enable it') : { from: step, step }
  const { status } = answer
  if (status === 0) return no('it gave no answer when it was tried')
  if (status >= 200 && status < 300) return { from: step, step: { ...step, status } }
  if (!documented) return { from: step, step: { ...step, status } }
  return no(`it answered ${status} when it was tried, not ${step.status}`)
}

async function tracesFound(
  clients: Backends,
  ids: readonly string[],
  tell: (text: string) => void,
  remarks: string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly Span[]>> {
  if (clients.lacks('traces') || ids.length === 0) return new Map()
  tell('looking for their traces')
  const found = await tracesOf(clients.traces, ids, signal)
  if (found.size === 0) remarks.push(`none of ${ids.length} requests was traced under the id that it was sent with`)
  else if (found.size < ids.length)
    remarks.push(`${found.size} of ${ids.length} requests were traced: if somebody samples, say who in traces.sampling`)
  return found
}

async function logsFound(
  clients: Backends,
  sent: readonly Sent[],
  since: number,
  tell: (text: string) => void,
  remarks: string[],
  signal: AbortSignal,
): Promise<FoundLogs[]> {
  if (clients.lacks('loki') || sent.length === 0) return []
  tell('looking for their log lines')
  const found = await discoverLogs(clients.loki, sent, since, signal)
  if (found.length === 0) remarks.push(`no log line holds the trace id of one of ${sent.length} requests`)
  return found
}

interface Jobs {
  readonly entry: FoundJob | undefined
  readonly all: readonly FoundJob[]
}

async function jobsFound(
  clients: Backends,
  baseUrl: string,
  named: readonly string[],
  steps: readonly Answered[],
  tell: (text: string) => void,
  remarks: string[],
  signal: AbortSignal,
): Promise<Jobs> {
  if (clients.lacks('prometheus')) return { entry: undefined, all: [] }
  const targets = await clients.prometheus.targets(signal)
  const at = addressOf(baseUrl)
  const entryJob =
    targets.find(({ url }) => addressOf(url) === at)?.job ??
    targets.find(({ job }) => sameName(job, named[0] ?? ''))?.job
  if (entryJob === undefined) {
    const jobs = [...new Set(targets.map(({ job }) => job))].join(', ')
    remarks.push(`Prometheus scrapes nothing at ${at}: say which of its jobs the service is: ${jobs || 'it has none'}`)
  }
  const wanted = (job: string) => job === entryJob || named.some((name) => sameName(job, name))
  const slowest = Math.max(0, ...targets.filter(({ job }) => wanted(job)).map(({ scrapeMs }) => scrapeMs))
  const sent = steps.filter(({ step }) => step.obstacle === undefined).map(({ step }) => step.route)
  tell(`waiting for the next scrape, at most ${(2 * slowest) / 1000} s`)
  const polled = await eventually(
    (attempt) => discoverJobs(clients.prometheus, ({ job }) => wanted(job), attempt),
    (jobs) => {
      const { counter } = jobs.find(({ job }) => job === entryJob) ?? {}
      return counter !== undefined && sent.every((route) => counter.routes.some((one) => sameShape(one, route)))
    },
    { withinMs: 2 * slowest + 2000, signal, isFinal, firstPauseMs: 500, longestPauseMs: 3000 },
  )
  if (polled.value === undefined) throw polled.error
  return { entry: polled.value.find(({ job }) => job === entryJob), all: polled.value }
}

/** Host and port; a loopback address has many names. */
function addressOf(url: string): string {
  const { hostname, port, protocol } = new URL(url)
  const host = ['localhost', '[::1]', '0.0.0.0'].includes(hostname) ? '127.0.0.1' : hostname
  return `${host}:${port || (protocol === 'https:' ? '443' : '80')}`
}

function sameName(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase()
}

/** Services that the probes reached as servers, the first one first. */
function namesOf(traces: ReadonlyMap<string, readonly Span[]>): string[] {
  return [...new Set([...traces.values()].flatMap(serversOf))]
}

function entryOf(traces: ReadonlyMap<string, readonly Span[]>, job: FoundJob | undefined): string {
  for (const trace of traces.values()) {
    const [first] = serversOf(trace)
    if (first !== undefined) return first
  }
  return job?.job ?? 'app'
}

function servicesOf(
  entry: string,
  named: readonly string[],
  jobs: Jobs,
  logs: readonly FoundLogs[],
  sent: number,
  clients: Backends,
): SurveyedService[] {
  return [...new Set([entry, ...named])].map((name) => {
    const job = name === entry ? jobs.entry : jobs.all.find((one) => sameName(one.job, name))
    const found = logs.find((one) => sameName(one.service, name) || one.service === job?.job)
    const remarks = [
      ...(job === undefined && !clients.lacks('prometheus')
        ? ['Prometheus scrapes no job of this name: nothing of its metrics is judged']
        : []),
      ...(job !== undefined && job.counter === undefined ? ['no counter of its requests was found'] : []),
      ...(job !== undefined && job.histogram === undefined ? ['no histogram of durations in seconds was found'] : []),
      ...(found?.logs === undefined && !clients.lacks('loki')
        ? [`its logs are not judged: ${found?.problem ?? 'no line of a stream with its name holds a trace id'}`]
        : []),
      ...(found?.logs !== undefined && name === entry && found.told < sent
        ? [
            `only ${found.told} of ${sent} requests had a line: take out the steps that it does not log, or they will fail`,
          ]
        : []),
      ...(named.includes(name) || clients.lacks('traces') ? [] : ['its traces are not judged: none was found']),
    ]
    return {
      name,
      job,
      logs: found?.logs === undefined ? undefined : found,
      traced: named.includes(name) ? name : undefined,
      remarks,
    }
  })
}

/** The step under the template that the counter knows it by. */
function routed(step: SurveyedStep, job: FoundJob | undefined): SurveyedStep {
  const { counter } = job ?? {}
  if (counter === undefined || counter.route === false || step.obstacle !== undefined) return step
  const known = counter.routes.find((route) => sameShape(route, step.route))
  if (known === undefined)
    return { ...step, obstacle: `${counter.metric} has no ${counter.route}="${step.route}" after it was tried` }
  const names = [...known.matchAll(/:(\w+)/g)].map(([, name = '']) => name)
  const values = [...step.route.matchAll(/:(\w+)/g)].map(([, name = '']) => step.parameters[name] ?? '')
  return { ...step, route: known, parameters: Object.fromEntries(names.map((name, n) => [name, values[n] ?? ''])) }
}

/** True if the counter has a label for routes, and it holds none of those that were sent. */
function routeless(steps: readonly SurveyedStep[], job: FoundJob | undefined): boolean {
  if (job?.counter === undefined || job.counter.route === false) return false
  return steps.every(({ obstacle }) => obstacle !== undefined)
}

function withoutRoute(service: SurveyedService): SurveyedService {
  const { job } = service
  if (job?.counter === undefined) return service
  const remark = `${job.counter.metric}'s label ${String(job.counter.route)} holds no route that was sent: all are counted together`
  return {
    ...service,
    job: { ...job, counter: { ...job.counter, route: false } },
    remarks: [...service.remarks, remark],
  }
}

async function alertRulesOf(clients: Backends, signal: AbortSignal): Promise<string[]> {
  if (clients.lacks('prometheus')) return []
  const rules = await clients.prometheus.rules(signal)
  return [...new Set(rules.filter(({ alerting }) => alerting).map(({ name }) => name))].sort()
}

function lacked(traces: ReadonlyMap<string, readonly Span[]>): string[] {
  const servers = [...traces.values()].flat().filter(({ kind }) => kind === 'server')
  return serverAttributes.filter((name) => servers.some(({ attributes }) => !(name in attributes)))
}
