import { parseDuration } from '../../lib/duration.ts'
import { UsageError } from '../../lib/errors.ts'
import type { Window } from '../../lib/verdict.ts'

/**
 * The period that `--since` and `--until` name, in epoch milliseconds. Each is an ISO time, epoch seconds, or a duration
 * back from now; without `--until` it ends now.
 * @throws UsageError naming the flag and the remedy
 */
export function parsePeriod(since: string | undefined, until: string | undefined, now: number): Window {
  if (since === undefined) throw new UsageError('--until needs --since: name the beginning of the period, such as 5m.')
  const from = moment('--since', since, now)
  const to = until === undefined ? now : moment('--until', until, now)
  if (to > now) throw new UsageError(`--until ${until} is in the future: leave it out to judge up to now.`)
  if (from >= to) throw new UsageError(`--since ${since} is not before the end of the period: name an earlier time.`)
  return { from, to }
}

function moment(flag: string, text: string, now: number): number {
  const back = parseDuration(text)
  if (back !== undefined) return now - back
  // Less than nine digits would be a moment before 1974: more likely a duration that lacks its unit.
  if (/^\d{9,10}(\.\d+)?$/.test(text)) return Math.round(Number(text) * 1000)
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(at)) return at
  throw new UsageError(
    `${flag} ${JSON.stringify(text)} is no time: write 5m (back from now), 2026-01-31T12:00:00Z or epoch seconds.`,
  )
}
