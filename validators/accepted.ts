import { z } from 'zod'
import { type CheckResult, signals } from '../lib/verdict.ts'
import type { Check, Outcome } from './check.ts'
import { invalidating } from './invalidating.ts'

const prefixes = [...signals, 'live']

/** One failing check that somebody answers for, for a while. */
export const acceptedEntry = z.strictObject({
  check: z
    .string()
    .regex(/^[a-z]+\.[^.*\s]+(\.\S+)?$/, 'must be a check id such as metrics.request-count.todos')
    .refine((id) => prefixes.some((prefix) => id.startsWith(`${prefix}.`)), {
      error: `must begin with one of ${prefixes.join(', ')}`,
    })
    .refine((id) => !invalidating.has(id), { error: 'cannot be accepted: with it failed nothing else counts' })
    .describe("A check's id; a `*` behind its first two parts stands for any text: `metrics.request-count.*`."),
  scenario: z.string().min(1).optional().describe('Accepts it in this scenario alone.'),
  reason: z.string().trim().min(1, 'say why').describe('Why that is borne.'),
  owner: z.string().trim().min(1, 'name who answers for it').describe('Who answers for it.'),
  expires: z.iso.date('must be a day such as 2027-01-31').describe('The last day on which it is accepted, UTC.'),
})
export type AcceptedEntry = z.output<typeof acceptedEntry>

const dayMs = 86_400_000

/**
 * The deviations that the config accepts. A check that failed becomes `accepted` while its entry is in force; what could
 * not be asked, or had no data, stays as it is.
 */
export class Acceptances {
  readonly #entries: readonly {
    readonly entry: AcceptedEntry
    readonly expired: boolean
    readonly met: CheckResult[]
  }[]

  /** @param now epoch milliseconds */
  constructor(entries: readonly AcceptedEntry[], now: number) {
    this.#entries = entries.map((entry) => ({ entry, expired: now >= Date.parse(entry.expires) + dayMs, met: [] }))
  }

  /** What becomes of a result; each entry remembers the checks that it speaks of. */
  apply(result: CheckResult): CheckResult {
    const own = this.#entries.filter(({ entry }) => speaksOf(entry, result))
    for (const { met } of own) met.push(result)
    const inForce = own.find(({ expired }) => !expired)
    if (inForce === undefined || result.verdict !== 'failed' || invalidating.has(result.id)) return result
    const { reason, owner, expires } = inForce.entry
    const why = result.reason === undefined ? '' : `; what failed: ${result.reason}`
    return {
      ...result,
      verdict: 'accepted',
      reason: `${owner} accepts it until ${expires}: ${reason}${why}`,
      accepted: { reason, owner, expires },
    }
  }

  /**
   * A check per entry, to be put after all others: is it still in force, and still needed?
   * @param partial true if not every check of the config was put
   */
  checks(partial: boolean): Check[] {
    return this.#entries.map(({ entry, expired, met }) => {
      const { check, scenario } = entry
      return {
        id: `stack.accepted.${check}${scenario === undefined ? '' : `.${scenario}`}`,
        title: `the accepted deviation of ${check} is in force and needed`,
        signal: 'stack' as const,
        ...(scenario === undefined ? {} : { scenario }),
        run: async () => judged(entry, expired, met, partial),
      }
    })
  }
}

function judged(entry: AcceptedEntry, expired: boolean, met: readonly CheckResult[], partial: boolean): Outcome {
  const { check, owner, reason, expires } = entry
  const failed = met.filter(({ verdict }) => verdict === 'failed').length
  const evidence = {
    expected: `it fails, and today is no later than ${expires}`,
    actual: `${failed} of ${met.length} checks of this id failed`,
    details: [`accepted by ${owner}: ${reason}`],
    attempts: 1,
    elapsedMs: 0,
  }
  const said = (verdict: Outcome['verdict'], why: string): Outcome => ({ verdict, reason: why, evidence })
  if (expired)
    return said('failed', `it expired after ${expires}: mend ${check}, or let ${owner} renew the entry in accepted`)
  if (failed > 0) return { verdict: 'passed', evidence }
  if (met.some(({ verdict }) => verdict === 'passed'))
    return said('failed', `${check} passes: take the entry out of accepted`)
  if (met.length > 0) return said('skipped', `${check} could not be judged, so nothing is known of the deviation`)
  return partial
    ? said('skipped', `${check} was not put in this run`)
    : said('failed', `there is no check ${check}: correct the entry in accepted, or take it out`)
}

function speaksOf({ check, scenario }: AcceptedEntry, { id, scenario: where }: CheckResult): boolean {
  if (scenario !== undefined && scenario !== where) return false
  if (!check.includes('*')) return id === check
  const parts = check.split('*').map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`).test(id)
}
