import { randomUUID } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { EnvironmentError, type ExitCode, exitCodes, UsageError } from '../lib/errors.ts'
import { readState, stopState } from '../stack/state.ts'
import { loadConfig } from '../validators/config.ts'
import { bringUp } from './environment.ts'
import type { Flags } from './flags.ts'
import { interruptible } from './interrupt.ts'

/** `muster up`: the stack alone, for exploring; it stays until `down`. */
export async function upCommand(flags: Flags): Promise<ExitCode> {
  const signal = interruptible()
  const config = await loadConfig(flags.config, process.cwd())
  if (config.backends)
    throw new UsageError('The config names your own backends: there is no stack of muster to bring up.')
  if (await readState(config.folder))
    throw new UsageError('A stack is up already: see muster status, or end it with muster down.')
  const folder = join(config.folder, '.muster', `stack-${randomUUID().slice(0, 8)}`)
  await mkdir(folder, { recursive: true })
  await bringUp(config, folder, signal, (text) => process.stderr.write(`${text}\n`))
  return statusCommand(flags)
}

/** `muster down`: ends what `up` or `run --keep` left. */
export async function downCommand(flags: Flags): Promise<ExitCode> {
  const config = await loadConfig(flags.config, process.cwd())
  const stopped = await stopState(config.folder)
  process.stdout.write(stopped ? 'The stack is down.\n' : 'No stack was up.\n')
  return exitCodes.passed
}

/** `muster status`: every URL of the stack that is up. Exit 3 if there is none, or part of it is gone. */
export async function statusCommand(flags: Flags): Promise<ExitCode> {
  const config = await loadConfig(flags.config, process.cwd())
  const state = await readState(config.folder)
  if (!state) throw new EnvironmentError('No stack is up: start it with muster up.')
  const { faults, ...urls } = state.urls
  const rows = [
    ...Object.entries(urls),
    ...Object.entries(faults).map(([name, url]) => [`${name} faults`, url] as const),
    ['alert sink', `http://127.0.0.1:${state.sinkPort}/`] as const,
    ['mail sink', `smtp://127.0.0.1:${state.sinkSmtpPort}`] as const,
  ]
  for (const [name, url] of rows) process.stdout.write(`${name.padEnd(18)} ${url}\n`)
  process.stdout.write(`${'logs'.padEnd(18)} ${state.logs}\n`)
  if (state.dead.length === 0) return exitCodes.passed
  process.stdout.write(`No longer running: ${state.dead.join(', ')}. End the rest with muster down.\n`)
  return exitCodes.environment
}
