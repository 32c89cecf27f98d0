import { spawn } from 'node:child_process'
import type { Action, CallAction, CommandAction } from '../lib/action.ts'

/** A request or a program that has not ended after this long has failed. */
const longestMs = 30_000

/**
 * Sends a request or runs a program to its end.
 * @throws Error that names it, for a status other than 2xx (or those it accepts), an exit code other than 0, and no end
 */
export function perform(action: Action, withinMs = longestMs): Promise<void> {
  return action.kind === 'call' ? call(action, withinMs) : command(action, withinMs)
}

async function call({ method, url, body, headers, headersEnv, accept }: CallAction, withinMs: number): Promise<void> {
  const what = `${method} ${url}`
  const secret = Object.entries(headersEnv).map(([header, variable]): [string, string] => {
    const value = process.env[variable]
    if (value === undefined) throw new Error(`${what} wants the environment variable ${variable}, which is not set.`)
    return [header, value]
  })
  let status: number
  try {
    const answer = await fetch(url, {
      method,
      headers: { ...headers, ...Object.fromEntries(secret) },
      // A redirect may lead off the hosts that are allowed.
      redirect: 'manual',
      signal: AbortSignal.timeout(withinMs),
      ...(body === undefined ? {} : { body }),
    })
    status = answer.status
    await answer.body?.cancel()
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    throw new Error(`${what} got no answer (${cause instanceof Error ? cause.message : String(cause)}).`)
  }
  if ((status < 200 || status >= 300) && !accept.includes(status)) throw new Error(`${what} was answered ${status}.`)
}

function command({ argv, folder }: CommandAction, withinMs: number): Promise<void> {
  const [file = '', ...args] = argv
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd: folder, stdio: 'ignore', timeout: withinMs, killSignal: 'SIGKILL' })
    child.once('error', ({ message }) => reject(new Error(`${file} could not be started: ${message}.`)))
    child.once('exit', (code, signal) => {
      if (code === 0) resolve()
      else reject(new Error(`${argv.join(' ')} ended with ${signal === null ? `exit code ${code}` : signal}.`))
    })
  })
}
