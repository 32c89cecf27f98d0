import { execFile } from 'node:child_process'
import { EnvironmentError, UsageError } from '../../lib/errors.ts'

const limitMs = 60_000

/**
 * Lets promtool judge whether Prometheus would load the files; it knows types and functions to the last.
 * @param files paths relative to `from`
 * @throws UsageError with what it says, one line each; EnvironmentError if it cannot be asked
 */
export async function requireLoadable(
  promtool: string,
  files: readonly string[],
  from: string,
  signal: AbortSignal,
): Promise<void> {
  const { code, said } = await new Promise<{ code: unknown; said: string }>((resolve) => {
    execFile(
      promtool,
      ['check', 'rules', '--lint=none', ...files],
      { cwd: from, timeout: limitMs, signal, maxBuffer: 16 * 1024 * 1024 },
      (error, stdout, stderr) => resolve({ code: error?.code ?? 0, said: `${stdout}\n${stderr}` }),
    )
  })
  signal.throwIfAborted()
  if (code === 0) return
  if (typeof code !== 'number') {
    throw new EnvironmentError(
      `promtool at ${promtool} cannot be asked (${String(code)}): run muster setup, or unset MUSTER_PROMTOOL.`,
    )
  }
  const lines = said
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^(Checking |SUCCESS|FAILED:$)/.test(line))
  throw new UsageError(`Prometheus would not load these rules; correct what promtool says:\n${lines.join('\n')}`)
}
