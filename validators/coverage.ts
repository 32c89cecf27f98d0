import type { Check } from './check.ts'
import type { ParsedConfig, Service } from './config.ts'
import type { Backends } from './context.ts'
import { type LogFact, tells } from './log-format.ts'

/** What a config may leave out, as the reason tells it. */
const backendWords = {
  prometheus: 'the config names no Prometheus (backends.prometheus)',
  loki: 'the config names no Loki (backends.loki)',
  traces: 'the config names no source of traces (backends.jaeger or backends.zipkin)',
  alertmanager: 'the config names no Alertmanager (backends.alertmanager)',
} as const
export type BackendName = keyof typeof backendWords

/** Something that the config does not name was needed; a check that meets it is skipped, and the message is the reason. */
export class Absent extends Error {
  override readonly name = 'Absent'

  static backend(name: BackendName): Absent {
    return new Absent(backendWords[name])
  }
}

/** The service's logs. @throws Absent if it has none */
export function logsOf({ logs }: Pick<Service, 'logs'>): NonNullable<Service['logs']> {
  if (logs === undefined) throw new Absent('the config names no logs of a service that is needed')
  return logs
}

/** @throws Absent if no line of the service tells any of these */
export function needFacts(service: Pick<Service, 'logs'>, ...facts: readonly LogFact[]): void {
  if (!tells(logsOf(service), ...facts))
    throw new Absent(`its log lines do not tell ${facts.join(' or ')} (logs.names)`)
}

/** The service's name in traces. @throws Absent if it has none */
export function tracedAs({ traces }: Pick<Service, 'traces'>): string {
  if (traces === undefined) throw new Absent('the config names no traces of a service that is needed')
  return traces.service
}

/** Prometheus' job. @throws Absent if there is none */
export function jobOf({ job }: Pick<Service, 'job'>): string {
  if (job === undefined) throw new Absent('the config names no job of a service that is needed')
  return job
}

/** The metric that counts requests. @throws Absent if there is none */
export function counterOf({ requests }: Pick<Service, 'requests'>): string {
  if (requests.metric === undefined) throw new Absent('the config names no counter of requests')
  return requests.metric
}

/** The histogram of durations, without `_bucket`. @throws Absent if there is none */
export function durationOf({ duration }: Pick<Service, 'duration'>): string {
  if (duration === undefined) throw new Absent('the config names no histogram of durations')
  return duration
}

/** The jobs of all services that have one. */
export function jobsOf({ services }: Pick<ParsedConfig, 'services'>): ReadonlySet<string> {
  return new Set(Object.values(services).flatMap(({ job }) => (job === undefined ? [] : [job])))
}

type Covered = 'metrics' | 'logs' | 'traces'

/** Why nothing of a service can be judged in one of these signals; undefined: it can be. The first signal that lacks decides. */
export function whyUnjudged(
  { config, backends }: { readonly config: ParsedConfig; readonly backends: Pick<Backends, 'lacks'> },
  name: string,
  ...signals: readonly Covered[]
): string | undefined {
  for (const signal of signals) {
    const backend = signal === 'metrics' ? 'prometheus' : signal === 'logs' ? 'loki' : 'traces'
    if (backends.lacks(backend)) return backendWords[backend]
    const service = config.services[name]
    const key = signal === 'metrics' ? 'job' : signal
    if (service?.[key] === undefined) return `services.${name} names no ${key}`
  }
  return undefined
}

/**
 * What becomes of checks that cannot be put: the first of them is skipped in the name of all, so that their absence is seen
 * once. Without a reason they are put.
 */
export function unlessAbsent(reason: string | undefined, checks: readonly Check[]): readonly Check[] {
  const [first, ...others] = checks
  if (reason === undefined || first === undefined) return checks
  const more = others.length === 0 ? '' : `; ${others.length} more of its checks are left out`
  return [{ ...first, skip: `${reason}${more}` }]
}
