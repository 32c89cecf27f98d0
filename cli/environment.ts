import { resolve } from 'node:path'
import { EnvironmentError } from '../lib/errors.ts'
import { freePorts } from '../stack/ports.ts'
import type { ServiceOptions } from '../stack/sample-services.ts'
import { type Stack, type StackOptions, type StackProgress, startStack } from '../stack/stack.ts'
import { readState, writeState } from '../stack/state.ts'
import { startWatchdog, type Watchdog } from '../stack/watchdog-client.ts'
import type { BackendEndpoints, Config } from '../validators/config.ts'
import type { BackendUrls } from '../validators/recording.ts'
import { Sinks } from '../validators/sinks/sinks.ts'

/** What a run is done against, and how it is given back. */
export interface RunEnvironment {
  readonly endpoints: BackendEndpoints
  readonly targetUrl: string
  readonly faultUrls: Readonly<Record<string, string>>
  readonly sinks: Sinks | undefined
  readonly watchdog: Watchdog
  /** The stack that this run started; absent if it uses another. */
  readonly stack?: Stack
  release(leaveUp: boolean): Promise<void>
}

export interface EnvironmentOptions {
  readonly config: Config
  /** The run's report folder. */
  readonly folder: string
  readonly keep: boolean
  readonly signal: AbortSignal
  readonly onProgress: (text: string) => void
}

/** The user's own backends, the stack that `up` left, or a stack of this run's own, in this order. */
export async function openEnvironment(options: EnvironmentOptions): Promise<RunEnvironment> {
  if (options.config.backends) return external(options)
  const up = await readState(options.config.folder)
  if (up) return existing(options, up)
  return own(options)
}

async function external({ config }: EnvironmentOptions): Promise<RunEnvironment> {
  const { backends, target } = config
  if (!backends || !target) throw new Error('unreachable: the config was checked')
  const ports = { http: config.sinkPort, smtp: config.sinkSmtpPort, smtps: config.sinkSmtpsPort }
  const sinks = config.alerts.length > 0 ? await Sinks.open(ports) : undefined
  const faultUrls = Object.fromEntries(
    Object.entries(config.services).flatMap(([name, { faultUrl }]) => (faultUrl ? [[name, faultUrl]] : [])),
  )
  const watchdog = startWatchdog()
  return {
    endpoints: backends,
    targetUrl: target.url,
    faultUrls,
    sinks,
    watchdog,
    release: () => closeAll(sinks, watchdog),
  }
}

async function existing(
  { config }: EnvironmentOptions,
  up: NonNullable<Awaited<ReturnType<typeof readState>>>,
): Promise<RunEnvironment> {
  if (up.dead.length > 0) {
    throw new EnvironmentError(
      `The stack that is up has lost ${up.dead.join(', ')}: end it with muster down, and start it again with muster up.`,
    )
  }
  const sinks = await Sinks.open({ http: up.sinkPort, smtp: up.sinkSmtpPort })
  const watchdog = startWatchdog()
  return {
    endpoints: endpointsOf(up.urls),
    targetUrl: config.target?.url ?? up.urls.gateway,
    faultUrls: { ...up.urls.faults },
    sinks,
    watchdog,
    release: () => closeAll(sinks, watchdog),
  }
}

async function own({ config, folder, keep, signal, onProgress }: EnvironmentOptions): Promise<RunEnvironment> {
  const sinks = await Sinks.open()
  const ports = { http: sinks.httpPort, smtp: sinks.smtpPort }
  try {
    const stack = await startStack({
      ...stackFiles(config),
      folder,
      signal,
      sinks: ports,
      detached: keep,
      onProgress: ({ text }: StackProgress) => onProgress(text),
    })
    const { watchdog } = stack
    return {
      endpoints: endpointsOf(stack.urls),
      targetUrl: config.target?.url ?? stack.urls.gateway,
      faultUrls: { ...stack.urls.faults },
      sinks,
      watchdog,
      stack,
      release: async (leaveUp) => {
        if (keep && leaveUp) await writeState(config.folder, stack, folder, ports)
        else await stack.stop()
        await closeAll(sinks, watchdog)
      },
    }
  } catch (error) {
    await sinks.close()
    throw error
  }
}

async function closeAll(sinks: Sinks | undefined, watchdog: Watchdog): Promise<void> {
  await sinks?.close()
  await watchdog.bye()
}

/** Starts the stack alone; it outlives this process. The sinks' ports are chosen now, since Alertmanager must know them. */
export async function bringUp(
  config: Config,
  folder: string,
  signal: AbortSignal,
  onProgress: (text: string) => void,
): Promise<void> {
  const [http = 0, smtp = 0] = await freePorts(2)
  const sinks = { http, smtp }
  const stack = await startStack({
    ...stackFiles(config),
    folder,
    signal,
    detached: true,
    sinks,
    onProgress: ({ text }) => onProgress(text),
  })
  await writeState(config.folder, stack, folder, sinks)
  await stack.watchdog.bye()
}

function stackFiles({
  stack,
  slos,
  folder,
}: Config): Pick<StackOptions, 'profile' | 'objectives' | 'rules' | 'templates' | keyof ServiceOptions> {
  const path = (file: string | undefined) => (file === undefined ? undefined : resolve(folder, file))
  const { profile, rules, alertmanager, collector, loki, prometheus, instances, sampling, zipkinUrl } = stack
  return {
    profile,
    // Without objectives their rules would watch over nothing that anybody has promised.
    objectives: slos.length > 0,
    rules: path(rules),
    templates: {
      alertmanager: path(alertmanager),
      collector: path(collector),
      loki: path(loki),
      prometheus: path(prometheus),
    },
    instances,
    sampling,
    zipkinUrl,
  }
}

/** Muster's own backends want no credentials; built from their modules, Prometheus and Jaeger have no web pages. */
export function endpointsOf({
  prometheus,
  loki,
  alertmanager,
  jaeger,
  jaegerGrpc,
  zipkin,
}: BackendUrls): BackendEndpoints {
  const endpoint = (url: string, ui = false) => ({ url, ui, timeoutMs: 5000 })
  return {
    prometheus: prometheus === undefined ? undefined : endpoint(prometheus),
    loki: loki === undefined ? undefined : endpoint(loki),
    alertmanager: alertmanager === undefined ? undefined : endpoint(alertmanager, true),
    // Half of what muster's Jaeger keeps.
    jaeger: jaeger === undefined ? undefined : { ...endpoint(jaeger), grpc: jaegerGrpc, limit: 100_000 },
    zipkin: zipkin === undefined ? undefined : endpoint(zipkin, true),
  }
}
