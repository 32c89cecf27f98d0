import { mkdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { type Backend, backendBinaries, configureBackends, type Ports, portNames } from './backends.ts'
import { type ObtainProgress, obtain } from './obtain.ts'
import { freePorts } from './ports.ts'
import { type Command, type ExitInfo, PortTakenError, type Supervised, Supervisor } from './supervisor.ts'
import { startWatchdog, type Watchdog } from './watchdog-client.ts'

const readyWithinMs = 30_000
const attempts = 3

const serviceNames = ['gateway', 'todos', 'webhooks'] as const
export type ServiceName = (typeof serviceNames)[number]

export interface StackUrls {
  readonly prometheus: string
  readonly loki: string
  readonly jaeger: string
  readonly alertmanager: string
  /** OTLP over HTTP, without `/v1/...`. */
  readonly collectorOtlp: string
  /** The collector's own metrics, with `/metrics`. */
  readonly collectorMetrics: string
  /** Where the sample services are, or, with `services: false`, would be. */
  readonly gateway: string
  readonly todos: string
  readonly webhooks: string
  /** The services' fault ports. */
  readonly faults: Readonly<Record<ServiceName, string>>
}

export type StackProgress =
  | { readonly phase: 'obtain'; readonly obtain: ObtainProgress; readonly text: string }
  | { readonly phase: 'start' | 'ready'; readonly name: string; readonly elapsedMs: number; readonly text: string }

export interface StackOptions {
  /** Everything of the stack goes here: `config/`, `data/`, `logs/`. */
  readonly folder: string
  readonly signal?: AbortSignal | undefined
  /** Alert rules instead of the stack's own. */
  readonly rules?: string | undefined
  /** Alertmanager template instead of the stack's own; may use `${SINK_WEBHOOKS}`. */
  readonly alertmanagerConfig?: string | undefined
  /** Where Alertmanager delivers to; without it nothing is delivered. */
  readonly webhookSinkUrl?: string | undefined
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
  const ports = await choosePorts()
  const services = options.services ?? true
  const backends = await configureBackends(binaries, { ...options, folder, ports, services })

  const watchdog = startWatchdog()
  watchdog.folder(data)
  const supervisor = new Supervisor({
    logs,
    detached: options.detached ?? false,
    onStart: ({ pid }) => watchdog.add(pid, 'process'),
  })
  const stop = async () => {
    await supervisor.stop()
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
  const urls = urlsOf(ports)
  try {
    // Prometheus starts when there is something to scrape: no target has a history of being down, and no alert of it.
    const first = services ? backends.filter(({ command }) => command.name !== 'prometheus') : backends
    await allOrStop([
      ...first.map(launchBackend),
      ...(services ? serviceCommands(urls, ports, data) : []).map((command) =>
        launch(command, (log) => saysReady(log())),
      ),
    ])
    await allOrStop(backends.filter((backend) => !first.includes(backend)).map(launchBackend))
    if (services) {
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
    exited: (name) => supervisor.exited(name),
    kill: (name) => supervisor.kill(name),
    stop,
  }
}

async function choosePorts(): Promise<Ports> {
  const free = await freePorts(portNames.length)
  return Object.fromEntries(portNames.map((name, index) => [name, free[index] ?? 0])) as Ports
}

function urlsOf(ports: Ports): StackUrls {
  const url = (port: number) => `http://127.0.0.1:${port}`
  return {
    prometheus: url(ports.prometheus),
    loki: url(ports.loki),
    jaeger: url(ports.jaeger),
    alertmanager: url(ports.alertmanager),
    collectorOtlp: url(ports.collector),
    collectorMetrics: `${url(ports.collectorMetrics)}/metrics`,
    gateway: url(ports.gateway),
    todos: url(ports.todos),
    webhooks: url(ports.webhooks),
    faults: { gateway: url(ports.gatewayFaults), todos: url(ports.todosFaults), webhooks: url(ports.webhooksFaults) },
  }
}

function serviceCommands(urls: StackUrls, ports: Ports, data: string): Command[] {
  const faultPorts = { gateway: ports.gatewayFaults, todos: ports.todosFaults, webhooks: ports.webhooksFaults }
  return serviceNames.map((name) => ({
    name,
    file: process.execPath,
    args: ['--import', import.meta.resolve('tsx'), fileURLToPath(new URL(`../services/${name}.ts`, import.meta.url))],
    env: {
      PORT: String(ports[name]),
      FAULT_PORT: String(faultPorts[name]),
      OTLP_URL: urls.collectorOtlp,
      SERVICE_NAME: name,
      INSTANCE: `${name}-1`,
      DATABASE: join(data, 'todos.sqlite'),
      ...(name === 'gateway' && { TODOS_URL: urls.todos }),
    },
  }))
}

async function allAnswer(urls: readonly string[]): Promise<true | undefined> {
  for (const url of urls) if (!(await answers(url))) return undefined
  return true
}

async function answers(url: string): Promise<true | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(1000) })
    await response.arrayBuffer()
    return response.status === 200 ? true : undefined
  } catch {
    return undefined
  }
}

const readyLine = z.object({ ready: z.literal(true), port: z.number() })

function saysReady(log: string): true | undefined {
  for (const line of log.split('\n')) {
    if (line.includes('"ready"') && readyLine.safeParse(parseJson(line)).success) return true
  }
  return undefined
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
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
