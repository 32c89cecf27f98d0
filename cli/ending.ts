import { type ExitCode, MusterError } from '../lib/errors.ts'
import type { Reporter, RunEnd } from '../lib/event.ts'

type Begun = Pick<RunEnd, 'runId' | 'startedAt'>

/** Does a task whose results a reporter is told. A task that breaks off says why in the reports, too, before its error goes on. */
export async function toTheEnd<T>(reporter: Reporter, begun: Begun, task: () => Promise<T>): Promise<T> {
  try {
    return await task()
  } catch (error) {
    if (error instanceof MusterError)
      await ended(reporter, { ...begun, exitCode: error.exitCode, verdict: error.message })
    else await reporter.close?.()
    throw error
  }
}

/** Tells a reporter the verdict on all, and closes it; gives back the exit code. */
export async function ended(
  reporter: Reporter,
  end: Omit<RunEnd, 'endedAt'> & { readonly exitCode: ExitCode },
): Promise<ExitCode> {
  const at = Date.now()
  await reporter.on({ type: 'run-ended', at, end: { ...end, endedAt: at } })
  await reporter.close?.()
  return end.exitCode
}
