/**
 * The watchdog, a detached process that holds the reading end of a pipe. Its parent tells it what it started; when the
 * pipe ends without a `bye`, the parent is dead (SIGKILL included) and the watchdog clears up: first k6, so that no load
 * goes on, then faults, then all other processes, then the folders of data it was told of. Nothing else is touched.
 */
import { rm } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import type { Action } from '../lib/action.ts'
import { perform } from './action.ts'
import { alive, endProcess, type Identity } from './identity.ts'
import { type WatchdogMessage, watchdogMessage } from './watchdog-message.ts'

const graceMs = 5000
/** A service that was killed meanwhile must not keep the rest waiting. */
const liftTimeoutMs = 10_000

const processes: { readonly k6: Identity[]; readonly process: Identity[] } = { k6: [], process: [] }
const faults = new Map<number, Action>()
const folders = new Set<string>()

// Whatever ends the parent may be sent to this process too; it goes when the pipe ends, which is soon after.
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) process.on(signal, () => {})

for await (const line of createInterface({ input: process.stdin })) {
  const message = parse(line)
  if (!message) continue
  if ('bye' in message) process.exit(0)
  obey(message)
}
await clearUp()

function parse(line: string): WatchdogMessage | undefined {
  try {
    return watchdogMessage.safeParse(JSON.parse(line)).data
  } catch {
    // A line cut off by the parent's death.
    return undefined
  }
}

function obey(message: Exclude<WatchdogMessage, { bye: true }>): void {
  if ('fault' in message) faults.set(message.fault.id, message.fault.lift)
  else if ('lifted' in message) faults.delete(message.lifted)
  else if ('folder' in message) folders.add(message.folder)
  else {
    const list = processes[message.add.role]
    // A long run starts k6 often: forget those that ended.
    list.splice(0, list.length, ...list.filter(alive), message.add)
  }
}

async function clearUp(): Promise<void> {
  await endAll(processes.k6)
  await Promise.allSettled([...faults.values()].map((lift) => perform(lift, liftTimeoutMs)))
  await endAll(processes.process)
  await Promise.allSettled([...folders].map((folder) => rm(folder, { recursive: true, force: true })))
}

function endAll(identities: readonly Identity[]): Promise<unknown> {
  return Promise.allSettled(identities.map((identity) => endProcess(identity, 'SIGTERM', graceMs)))
}
