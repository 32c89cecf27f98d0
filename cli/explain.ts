import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type ExitCode, exitCodes, UsageError } from '../lib/errors.ts'
import { nearest } from '../lib/nearest.ts'
import { type DocumentedCheck, docsFolder, documentedCheck, documentedChecks } from '../reports/check-docs.ts'
import { table } from '../reports/table.ts'
import { oneLine } from '../reports/text.ts'

/** `muster explain [check]`: its page, or a list where several fit. @throws UsageError if there is no such check */
export async function explainCommand(id: string): Promise<ExitCode> {
  const checks = documentedChecks()
  const exact = checks.find(({ page, pattern }) => page === id || pattern === id) ?? documentedCheck(id)
  const found = exact ? [exact] : checks.filter(({ page }) => id === '' || page.startsWith(`${id.replace(/\.$/, '')}.`))
  const [first] = found
  if (first === undefined) throw unknownCheck(id, checks)
  process.stdout.write(found.length === 1 ? await pageOf(first) : listed(found))
  return exitCodes.passed
}

async function pageOf({ page }: DocumentedCheck): Promise<string> {
  const file = fileURLToPath(new URL(`checks/${page}.md`, docsFolder))
  const text = await readFile(file, 'utf8').catch(() => {
    throw new UsageError(`The page ${file} is missing: install muster again.`)
  })
  return `${text.replace(/<!--.*?-->\n+/gs, '')}\nThis page  ${file}\n`
}

function listed(checks: readonly DocumentedCheck[]): string {
  const rows = checks.map(({ page, question }) => [page, oneLine(question.replace(/`/g, ''))])
  const columns = [{ title: 'Check' }, { title: 'Question' }]
  return `${table(columns, rows, process.stdout.columns ?? 80).join('\n')}\n`
}

function unknownCheck(id: string, checks: readonly DocumentedCheck[]): UsageError {
  const meant = nearest(
    id,
    checks.map(({ page }) => page),
  )
  const hint = meant === undefined ? '' : `; did you mean ${meant}?`
  return new UsageError(`There is no check "${oneLine(id)}"${hint} (muster explain lists all of them)`)
}
