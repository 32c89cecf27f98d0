import { existsSync, readFileSync } from 'node:fs'

/** A check as docs/checks.md has it, in Markdown: the one place where it is described. */
export interface DocumentedCheck {
  /** With places for names: `metrics.request-count.<service>`. */
  readonly pattern: string
  /** The name of its page in docs/checks/, and what `muster explain` takes: `metrics.request-count`. */
  readonly page: string
  /** The heading above its table, and all that is said below it. */
  readonly section: { readonly title: string; readonly text: string }
  readonly question: string
  readonly judged: string
  /** Empty for a check that is never red. */
  readonly red: string
  readonly lookFirst: string
}

export const docsFolder = new URL('../docs/', import.meta.url)

/** Reads the tables of docs/checks.md. */
export function parseCheckDocs(text: string): DocumentedCheck[] {
  const rows = text.split(/^## /m).flatMap((part, n) => {
    const [title = '', ...lines] = n === 0 ? ['', ...part.split('\n')] : part.split('\n')
    const section = { title, text: withoutTables(lines) }
    return lines.flatMap((line) => {
      // A bar inside of code is no edge of a cell.
      const cells = line.split(/(?<!\\)\|/).map((cell) => cell.replaceAll('\\|', '|').trim())
      const [, id = '', question = '', judged = '', red = '', lookFirst = ''] = cells
      const [, pattern] = /^`([a-z]+\.[a-z][^`]*)`/.exec(id) ?? []
      return pattern === undefined ? [] : [{ pattern, section, question, judged, red, lookFirst }]
    })
  })
  const short = (pattern: string) => pattern.replace(/\.<.*$/, '')
  return rows.map((row) => {
    const shared = rows.some((other) => other !== row && short(other.pattern) === short(row.pattern))
    return { ...row, page: shared ? row.pattern.replace(/[<>]/g, '') : short(row.pattern) }
  })
}

function withoutTables(lines: readonly string[]): string {
  return lines
    .filter((line) => !line.startsWith('|'))
    .join('\n')
    .split(/\n{2,}/)
    .filter((paragraph) => !paragraph.endsWith(':'))
    .join('\n\n')
    .trim()
}

let documented: readonly DocumentedCheck[] | undefined

/** The checks of this version's docs/checks.md; none if it was taken away. */
export function documentedChecks(): readonly DocumentedCheck[] {
  const file = new URL('checks.md', docsFolder)
  documented ??= existsSync(file) ? parseCheckDocs(readFileSync(file, 'utf8')) : []
  return documented
}

/** What is written of a check, by its id; of several patterns that fit, the one that says most. */
export function documentedCheck(
  id: string,
  checks: readonly DocumentedCheck[] = documentedChecks(),
): DocumentedCheck | undefined {
  return checks
    .filter(({ pattern }) => matcherOf(pattern).test(id))
    .sort((a, b) => literalLength(b) - literalLength(a))
    .at(0)
}

/** The command that explains a check, for whoever reads that it failed; undefined if nothing is written of it. */
export function explainCommand(id: string): string | undefined {
  const check = documentedCheck(id)
  return check && `muster explain ${check.page}`
}

function literalLength({ pattern }: DocumentedCheck): number {
  return pattern.replace(/<[^>]*>/g, '').length
}

/** `logs.lines.<service>` fits any service. */
function matcherOf(pattern: string): RegExp {
  const parts = pattern.split(/<[^>]*>/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.+')}$`)
}
