import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { Ports } from './backends.ts'
import type { Command, Supervisor } from './supervisor.ts'

const readyWithinMs = 30_000

export const serviceNames = ['gateway', 'todos', 'webhooks'] as const
export type ServiceName = (typeof serviceNames)[number]

/** How the sample services are run, if not one of each with every trace sampled as its caller says. */
export interface ServiceOptions {
  /** Instances of todos, which share a database; the gateway sends to them in turn. Default 1. */
  readonly instances?: { readonly todos?: number | undefined } | undefined
  /** The share of traces that a service samples by its own decision. */
  readonly sampling?: Readonly<Partial<Record<ServiceName, number | undefined>>> | undefined
  /** A Zipkin server that the services send their spans to, instead of to the collector. */
  readonly zipkinUrl?: string | undefined
}

/** One process of a sample service. The first of a service bears its name, the second `todos-2`. */
export interface SampleService {
  readonly name: string
  readonly service: ServiceName
  readonly port: number
  readonly faultPort: number
}

/** The ports of a further instance. */
export type MorePorts = Pick<SampleService, 'port' | 'faultPort'>

/** A service's command with its settings: all that it takes to start it again. */
export type ServiceCommand = Command & Required<Pick<Command, 'env'>>

/** All processes of the sample services; `moreTodos` are the instances of todos after the first. */
export function sampleServices(ports: Ports, moreTodos: readonly MorePorts[]): SampleService[] {
  const faultPorts = { gateway: ports.gatewayFaults, todos: ports.todosFaults, webhooks: ports.webhooksFaults }
  return [
    ...serviceNames.map((name) => ({ name, service: name, port: ports[name], faultPort: faultPorts[name] })),
    ...moreTodos.map((more, index) => ({ name: `todos-${index + 2}`, service: 'todos' as const, ...more })),
  ]
}

/** @param data the folder for the services' database */
export function serviceCommands(
  services: readonly SampleService[],
  { otlpUrl, data, sampling = {}, zipkinUrl }: ServiceOptions & { otlpUrl: string; data: string },
): ServiceCommand[] {
  const todos = services.filter(({ service }) => service === 'todos')
  return services.map(({ name, service, port, faultPort }) => {
    const ratio = sampling[service]
    return {
      name,
      file: process.execPath,
      args: [
        '--import',
        import.meta.resolve('tsx'),
        fileURLToPath(new URL(`../services/${service}.ts`, import.meta.url)),
      ],
      env: {
        PORT: String(port),
        FAULT_PORT: String(faultPort),
        OTLP_URL: otlpUrl,
        SERVICE_NAME: service,
        INSTANCE: name === service ? `${service}-1` : name,
        DATABASE: join(data, 'todos.sqlite'),
        ...(service === 'gateway' && { TODOS_URL: todos.map(({ port }) => `http://127.0.0.1:${port}`).join(',') }),
        ...(zipkinUrl !== undefined && { ZIPKIN_URL: zipkinUrl }),
        ...(ratio !== undefined && { SAMPLE_RATIO: String(ratio) }),
      },
    }
  })
}

/** Who must be gone before the collector is told to end: the services, which flush into it, and who keeps asking them. */
export function endedFirst(services: readonly Pick<Command, 'name'>[]): string[] {
  return ['prometheus', ...services.map(({ name }) => name)]
}

/**
 * Starts a service and resolves when it says that it is ready; with its earlier process gone, on the same ports.
 * Throws EnvironmentError if it ends first, or is not ready in time.
 */
export async function launchService(supervisor: Supervisor, command: Command, signal?: AbortSignal): Promise<void> {
  supervisor.start(command)
  await supervisor.ready(command.name, (log) => saysReady(log()), { withinMs: readyWithinMs, signal })
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
