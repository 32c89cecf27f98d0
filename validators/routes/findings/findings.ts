import type { CheckResult } from '../../../lib/verdict.ts'
import { routeCheck } from '../route-check.ts'
import { fallingThrough, inhibitedCriticals, mutedCriticals } from './critical.ts'
import { type Examined, type Finding, type FindingKind, findingKinds } from './finding.ts'
import { mixedGroups } from './grouping.ts'
import { misspellings } from './misspelt.ts'
import { duplicateDeliveries, idleContinues, unreachableRoutes } from './reach.ts'
import { unusedDefinitions } from './unused.ts'

/** A finding, and why the file allows it, if a comment there does: `# muster allow <kind>: <reason>`. */
export interface JudgedFinding extends Finding {
  readonly allowed?: string
}

/** Everything that the file tells without being tried, in the order of its lines. */
export async function findFindings(examined: Examined): Promise<readonly JudgedFinding[]> {
  const lines = examined.file.text.split('\n')
  const found = [
    ...unreachableRoutes(examined),
    ...idleContinues(examined),
    ...duplicateDeliveries(examined),
    ...fallingThrough(examined),
    ...(await mutedCriticals(examined)),
    ...inhibitedCriticals(examined),
    ...mixedGroups(examined),
    ...misspellings(examined),
    ...(await unusedDefinitions(examined)),
  ]
  return found
    .map((finding) => {
      const allowed = allowance(finding, lines)
      return allowed === undefined ? finding : { ...finding, allowed }
    })
    .sort((a, b) => a.line - b.line)
}

/** The reason given by a comment on the finding's line, or on those directly above that are comments only. */
function allowance({ kind, line }: Finding, lines: readonly string[]): string | undefined {
  const reason = (text: string | undefined) => {
    const [, allowed, why] = /#\s*muster allow ([a-z-]+):\s*(\S.*?)\s*$/.exec(text ?? '') ?? []
    return allowed === kind ? why : undefined
  }
  const own = reason(lines[line - 1])
  if (own !== undefined) return own
  for (let above = line - 2; /^\s*#/.test(lines[above] ?? ''); above--) {
    const why = reason(lines[above])
    if (why !== undefined) return why
  }
  return undefined
}

/** One check for each kind of finding: red by what is proven to be wrong and not allowed. */
export function findingResults(path: string, findings: readonly JudgedFinding[], from: number): CheckResult[] {
  return Object.keys(findingKinds)
    .filter(isKind)
    .map((kind): CheckResult => {
      const own = findings.filter((finding) => finding.kind === kind)
      const failing = own.filter(({ severity, allowed }) => severity === 'fails' && allowed === undefined)
      const result = routeCheck(
        {
          id: kind,
          title: findingKinds[kind],
          expected: 'proven from the file alone, with no exception that it does not allow itself',
          window: { from, to: Date.now() },
        },
        {
          actual: `${failing.length} proven to be wrong, ${own.length - failing.length} noted, allowed or not decided`,
          problems: failing.map((finding) => findingInWords(path, finding)),
        },
      )
      const rest = own.filter((finding) => !failing.includes(finding)).map((finding) => findingInWords(path, finding))
      const full = {
        ...result,
        evidence: { ...result.evidence, details: [...(result.evidence.details ?? []), ...rest] },
      }
      const open = own.find(({ severity, allowed }) => severity === 'undecided' && allowed === undefined)
      if (open && failing.length === 0) return { ...full, verdict: 'skipped', reason: findingInWords(path, open) }
      return rest.length === 0 ? result : full
    })
}

function isKind(text: string): text is FindingKind {
  return text in findingKinds
}

/** `alertmanager.yml:12 route.routes[2] …` */
export function findingInWords(path: string, { line, sentence, severity, allowed, kind }: JudgedFinding): string {
  const why = allowed === undefined ? '' : ` (allowed: ${allowed})`
  return `${path}:${line} ${severity === 'fails' ? '' : `${severity}: `}${sentence} [${kind}]${why}`
}
