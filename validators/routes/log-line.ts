/** A line of Alertmanager's log: `time`, `level`, `msg`, `err`, `receiver`, `integration`, ... */
export type LogLine = Readonly<Record<string, unknown>>

/** Undefined if it is no JSON object. */
export function logLine(line: string): LogLine | undefined {
  try {
    const parsed: unknown = JSON.parse(line)
    return typeof parsed === 'object' && parsed !== null ? Object.fromEntries(Object.entries(parsed)) : undefined
  } catch {
    return undefined
  }
}

/** Retries are logged with receiver and integration, what is given up with both in the text of the error. */
export function isErrorOf({ receiver, integration, err }: LogLine, wanted: string, runsAs: string): boolean {
  if (receiver === wanted && integration === runsAs) return true
  return typeof err === 'string' && err.includes(`${wanted}/${runsAs}:`)
}
