import { isRed } from '../../lib/verdict.ts'
import type { Run } from '../run-schema.ts'

/** A red check, and its place among all. */
export interface Red {
  readonly check: Run['checks'][number]
  readonly index: number
}

/**
 * Red checks in the order of the run, those of one cause together, for one of them tells enough: an alert that does not come
 * turns all of its checks red, and a backend that does not answer all that were to ask it.
 * @param alike what else belongs together; each check is for itself unless told otherwise
 */
export function subjectsOf(
  { checks, lanes }: Pick<Run, 'checks' | 'lanes'>,
  alike: (red: Red) => unknown = ({ index }) => index,
): readonly (readonly [Red, ...Red[]])[] {
  const subjects = new Map<unknown, [Red, ...Red[]]>()
  for (const [index, check] of checks.entries()) {
    if (!isRed(check)) continue
    const red = { check, index }
    const lane = lanes.find(({ alert }) => check.signal === 'alerts' && `${check.id}.`.includes(`.${alert}.`))
    const key = check.verdict === 'errored' ? `unasked: ${check.reason}` : (lane?.alert ?? alike(red))
    const known = subjects.get(key)
    if (known) known.push(red)
    else subjects.set(key, [red])
  }
  return [...subjects.values()]
}
