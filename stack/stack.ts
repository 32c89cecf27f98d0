import { mkdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import {
  type Backend,
  backendBinaries,
  configureBackends,
  type Ports,
  portNames,
  type SinkPorts,
  type TemplateName,
} from './backends.ts'
import { type ObtainProgress, obtain } from './obtain.ts'
import { freePorts } from './ports.ts'
import { answers } from './probe.ts'
import type { StackProfile } from './profile.ts'
import {
  endedFirst,
  launchService,
  type MorePorts,
  type SampleService,
  type ServiceCommand,
  type ServiceName,
  type ServiceOptions,
  sampleServices,
  serviceCommands,
} from './sample-services.ts'
import { type Command, type ExitInfo, PortTakenError, type Supervised, Supervisor } from './supervisor.ts'
import { startWatchdog, type Watchdog } from './watchdog-client.ts'

const readyWithinMs = 30_000
const attempts = 3

export interface StackUrls {
  readonly prometheus: string
  readonly loki: string
  readonly jaeger: string
  /** host:port of Jaeger's query API over gRPC. */
  readonly jaegerGrpc: string
  readonly alertmanager: string
  /** OTLP over HTTP, without `/v1/...`. */
  readonly collectorOtlp: string
  /** The collector's own metrics, with `/metrics`. */
  readonly collectorMetrics: string
  /** Where the sample services are, or, with `services: false`, would be. */
  readonly gateway: string
  readonly todos: string
  readonly webhooks: string
  /** The services' fault ports; `todos` is its first instance, `todos-2` the second. */
  readonly faults: Readonly<Record<ServiceName, string>> & Readonly<Record<string, string>>
}

export type StackProgress =
  | { readonly phase: 'obtain'; readonly obtain: ObtainProgress; readonly text: string }
  | { readonly phase: 'start' | 'ready'; readonly name: string; readonly elapsedMs: number; readonly text: string }

export interface StackOptions extends ServiceOptions {
  /** Everything of the stack goes here: `config/`, `data/`, `logs/`. */
  readonly folder: string
  readonly signal?: AbortSignal | undefined
  /** False: without the burn-rate rules of the stack's own objectives. */
  readonly objectives?: boolean | undefined
  /** Alert rules instead of the stack's own. */
  readonly rules?: string | undefined
  /** Files instead of the stack's own templates, with the same `${NAMES}` to be filled in. */
  readonly templates?: Readonly<Partial<Record<TemplateName, string | undefined>>> | undefined
  /** Where Alertmanager delivers to; without them nothing is delivered. */
  readonly sinks?: SinkPorts | undefined
  /** Default `quick`: shortened times, so that the trial of an alert takes seconds. */
  readonly profile?: StackProfile | undefined
  /** Default true: start the sample services too. */
  readonly services?: boolean | undefined
  readonly onProgress?: ((progress: StackProgress) => void) | undefined
  /** The stack outlives this process once its watchdog has been sent away by `bye`: for `up`. Default false. */
  readonly detached?: boolean | undefined
}

export interface Stack {
  readonly urls: StackUrls
  readonly processes: readonly Supervised[]
  /** Folder with one log file a process. */
  readonly logs: string
  /** Ends the stack if this process dies. */
  readonly watchdog: Watchdog
  /** How a process ended that nobody stopped; undefined while it runs. */
  exited(name: string): ExitInfo | undefined
  /** Stops all in reverse order and removes the data. May be called twice. */
  stop(): Promise<void>
  /** How each process of the sample services is started. */
  readonly services: readonly ServiceCommand[]
  /**
   * Ends a sample service (`todos`, `todos-2`) and starts it again on the same ports; resolves when it is ready.
   * @param how `kill`: without a chance to finish its requests or to flush its telemetry
   */
  restart(name: string, how?: { readonly kill?: boolean }): Promise<void>
  /** Kills one process at once: a test of its loss. */
  kill(name: string): void
}

/**
 * Obtains the backends and starts them, and the sample services, on free loopback ports; resolves when all are ready
 * and Prometheus has scraped every target. On failure or abortion nothing is left running.
 * Throws EnvironmentError with the end of the log of what did not start; the signal's reason when aborted.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const obtained = (progress: ObtainProgress) =>
    options.onProgress?.({ phase: 'obtain', obtain: progress, text: progress.text })
  const binaries = await obtain([...backendBinaries], { signal: options.signal, onProgress: obtained })
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(binaries, options)
    } catch (error) {
      // Between finding a port and using it somebody else may have taken it.
      if (!(error instanceof PortTakenError) || attempt === attempts) throw error
    }
  }
}

async function startOnce(
  binaries: Readonly<Record<(typeof backendBinaries)[number], string>>,
  options: StackOptions,
): Promise<Stack> {
  options.signal?.throwIfAborted()
  const folder = resolve(options.folder)
  const [data, logs] = [join(folder, 'data'), join(folder, 'logs')]
  await mkdir(data, { recursive: true })
  const { ports, moreTodos } = await choosePorts((options.instances?.todos ?? 1) - 1)
  const withServices = options.services ?? true
  const samples = sampleServices(ports, moreTodos)
  const scraped = withServices ? samples : []
  const backends = await configureBackends(binaries, { ...options, folder, ports, scraped })

  const watchdog = startWatchdog()
  watchdog.folder(data)
  const supervisor = new Supervisor({
    logs,
    detached: options.detached ?? false,
    onStart: ({ pid }) => watchdog.add(pid, 'process'),
  })
  const stop = async () => {
    await supervisor.stop(endedFirst(samples))
    await rm(data, { recursive: true, force: true })
    await watchdog.bye()
  }

  const began = performance.now()
  const say = (phase: 'start' | 'ready', name: string) => {
    const elapsedMs = performance.now() - began
    const text = phase === 'start' ? `starting ${name}` : `${name} is ready after ${Math.round(elapsedMs)} ms`
    options.onProgress?.({ phase, name, elapsedMs, text })
  }
  // The first failure ends the others' waiting; all must have come to rest before stopping begins.
  const failed = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, failed.signal]) : failed.signal
  const allOrStop = async (launches: readonly Promise<void>[]) => {
    const noted = launches.map((launched) => launched.catch((error: unknown) => failed.abort(error)))
    await Promise.all(noted)
    signal.throwIfAborted()
  }
  const launch = async (command: Command, probe: Parameters<typeof supervisor.ready>[1]) => {
    say('start', command.name)
    supervisor.start(command)
    await supervisor.ready(command.name, probe, { withinMs: readyWithinMs, signal })
    say('ready', command.name)
  }
  const launchBackend = ({ command, readyUrls }: Backend) => launch(command, () => allAnswer(readyUrls))
  const urls = urlsOf(ports, samples)
  const services = withServices ? serviceCommands(samples, { ...options, otlpUrl: urls.collectorOtlp, data }) : []
  const launchSample = async (command: ServiceCommand) => {
    say('start', command.name)
    await launchService(supervisor, command, signal)
    say('ready', command.name)
  }
  try {
    // Prometheus starts when there is something to scrape: no target has a history of being down, and no alert of it.
    const first = withServices ? backends.filter(({ command }) => command.name !== 'prometheus') : backends
    await allOrStop([...first.map(launchBackend), ...services.map(launchSample)])
    await allOrStop(backends.filter((backend) => !first.includes(backend)).map(launchBackend))
    if (withServices) {
      const probe = () => allTargetsUp(urls.prometheus)
      await supervisor.ready('prometheus', probe, { withinMs: readyWithinMs, signal: options.signal })
      say('ready', 'every scrape target')
    }
  } catch (error) {
    await stop()
    throw error
  }
  return {
    urls,
    processes: supervisor.processes,
    logs,
    watchdog,
    services,
    restart: async (name, { kill = false } = {}) => {
      const command = services.find((candidate) => candidate.name === name)
      if (!command) throw new Error(`the stack has no sample service ${name}`)
      await supervisor.stopOne(name, kill ? 'SIGKILL' : 'SIGTERM')
      await launchService(supervisor, command)
    },
    exited: (name) => supervisor.exited(name),
    kill: (name) => supervisor.kill(name),
    stop,
  }
}

async function choosePorts(moreTodos: number): Promise<{ ports: Ports; moreTodos: MorePorts[] }> {
  const free = await freePorts(portNames.length + 2 * moreTodos)
  const port = (index: number) => free[index] ?? 0
  return {
    ports: Object.fromEntries(portNames.map((name, index) => [name, port(index)])) as Ports,
    moreTodos: Array.from({ length: moreTodos }, (_, index) => {
      const first = portNames.length + 2 * index
      return { port: port(first), faultPort: port(first + 1) }
    }),
  }
}

function urlsOf(ports: Ports, samples: readonly SampleService[]): StackUrls {
  const url = (port: number) => `http://127.0.0.1:${port}`
  return {
    prometheus: url(ports.prometheus),
    loki: url(ports.loki),
    jaeger: url(ports.jaeger),
    jaegerGrpc: `127.0.0.1:${ports.jaegerGrpc}`,
    alertmanager: url(ports.alertmanager),
    collectorOtlp: url(ports.collector),
    collectorMetrics: `${url(ports.collectorMetrics)}/metrics`,
    gateway: url(ports.gateway),
    todos: url(ports.todos),
    webhooks: url(ports.webhooks),
    faults: {
      ...Object.fromEntries(samples.map(({ name, faultPort }) => [name, url(faultPort)])),
      gateway: url(ports.gatewayFaults),
      todos: url(ports.todosFaults),
      webhooks: url(ports.webhooksFaults),
    },
  }
}

async function allAnswer(urls: readonly string[]): Promise<true | undefined> {
  for (const url of urls) if (!(await answers(url))) return undefined
  return true
}

const targetsAnswer = z.object({ data: z.object({ activeTargets: z.array(z.object({ health: z.string() })) }) })

async function allTargetsUp(prometheus: string): Promise<true | undefined> {
  try {
    const response = await fetch(`${prometheus}/api/v1/targets?state=active`, { signal: AbortSignal.timeout(1000) })
    const { activeTargets } = targetsAnswer.parse(await response.json()).data
    return activeTargets.length > 0 && activeTargets.every(({ health }) => health === 'up') ? true : undefined
  } catch {
    return undefined
  }
}
