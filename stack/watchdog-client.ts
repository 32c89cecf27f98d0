import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Action } from '../lib/action.ts'
import { type Identity, identify } from './identity.ts'
import type { WatchdogMessage, WatchdogRole } from './watchdog-message.ts'

/** A line to the watchdog, which clears up if this process dies without having said bye. */
export interface Watchdog {
  /** Who the watchdog is. */
  readonly identity: Identity
  /** Has a process (and its group) ended; `k6` before all else. Does nothing if it has ended already. */
  add(pid: number, role: WatchdogRole): void
  /** Has a fault lifted; returns what to call once that was done. */
  fault(lift: Action): () => void
  /** Has a folder of data removed. */
  folder(path: string): void
  /** Sends the watchdog away: all is cleared up. Resolves when it is gone. */
  bye(): Promise<void>
}

/** Starts a watchdog. What it is told before it is ready waits in the pipe, also if this process dies meanwhile. */
export function startWatchdog(): Watchdog {
  // Own session, so that Ctrl-C does not reach it; stdio without our terminal, so that nobody waits for it.
  const child = spawn(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), fileURLToPath(new URL('watchdog.ts', import.meta.url))],
    { detached: true, stdio: ['pipe', 'ignore', 'ignore'], cwd: '/' },
  )
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  // It must neither keep this process alive nor, if somebody ends it, break it.
  child.unref()
  child.stdin.on('error', () => {})
  if ('unref' in child.stdin && typeof child.stdin.unref === 'function') child.stdin.unref()
  const identity = child.pid === undefined ? undefined : identify(child.pid)
  if (!identity) throw new Error('the watchdog could not be started')

  let faults = 0
  const tell = (message: WatchdogMessage) => {
    if (child.stdin.writable) child.stdin.write(`${JSON.stringify(message)}\n`)
  }
  return {
    identity,
    add: (pid, role) => {
      const added = identify(pid)
      if (added) tell({ add: { ...added, role } })
    },
    fault: (lift) => {
      const id = ++faults
      tell({ fault: { id, lift } })
      return () => tell({ lifted: id })
    },
    folder: (path) => tell({ folder: path }),
    bye: async () => {
      child.ref()
      tell({ bye: true })
      child.stdin.end()
      await ended
    },
  }
}
