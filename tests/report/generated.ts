import type { Series } from '../../lib/course.ts'
import { type Run, runSchema } from '../../reports/run-schema.ts'

/** What a browser runs if it is not escaped, in an element, in an attribute, and in a script. */
export const hostile = `"'><img src=x onerror="pwned=1"><script>pwned=1</script></script></noscript><!--\${pwned=1}`

/** Words by which muster itself tells things apart, which nobody from outside can choose. */
const fixed = new Set(['signal', 'verdict', 'kind', 'why', 'panel'])

/** A run in which every text that comes from outside ends in an attack: names of services, labels, lines, titles. */
export function attacked(run: Run): Run {
  return runSchema.parse(poison(run, ''))
}

/** A run in which every address that the report could link to is this one. */
export function misled(run: Run, address: string): Run {
  const links = { trace: address, logs: address, graph: address }
  const checks = run.checks.map((check) => ({ ...check, evidence: { ...check.evidence, link: address } }))
  return runSchema.parse({ ...run, checks, config: { links } })
}

function poison(value: unknown, key: string): unknown {
  if (typeof value === 'string') return fixed.has(key) ? value : value + hostile
  if (Array.isArray(value)) return value.map((one) => poison(one, key))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [key === 'versions' ? name + hostile : name, poison(one, name)]),
  )
}

/** A run of so many minutes with so many checks, every tenth of them red and no other, made of a real one. */
export function enlarged(run: Run, { checks, minutes }: { readonly checks: number; readonly minutes: number }): Run {
  const { course } = run
  if (course === null) throw new Error('the run has no course to enlarge')
  const length = 900
  const stepMs = (minutes * 60_000) / length
  const longer = ({ values, ...rest }: Series) => ({
    ...rest,
    values: Array.from({ length }, (_, place) => values[place % values.length] ?? null),
  })
  const many = Array.from({ length: checks }, (_, index): Run['checks'][number] => {
    const check = run.checks[index % run.checks.length]
    if (check === undefined) throw new Error('the run has no checks to repeat')
    const verdict = index % 10 === 0 ? 'failed' : 'passed'
    return { ...check, title: `${check.title}, number ${index}`, verdict, reason: check.reason ?? `reason ${index}` }
  })
  const to = course.from + minutes * 60_000
  return runSchema.parse({
    ...run,
    checks: many,
    course: { ...course, to, stepMs, series: course.series.map(longer) },
  })
}
