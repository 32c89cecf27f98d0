import { resolve } from 'node:path'
import { EnvironmentError } from '../lib/errors.ts'
import { freePorts } from '../stack/ports.ts'
import type { ServiceOptions } from '../stack/sample-services.ts'
import { type Stack, type StackOptions, type StackProgress, startStack } from '../stack/stack.ts'
import { readState, writeState } from '../stack/state.ts'
import { startWatchdog, type Watchdog } from '../stack/watchdog-client.ts'
import type { BackendEndpoints, Config } from '../validators/config.ts'
import type { BackendUrls } from '../validators/recording.ts'
import { Sink } from '../validators/sink.ts'

/** What a run is done against, and how it is given back. */
export interface RunEnvironment {
  readonly endpoints: BackendEndpoints
  readonly targetUrl: string
  readonly faultUrls: Readonly<Record<string, string>>
  readonly sink: Sink | undefined
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
  const sink = config.alerts.length > 0 ? await Sink.open(config.sinkPort ?? 0) : undefined
  const faultUrls = Object.fromEntries(
    Object.entries(config.services).flatMap(([name, { faultUrl }]) => (faultUrl ? [[name, faultUrl]] : [])),
  )
  const watchdog = startWatchdog()
  return {
    endpoints: backends,
    targetUrl: target.url,
    faultUrls,
    sink,
    watchdog,
    release: () => closeAll(sink, watchdog),
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
  const sink = await Sink.open(up.sinkPort)
  const watchdog = startWatchdog()
  return {
    endpoints: endpointsOf(up.urls),
    targetUrl: config.target?.url ?? up.urls.gateway,
    faultUrls: { ...up.urls.faults },
    sink,
    watchdog,
    release: () => closeAll(sink, watchdog),
  }
}

async function own({ config, folder, keep, signal, onProgress }: EnvironmentOptions): Promise<RunEnvironment> {
  const sink = await Sink.open(0)
  try {
    const stack = await startStack({
      ...stackFiles(config),
      folder,
      signal,
      webhookSinkUrl: sink.url,
      detached: keep,
      onProgress: ({ text }: StackProgress) => onProgress(text),
    })
    const { watchdog } = stack
    return {
      endpoints: endpointsOf(stack.urls),
      targetUrl: config.target?.url ?? stack.urls.gateway,
      faultUrls: { ...stack.urls.faults },
      sink,
      watchdog,
      stack,
      release: async (leaveUp) => {
        if (keep && leaveUp) await writeState(config.folder, stack, folder, Number(new URL(sink.url).port))
        else await stack.stop()
        await closeAll(sink, watchdog)
      },
    }
  } catch (error) {
    await sink.close()
    throw error
  }
}

async function closeAll(sink: Sink | undefined, watchdog: Watchdog): Promise<void> {
  await sink?.close()
  await watchdog.bye()
}

/** Starts the stack alone; it outlives this process. The sink's port is chosen now, since Alertmanager must know it. */
export async function bringUp(
  config: Config,
  folder: string,
  signal: AbortSignal,
  onProgress: (text: string) => void,
): Promise<void> {
  const [sinkPort = 0] = await freePorts(1)
  const stack = await startStack({
    ...stackFiles(config),
    folder,
    signal,
    detached: true,
    webhookSinkUrl: `http://127.0.0.1:${sinkPort}/`,
    onProgress: ({ text }) => onProgress(text),
  })
  await writeState(config.folder, stack, folder, sinkPort)
  await stack.watchdog.bye()
}

function stackFiles({ stack, folder }: Config): Pick<StackOptions, 'rules' | 'templates' | keyof ServiceOptions> {
  const path = (file: string | undefined) => (file === undefined ? undefined : resolve(folder, file))
  const { rules, alertmanager, collector, loki, prometheus, instances, sampling, zipkinUrl } = stack
  return {
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
    prometheus: endpoint(prometheus),
    loki: endpoint(loki),
    alertmanager: endpoint(alertmanager, true),
    // Half of what muster's Jaeger keeps.
    jaeger: jaeger === undefined ? undefined : { ...endpoint(jaeger), grpc: jaegerGrpc, limit: 100_000 },
    zipkin: zipkin === undefined ? undefined : endpoint(zipkin, true),
  }
}
