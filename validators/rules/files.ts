import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { UsageError } from '../../lib/errors.ts'
import { PromqlError, parsePromql } from './promql.ts'
import { parseRuleFile, type RuleGroup } from './rule-file.ts'

/**
 * The files that patterns match, each once, in the order of patterns and names. `*` and `?` stay within a folder's
 * name, `**` crosses folders; a path without them is itself.
 * @param flag named in the message
 * @returns paths as people would write them: relative to `from` where they are below it
 * @throws UsageError for a pattern without a file
 */
export async function filesMatching(patterns: readonly string[], from: string, flag: string): Promise<string[]> {
  const found = new Set<string>()
  for (const pattern of patterns) {
    const matches = await expand(resolve(from, pattern))
    if (matches.length === 0) throw new UsageError(`${flag} ${pattern} matches no file in ${from}: check the path.`)
    for (const match of matches) found.add(match)
  }
  return [...found].map((path) => {
    const near = relative(from, path)
    return near.startsWith('..') ? path : near
  })
}

async function expand(pattern: string): Promise<string[]> {
  const parts = pattern.split(sep)
  const first = parts.findIndex((part) => /[*?]/.test(part))
  if (first < 0) return (await isFile(pattern)) ? [pattern] : []
  return below(parts.slice(0, first).join(sep) || sep, parts.slice(first))
}

async function below(folder: string, parts: readonly string[]): Promise<string[]> {
  const [part = '', ...rest] = parts
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  const found: string[] = part === '**' && rest.length > 0 ? await below(folder, rest) : []
  for (const entry of entries) {
    const path = join(folder, entry.name)
    if (part === '**') {
      if (entry.isDirectory() && !entry.name.startsWith('.')) found.push(...(await below(path, parts)))
      continue
    }
    if (!matches(part, entry.name)) continue
    if (rest.length > 0) found.push(...(await below(path, rest)))
    else if (await isFile(path)) found.push(path)
  }
  return found
}

function matches(part: string, name: string): boolean {
  if (name.startsWith('.') && !part.startsWith('.')) return false
  const pattern = part
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${pattern}$`).test(name)
}

function isFile(path: string): Promise<boolean> {
  return readdir(dirname(path), { withFileTypes: true }).then(
    (entries) => entries.some((one) => join(dirname(path), one.name) === path && !one.isDirectory()),
    () => false,
  )
}

/** @throws UsageError that names every file and place which cannot be read, is no YAML, no rule file, or no PromQL */
export async function readRuleFiles(files: readonly string[], from: string): Promise<RuleGroup[]> {
  const groups: RuleGroup[] = []
  const problems: string[] = []
  for (const file of files) {
    try {
      const text = await readFile(resolve(from, file), 'utf8').catch(() => {
        throw new UsageError(`${file} cannot be read: check its permissions.`)
      })
      groups.push(...parseRuleFile(text, file))
    } catch (error) {
      if (!(error instanceof UsageError)) throw error
      problems.push(error.message)
    }
  }
  problems.push(...groups.flatMap(({ rules }) => rules.flatMap(expressionProblem)))
  if (problems.length > 0) throw new UsageError(problems.join('\n'))
  if (groups.every(({ rules }) => rules.length === 0)) {
    throw new UsageError(
      `${files.join(', ')} hold${files.length === 1 ? 's' : ''} no rule: give --rules files with rules.`,
    )
  }
  return groups
}

function expressionProblem(rule: RuleGroup['rules'][number]): string[] {
  try {
    parsePromql(rule.expr)
    return []
  } catch (error) {
    if (!(error instanceof PromqlError)) throw error
    const { line, column } = rule.locate('expr', error.offset)
    return [
      `${rule.file}:${line}:${column}: the expression of ${rule.name} is no PromQL (${error.message}); correct it there.`,
    ]
  }
}
