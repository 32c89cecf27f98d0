import type { Ledger } from '../../lib/ledger.ts'
import type { Finding, Outcome } from '../check.ts'
import type { Service } from '../config.ts'
import type { ScenarioContext } from '../context.ts'

/** What a service must have seen, by `METHOD route status`. */
export interface Expectation {
  readonly rows: ReadonlyMap<string, { readonly min: number; readonly max: number }>
  /** Requests by `METHOD route` whose end the client never learned: they may appear under any status, or not at all. */
  readonly unsure: ReadonlyMap<string, number>
}

/** A queue's consumer has no routes: its deliveries are counted under the name of its metric. */
export function keyOf({ requests }: Pick<Service, 'requests'>, method: string, route: string, status: string): string {
  return requests.kind === 'http' ? `${method} ${route} ${status}` : requests.metric
}

/** Stands in a key for what the labels of a counter do not tell apart. */
export const untold = '*'

type Label = string | false
/** Which of these somebody tells: a label's name, or false. */
type Labels =
  | { readonly kind: 'queue' }
  | { readonly kind: 'http'; readonly method: Label; readonly route: Label; readonly status: Label }

/** The requests of a service as its counter tells them apart: what it has no label for is one. */
export function blurred(requests: Labels): (of: Who) => Who {
  if (requests.kind === 'queue') return (of) => of
  const keep = <T>(label: string | false, value: T) => (label === false ? untold : value)
  return ({ method, route, status }) => ({
    method: keep(requests.method, method),
    route: keep(requests.route, route),
    // One that was never answered stays so.
    status: status === undefined ? undefined : keep(requests.status, status),
  })
}

interface Who {
  readonly method: string
  readonly route: string
  readonly status: number | string | undefined
}

/**
 * Works out from the ledger what a service must have seen.
 * @param told what of a request the seen can tell; all unless said otherwise
 */
export function expectedOf(
  ledger: Ledger,
  name: string,
  service: Pick<Service, 'requests'>,
  told: (of: Who) => Who = (of) => of,
): Expectation {
  const rows = new Map<string, { min: number; max: number }>()
  const unsure = new Map<string, number>()
  for (const one of ledger.expected(name)) {
    const [min, max] = one.count
    const { method, route: template, status } = told(one)
    if (status === undefined) {
      const route = service.requests.kind === 'http' ? `${method} ${template}` : service.requests.metric
      unsure.set(route, (unsure.get(route) ?? 0) + max)
      continue
    }
    const key = keyOf(service, method, template, String(status))
    const before = rows.get(key) ?? { min: 0, max: 0 }
    rows.set(key, { min: before.min + min, max: before.max + max })
  }
  return { rows, unsure }
}

/** How many requests there must be at least. */
export function leastOf({ rows }: Expectation): number {
  return [...rows.values()].reduce((sum, { min }) => sum + min, 0)
}

/** The expectation as a sentence for the evidence. */
export function inWords({ rows, unsure }: Expectation): string {
  const exact = [...rows].filter(([, { max }]) => max > 0).map(([key, { min, max }]) => `${key} = ${range(min, max)}`)
  const open = [...unsure].map(([route, count]) => `${route}: up to ${count} more, unanswered or cut off`)
  return [...exact, ...open].join('; ') || 'no request'
}

/** Compares what was seen with what was sent, key by key; `hopeless` if more was seen than sent, which no wait can mend. */
export function compare(
  expectation: Expectation,
  seen: ReadonlyMap<string, number>,
  verb: string,
): Finding & { readonly hopeless: boolean } {
  const { rows, unsure } = expectation
  const problems: string[] = []
  const budget = new Map(unsure)
  let hopeless = false
  for (const key of new Set([...rows.keys(), ...seen.keys()])) {
    const { min, max } = rows.get(key) ?? { min: 0, max: 0 }
    const count = seen.get(key) ?? 0
    if (count < min) problems.push(`${key}: ${range(min, max)} sent, ${count} ${verb}`)
    if (count <= max) continue
    const route = budget.has(key) ? key : key.replace(/ \S+$/, '')
    const left = (budget.get(route) ?? 0) - (count - max)
    if (left >= 0) {
      budget.set(route, left)
      continue
    }
    hopeless = true
    problems.push(
      rows.has(key)
        ? `${key}: ${range(min, max)} sent, ${count} ${verb}`
        : `${key}: none sent, ${count} ${verb}: foreign traffic, or a wrong label`,
    )
  }
  const total = [...seen.values()].reduce((sum, count) => sum + count, 0)
  const wanted = leastOf(expectation)
  const actual = [...seen].filter(([, count]) => count > 0).map(([key, count]) => `${key} = ${count}`)
  return { actual: actual.join('; ') || `nothing ${verb}`, problems, empty: total === 0 && wanted > 0, hopeless }
}

function range(min: number, max: number): string {
  return min === max ? String(min) : `${min} to ${max}`
}

/** Nothing can be compared if it is not known what was sent. */
export function missingLedger({ window }: ScenarioContext): Outcome {
  return {
    verdict: 'no-data',
    reason: 'k6 left no summary, so it is not known what was sent',
    evidence: { expected: 'a count of what was sent', actual: 'none', window, attempts: 0, elapsedMs: 0 },
  }
}
