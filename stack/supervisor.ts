import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { formatDuration } from '../lib/duration.ts'
import { EnvironmentError } from '../lib/errors.ts'
import { endProcess, type Identity, identify, signalProcess } from './identity.ts'

export interface Command {
  readonly name: string
  readonly file: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** How and when (epoch milliseconds) a process ended that nobody stopped. */
export interface ExitInfo {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly at: number
  /** The end of its log. */
  readonly lastLines: string
}

export interface Supervised extends Identity {
  readonly name: string
}

/** A process ended before it was ready because its port was taken: starting anew with other ports helps. */
export class PortTakenError extends EnvironmentError {}

interface Entry extends Supervised {
  readonly child: ChildProcess
  readonly logPath: string
  /** Where this process begins in its log, which an earlier one of the same name may have begun. */
  readonly logStart: number
  exit: ExitInfo | undefined
  stopped: boolean
}

export interface SupervisorOptions {
  /** Where `<name>.log` is written, stdout and stderr together. */
  readonly logs: string
  /** Processes outlive this one, and do not keep it alive. */
  readonly detached?: boolean
  /** Called for each process as soon as it runs. */
  readonly onStart?: (process: Supervised) => void
}

/** Waits for a line, then becomes the program: if we die before the watchdog knows of it, it never begins. */
const onceTold = 'read -r go && exec "$0" "$@" </dev/null'

/** Starts processes, watches them, and stops them in reverse order. */
export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #entries: Entry[] = []

  constructor(options: SupervisorOptions) {
    this.#options = options
    mkdirSync(options.logs, { recursive: true })
  }

  /** All that were started, in order; of those started again, the last. */
  get processes(): readonly Supervised[] {
    return this.#entries.map(({ name, pid, startTime }) => ({ name, pid, startTime }))
  }

  /**
   * Starts a process in a group of its own, so that Ctrl-C on the terminal reaches muster alone.
   * Throws EnvironmentError if it cannot be started at all.
   */
  start(command: Command): Supervised {
    const logPath = join(this.#options.logs, `${command.name}.log`)
    const log = openSync(logPath, 'a')
    const logStart = statSync(logPath).size
    const child = spawn('/bin/sh', ['-c', onceTold, command.file, ...command.args], {
      detached: true,
      // Straight to the file: no pipe that could fill up, or break when we die.
      stdio: ['pipe', log, log],
      env: { ...inherited(), ...command.env },
    })
    closeSync(log)
    let spawnError = 'it ended at once'
    child.on('error', (error) => {
      spawnError = error.message
    })
    const identity = child.pid === undefined ? undefined : identify(child.pid)
    if (!identity) throw new EnvironmentError(`${command.name} could not be started (${command.file}): ${spawnError}.`)
    const entry: Entry = { ...identity, name: command.name, child, logPath, logStart, exit: undefined, stopped: false }
    child.once('exit', (code, signal) => {
      if (!entry.stopped) entry.exit = { code, signal, at: Date.now(), lastLines: lastLines(entry) }
    })
    if (this.#options.detached) child.unref()
    const earlier = this.#entries.findIndex(({ name }) => name === command.name)
    if (earlier >= 0) this.#entries.splice(earlier, 1)
    this.#entries.push(entry)
    const started = { name: command.name, ...identity }
    this.#options.onStart?.(started)
    child.stdin?.on('error', () => {})
    child.stdin?.end('go\n')
    return started
  }

  /**
   * Asks every 50 ms until the answer is not undefined, and resolves to it.
   * Throws PortTakenError or EnvironmentError if the process ends first, or is not ready within `withinMs`.
   */
  async ready<T>(
    name: string,
    probe: (log: () => string) => Promise<T | undefined> | T | undefined,
    options: { readonly withinMs: number; readonly signal?: AbortSignal | undefined },
  ): Promise<T> {
    const entry = this.#entry(name)
    const until = performance.now() + options.withinMs
    for (;;) {
      options.signal?.throwIfAborted()
      if (entry.exit) throw endedTooSoon(entry, entry.exit)
      const answer = await probe(() => logOf(entry))
      if (answer !== undefined) return answer
      if (performance.now() > until) {
        throw new EnvironmentError(
          `${name} was not ready within ${formatDuration(options.withinMs)}; see ${entry.logPath}, which ends:\n${lastLines(entry)}`,
        )
      }
      await sleep(50)
    }
  }

  /** How a process ended that nobody stopped; undefined while it runs. */
  exited(name: string): ExitInfo | undefined {
    return this.#entry(name).exit
  }

  /** Kills a process at once, as a test of its loss; `exited` will tell of it. */
  kill(name: string): void {
    signalProcess(this.#entry(name), 'SIGKILL')
  }

  /** Stops one process: by SIGTERM, and SIGKILL after 5 s, or by SIGKILL at once. */
  async stopOne(name: string, signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const entry = this.#entry(name)
    entry.stopped = true
    await endProcess(entry, signal)
  }

  /** Stops all in reverse order, those named before the rest. May be called twice. */
  async stop(before: readonly string[] = []): Promise<void> {
    for (const entry of this.#entries) entry.stopped = true
    await endInReverse(this.#entries, before)
  }

  #entry(name: string): Entry {
    const entry = this.#entries.find((candidate) => candidate.name === name)
    if (!entry) throw new Error(`no process ${name} was started`)
    return entry
  }
}

/**
 * Ends processes last started first, and begins with the rest when those named `before` are gone. The next is told to
 * end 30 ms after the one before, at the latest, so that those who are slow to go do it side by side.
 */
export async function endInReverse(processes: readonly Supervised[], before: readonly string[] = []): Promise<void> {
  for (const first of [true, false]) {
    const ends: Promise<void>[] = []
    for (const process of processes.toReversed()) {
      if (before.includes(process.name) !== first) continue
      const end = endProcess(process)
      ends.push(end)
      await Promise.race([end, sleep(30)])
    }
    await Promise.all(ends)
  }
}

/** What a backend may know of our environment: no OTEL_*, proxies or secrets. */
function inherited(): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const name of ['PATH', 'HOME', 'TMPDIR', 'LANG', 'TZ']) {
    const value = process.env[name]
    if (value !== undefined) kept[name] = value
  }
  return kept
}

function endedTooSoon(entry: Entry, exit: ExitInfo): EnvironmentError {
  const how = exit.signal ? `by ${exit.signal}` : `with code ${exit.code}`
  const message = `${entry.name} ended ${how} before it was ready; see ${entry.logPath}, which ends:\n${exit.lastLines}`
  return /address already in use|EADDRINUSE/.test(logOf(entry))
    ? new PortTakenError(message)
    : new EnvironmentError(message)
}

function logOf(entry: Entry): string {
  try {
    return readFileSync(entry.logPath).subarray(entry.logStart).toString('utf8')
  } catch {
    return ''
  }
}

function lastLines(entry: Entry): string {
  return logOf(entry).trimEnd().split('\n').slice(-8).join('\n')
}
