import { setMaxListeners } from 'node:events'
import { exitCodes, MusterError } from '../lib/errors.ts'

/** What a signal from outside ends a command with: exit 130. */
class Interrupted extends MusterError {
  constructor(signal: string) {
    super(exitCodes.interrupted, `Interrupted by ${signal}.`)
    this.name = 'Interrupted'
  }
}

/** A signal that is aborted by Ctrl-C, SIGTERM and SIGHUP; the second Ctrl-C ends at once, and the watchdog clears up. */
export function interruptible(): AbortSignal {
  const controller = new AbortController()
  // Every query under way listens; there are many, and each leaves when it is done.
  setMaxListeners(0, controller.signal)
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(exitCodes.interrupted)
      controller.abort(new Interrupted(name))
    })
  }
  return controller.signal
}
