import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** A process, told from a later one with the same number by when it started. */
export interface Identity {
  readonly pid: number
  /** Opaque: clock ticks since boot on Linux, a date elsewhere. Only compared. */
  readonly startTime: string
}

/** When a process started, or undefined if there is none (a zombie is none). */
function startTimeOf(pid: number): string | undefined {
  return process.platform === 'linux' ? fromProc(pid) : fromPs(pid)
}

function fromProc(pid: number): string | undefined {
  try {
    return parseProcStat(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return undefined
  }
}

/** Field 22 of /proc/<pid>/stat. The command, field 2, may hold spaces and parentheses: count from its last one. */
export function parseProcStat(stat: string): string | undefined {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
}

function fromPs(pid: number): string | undefined {
  try {
    const options = { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' }, stdio: 'pipe', timeout: 2000 } as const
    const [state = 'Z', ...started] = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], options)
      .trim()
      .split(/\s+/)
    return state.startsWith('Z') ? undefined : started.join(' ') || undefined
  } catch {
    return undefined
  }
}

/** The identity of a running process, or undefined if there is none. */
export function identify(pid: number): Identity | undefined {
  const startTime = startTimeOf(pid)
  return startTime === undefined ? undefined : { pid, startTime }
}

/** Whether this very process still runs. */
export function alive(identity: Identity): boolean {
  return startTimeOf(identity.pid) === identity.startTime
}

/** Signals the process group that the process leads, or the process alone if it leads none. False if it is gone. */
export function signalProcess(identity: Identity, signal: NodeJS.Signals): boolean {
  if (!alive(identity)) return false
  for (const target of [-identity.pid, identity.pid]) {
    try {
      process.kill(target, signal)
      return true
    } catch {
      // ESRCH for the group: it leads none. For the process: it ended meanwhile.
    }
  }
  return false
}

/** Ends a process (and its group) by a signal, and by SIGKILL after `graceMs`. Resolves when it is gone. */
export async function endProcess(
  identity: Identity,
  signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM',
  graceMs = 5000,
): Promise<void> {
  if (!signalProcess(identity, signal)) return
  if (await gone(identity, graceMs)) return
  signalProcess(identity, 'SIGKILL')
  await gone(identity, 2000)
}

async function gone(identity: Identity, withinMs: number): Promise<boolean> {
  const until = performance.now() + withinMs
  while (alive(identity)) {
    if (performance.now() > until) return false
    await sleep(20)
  }
  return true
}
