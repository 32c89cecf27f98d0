import { EnvironmentError } from '../lib/errors.ts'
import { eventually, type Polled } from '../lib/poll.ts'
import { Alertmanager } from './backends/alertmanager.ts'
import { BackendError, Gate, isFinal, JsonClient } from './backends/http.ts'
import { JaegerHttp } from './backends/jaeger.ts'
import { JaegerGrpc } from './backends/jaeger-grpc.ts'
import { Loki } from './backends/loki.ts'
import { Prometheus } from './backends/prometheus.ts'
import type { TraceSource } from './backends/trace-source.ts'
import { Zipkin } from './backends/zipkin.ts'
import { clockOffset } from './clock.ts'
import type { BackendEndpoints, ParsedConfig } from './config.ts'
import type { Backends, Facts } from './context.ts'
import { Absent, type BackendName, jobsOf } from './coverage.ts'

/**
 * The clients of the backends that are named, sharing one gate.
 * @param queries that may be under way at once, over all backends
 * @throws UsageError for credentials that are not set
 */
export function connect(endpoints: BackendEndpoints, queries: number): Backends {
  const gate = new Gate(queries)
  const prometheus = endpoints.prometheus && new Prometheus(new JsonClient('prometheus', endpoints.prometheus, gate))
  const loki = endpoints.loki && new Loki(new JsonClient('loki', endpoints.loki, gate))
  const alertmanager =
    endpoints.alertmanager && new Alertmanager(new JsonClient('alertmanager', endpoints.alertmanager, gate))
  const clients = { prometheus, loki, alertmanager, traces: traceSource(endpoints, gate) }
  return {
    get prometheus() {
      return named('prometheus', clients.prometheus)
    },
    get loki() {
      return named('loki', clients.loki)
    },
    get traces() {
      return named('traces', clients.traces)
    },
    get alertmanager() {
      return named('alertmanager', clients.alertmanager)
    },
    lacks: (name) => clients[name] === undefined,
  }
}

function named<T>(name: BackendName, client: T | undefined): T {
  if (client === undefined) throw Absent.backend(name)
  return client
}

function traceSource({ jaeger, zipkin }: BackendEndpoints, gate: Gate): TraceSource | undefined {
  if (zipkin) return new Zipkin(new JsonClient('zipkin', zipkin, gate))
  if (!jaeger) return undefined
  const http = new JaegerHttp(new JsonClient('jaeger', jaeger, gate))
  return jaeger.grpc === undefined ? http : new JaegerGrpc(jaeger.grpc, jaeger, gate, http)
}

const titles = { jaeger: 'Jaeger', zipkin: 'Zipkin' } as const

/** One thing looked at before the load. */
export interface Finding {
  readonly what: string
  readonly ok: boolean
  /** True for what the config does not name. */
  readonly absent?: boolean
  /** Which backend was asked. */
  readonly of?: BackendName
  readonly text: string
}

/**
 * Asks each backend who it is, how often it scrapes and evaluates, and how far its clock is off.
 * @param findings filled as it goes, good and bad, so that `doctor` can show all
 * @throws EnvironmentError naming everything that does not answer
 */
export async function preflight(
  config: ParsedConfig,
  backends: Backends,
  targetUrl: string,
  signal: AbortSignal,
  findings: Finding[] = [],
): Promise<Facts> {
  const jobs = jobsOf(config)
  const look = async <T>(
    what: string,
    ask: (attempt: AbortSignal) => Promise<T>,
    tell: (value: T) => string,
    of?: BackendName,
  ): Promise<T | undefined> => {
    // A transport failure may pass; four in a row do not.
    const polled: Polled<T> = await eventually(ask, () => true, { withinMs: 6000, signal, isFinal, patience: 3 })
    if (polled.outcome === 'held' && polled.value !== undefined) {
      findings.push({ what, ok: true, text: tell(polled.value) })
      return polled.value
    }
    const { error } = polled
    const why = error instanceof Error ? error.message : 'no answer'
    // A backend's own error names it; an attempt that was cut off does not.
    const text = error instanceof BackendError ? why : `${what}: ${why}`
    findings.push({ what, ok: false, ...(of === undefined ? {} : { of }), text })
    return undefined
  }
  const lookAt = async <T>(
    backend: BackendName,
    what: string,
    ask: (attempt: AbortSignal) => Promise<T>,
    tell: (value: T) => string,
  ): Promise<T | undefined> => {
    if (!backends.lacks(backend)) return look(what, ask, tell, backend)
    const { message } = Absent.backend(backend)
    if (!findings.some(({ text }) => text === message)) findings.push({ what, ok: true, absent: true, text: message })
    return undefined
  }
  const [version, lokiVersion, , alertmanagerVersion, timing, targets, rules, clock] = await Promise.all([
    lookAt(
      'prometheus',
      'prometheus',
      (attempt) => backends.prometheus.version(attempt),
      (text) => `Prometheus ${text} at ${backends.prometheus.client.url}`,
    ),
    lookAt(
      'loki',
      'loki',
      (attempt) => backends.loki.version(attempt),
      (text) => `Loki ${text} at ${backends.loki.client.url}`,
    ),
    lookAt(
      'traces',
      backends.lacks('traces') ? 'traces' : backends.traces.name,
      (attempt) => backends.traces.services(attempt),
      (names) =>
        `${titles[backends.traces.name]} at ${backends.traces.url} knows ${names.length} ${names.length === 1 ? 'service' : 'services'}`,
    ),
    lookAt(
      'alertmanager',
      'alertmanager',
      (attempt) => backends.alertmanager.version(attempt),
      (text) => `Alertmanager ${text} at ${backends.alertmanager.client.url}`,
    ),
    lookAt(
      'alertmanager',
      'alertmanager timing',
      (attempt) => backends.alertmanager.timing(attempt),
      (t) => `group_wait ${t.groupWait / 1000} s, group_interval ${t.groupInterval / 1000} s`,
    ),
    lookAt(
      'prometheus',
      'targets',
      async (attempt) => {
        const found = await backends.prometheus.targets(attempt)
        const down = [...jobs].flatMap((job) => {
          const own = found.filter((target) => target.job === job)
          if (own.length === 0) return [`no target of job "${job}" (its jobs: ${jobNames(found)})`]
          return own
            .filter(({ up }) => !up)
            .map(({ url, lastError }) => `target ${url} of job "${job}" is down (${lastError || 'not scraped yet'})`)
        })
        if (down.length > 0)
          throw new BackendError(
            'transport',
            `Prometheus has ${down.join('; ')}: nothing could be proven of it; correct services.<name>.job, or mend the target.`,
          )
        return found
      },
      (found) => `${found.length} targets, all of the services' are up`,
    ),
    lookAt(
      'prometheus',
      'rules',
      (attempt) => backends.prometheus.rules(attempt),
      (found) => `${found.length} rules`,
    ),
    lookAt(
      'prometheus',
      'clock',
      (attempt) => clockOffset(backends.prometheus, attempt),
      ({ ms, unsureMs }) =>
        `Prometheus' clock is ${Math.round(Math.abs(ms))} ms ${ms < 0 ? 'behind' : 'ahead'}, give or take ${Math.round(unsureMs)} ms`,
    ),
    look(
      'target',
      (attempt) => answers(targetUrl, attempt),
      (status) => `${targetUrl} answers (${status})`,
    ),
  ])
  // What is not that backend at all need not say so once for each question.
  const strangers = new Set(findings.flatMap(({ ok, what, of }) => (!ok && what === of ? [of] : [])))
  const told = findings.filter(({ ok, what, of }) => ok || of === undefined || what === of || !strangers.has(of))
  findings.splice(0, findings.length, ...told)
  const bad = findings.filter(({ ok }) => !ok)
  // One that is gone is asked several things, and says the same each time.
  if (bad.length > 0) throw new EnvironmentError([...new Set(bad.map(({ text }) => text))].join('\n'))
  const own = (targets ?? []).filter(({ job }) => jobs.has(job))
  return {
    versions: {
      ...(version === undefined ? {} : { prometheus: version }),
      ...(lokiVersion === undefined ? {} : { loki: lokiVersion }),
      ...(alertmanagerVersion === undefined ? {} : { alertmanager: alertmanagerVersion }),
    },
    scrapeMs: Math.max(0, ...own.map(({ scrapeMs }) => scrapeMs)),
    scrapeTimeoutMs: Math.max(0, ...own.map(({ timeoutMs }) => timeoutMs)),
    evaluationMs: Math.max(1000, ...(rules ?? []).map(({ evaluationMs }) => evaluationMs)),
    rules: (rules ?? []).map(({ alerting }) => ({ alerting })),
    groupWaitMs: timing?.groupWait ?? 0,
    groupIntervalMs: timing?.groupInterval ?? 0,
    clockOffsetMs: Math.round(clock?.ms ?? 0),
  }
}

function jobNames(targets: readonly { readonly job: string }[]): string {
  return [...new Set(targets.map(({ job }) => job))].sort().join(', ') || 'none'
}

async function answers(url: string, signal: AbortSignal): Promise<number> {
  try {
    return (await fetch(url, { signal, redirect: 'manual' })).status
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error)
    throw new BackendError(
      'transport',
      `The target ${url} does not answer (${cause}): is the service running, and is target.url right?`,
    )
  }
}
