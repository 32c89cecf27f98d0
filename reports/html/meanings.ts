import { existsSync, readFileSync } from 'node:fs'
import { oneLine } from '../text.ts'

/** What docs/checks.md tells of a check. */
export interface Meaning {
  readonly red: string
  readonly lookFirst: string
}

const file = new URL('../../docs/checks.md', import.meta.url)

/** Finds what a check's being red means, by its id; the documentation is the one place where that is said. */
export function readMeanings(
  text = existsSync(file) ? readFileSync(file, 'utf8') : '',
): (id: string) => Meaning | undefined {
  const rows = text.split('\n').flatMap((line) => {
    // A bar inside of code is no edge of a cell.
    const cells = line.split(/(?<!\\)\|/).map((cell) => oneLine(cell.replaceAll('\\|', '|').replace(/`/g, '')))
    const [, id = '', , , red = '', lookFirst = ''] = cells
    return /^[a-z]+\.[a-z]/.test(id) && red !== '' ? [{ pattern: patternOf(id), meaning: { red, lookFirst } }] : []
  })
  return (id) => rows.find(({ pattern }) => pattern.test(id))?.meaning
}

/** `logs.lines.<service>` fits any service. */
function patternOf(id: string): RegExp {
  const parts = id.split(/<[^>]*>/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.+')}$`)
}
