import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { EnvironmentError } from '../lib/errors.ts'
import type { SinkPorts } from './backends.ts'
import { alive, endProcess } from './identity.ts'
import { endedFirst, launchService } from './sample-services.ts'
import type { Stack } from './stack.ts'
import { endInReverse, Supervisor } from './supervisor.ts'

const stateSchema = z.object({
  version: z.literal(1),
  /** Epoch milliseconds. */
  startedAt: z.number(),
  /** The stack's folder. */
  folder: z.string(),
  logs: z.string(),
  /** The loopback ports that Alertmanager delivers to, by HTTP and by SMTP; a run listens there. */
  sinkPort: z.number().int(),
  sinkSmtpPort: z.number().int().default(0),
  urls: z.object({
    prometheus: z.url(),
    loki: z.url(),
    jaeger: z.url(),
    jaegerGrpc: z.string(),
    alertmanager: z.url(),
    collectorOtlp: z.url(),
    collectorMetrics: z.url(),
    gateway: z.url(),
    todos: z.url(),
    webhooks: z.url(),
    faults: z.object({ gateway: z.url(), todos: z.url(), webhooks: z.url() }).catchall(z.url()),
  }),
  processes: z.array(z.object({ name: z.string(), pid: z.number().int().positive(), startTime: z.string() })),
  /** How each process of the sample services is started. */
  services: z
    .array(
      z.object({
        name: z.string(),
        file: z.string(),
        args: z.array(z.string()).readonly(),
        env: z.record(z.string(), z.string()),
      }),
    )
    .readonly()
    .default([]),
})

/** A stack that `muster up` left running, as `run`, `status` and `down` find it. */
export type StackState = z.infer<typeof stateSchema>

/** Where a project's state lies. */
function statePath(project: string): string {
  return join(project, '.muster', 'stack.json')
}

/** Writes the state of a detached stack, whole or not at all. */
export async function writeState(project: string, stack: Stack, folder: string, sinks: SinkPorts): Promise<StackState> {
  const state: StackState = {
    version: 1,
    startedAt: Date.now(),
    folder,
    logs: stack.logs,
    sinkPort: sinks.http,
    sinkSmtpPort: sinks.smtp,
    urls: stack.urls,
    processes: [...stack.processes],
    services: stack.services,
  }
  await save(project, state)
  return state
}

async function save(project: string, state: StackState): Promise<void> {
  const path = statePath(project)
  await mkdir(dirname(path), { recursive: true })
  const unfinished = `${path}.${process.pid}`
  await writeFile(unfinished, `${JSON.stringify(state, null, 2)}\n`)
  await rename(unfinished, path)
}

/**
 * Ends a sample service (`todos`, `todos-2`) of the stack that is up in a project, starts it again on the same ports as
 * the same instance, and records it. Resolves when it is ready.
 * @param how `kill`: without a chance to finish its requests or to flush its telemetry
 * Throws EnvironmentError if it does not start.
 */
export async function restartService(
  project: string,
  name: string,
  { kill = false }: { readonly kill?: boolean } = {},
): Promise<void> {
  const state = await readState(project)
  const command = state?.services.find((candidate) => candidate.name === name)
  if (!state || !command) throw new EnvironmentError(`No stack with a service ${name} is up: start it with muster up.`)
  const { dead: _, ...kept } = state
  const others = kept.processes.filter((process) => process.name !== name)
  const running = kept.processes.find((process) => process.name === name)
  if (running) await endProcess(running, kill ? 'SIGKILL' : 'SIGTERM')
  const supervisor = new Supervisor({ logs: state.logs, detached: true })
  try {
    await launchService(supervisor, command)
  } finally {
    await save(project, { ...kept, processes: [...others, ...supervisor.processes] })
  }
}

/**
 * The stack that is up in a project, and the names of its processes that have died; undefined if there is none, none of
 * its processes is left, or the file is not one of this version.
 */
export async function readState(project: string): Promise<(StackState & { readonly dead: string[] }) | undefined> {
  const text = await readFile(statePath(project), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const state = parse(text)
  if (!state) return undefined
  const dead = state.processes.filter((process) => !alive(process)).map(({ name }) => name)
  return dead.length === state.processes.length ? undefined : { ...state, dead }
}

function parse(text: string): StackState | undefined {
  try {
    return stateSchema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

/** Stops a stack that `up` left running, removes its data and its state. False if there was none. */
export async function stopState(project: string): Promise<boolean> {
  const state = await readState(project)
  if (state) {
    await endInReverse(state.processes, endedFirst(state.services))
    await rm(join(state.folder, 'data'), { recursive: true, force: true })
  }
  await rm(statePath(project), { force: true })
  return state !== undefined
}
