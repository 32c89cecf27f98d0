import { selectorsOf, thresholdsOf, walk } from '../expression.ts'
import type { Expr, Selector } from '../promql.ts'
import { holdsFor } from '../value-range.ts'
import type { Lint } from './finding.ts'

/** `up` of a target that service discovery no longer finds is not 0: it is gone, and nothing is compared. */
export const upWithoutAbsent: Lint = ({ rule, expr }, { rules }) => {
  if (rule.kind !== 'alert') return []
  const guards = rules.filter((one) => one.rule.kind === 'alert').flatMap((one) => absentUps(one.expr))
  return thresholdsOf(expr).flatMap(({ of, op, value }) => {
    const [up] = selectorsOf(of).filter(({ metric }) => metric === 'up')
    if (!up || holdsFor({ min: 0, max: 0 }, op, value) === 'none') return []
    const jobs = jobsOf(up)
    const missing = jobs?.filter((job) => !guards.some((guard) => jobsOf(guard)?.join() === job))
    if (missing ? missing.length === 0 : guards.length > 0) return []
    const remedy = missing
      ? missing.map((job) => `absent(up{job="${job}"})`).join(' or ')
      : 'absent(up{job="…"}) for each job'
    const message = `a target that is no longer discovered has no up at all, and this stays silent: add ${remedy}, here or as an alert`
    return [{ level: 'error' as const, part: 'expr' as const, offset: up.from, message }]
  })
}

function absentUps(expr: Expr): Selector[] {
  return [...walk(expr)].flatMap((node) => {
    if (node.kind !== 'call' || !/^absent(_over_time)?$/.test(node.name)) return []
    return node.args.flatMap(selectorsOf).filter(({ metric }) => metric === 'up')
  })
}

/** The jobs that a selector names, one by one; undefined if it does not name them. */
function jobsOf({ matchers }: Selector): readonly string[] | undefined {
  const job = matchers.find(({ label }) => label === 'job')
  if (job?.op === '=') return [job.value]
  if (job?.op === '=~' && /^\(?[\w.:/-]+(\|[\w.:/-]+)*\)?$/.test(job.value)) {
    return job.value.replace(/^\(|\)$/g, '').split('|')
  }
  return undefined
}
