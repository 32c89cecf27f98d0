import { randomUUID } from 'node:crypto'

const sane = /^[A-Za-z0-9._-]{1,128}$/

/** The caller's request id if it can safely stand in a log line and a header, else a new one. */
export function requestId(given: string | readonly string[] | undefined): string {
  return typeof given === 'string' && sane.test(given) ? given : randomUUID()
}
