import { documentedCheck, documentedChecks, parseCheckDocs } from '../check-docs.ts'
import { oneLine } from '../text.ts'

/** What docs/checks.md tells of a check. */
export interface Meaning {
  readonly red: string
  readonly lookFirst: string
}

/** Finds what a check's being red means, by its id; the documentation is the one place where that is said. */
export function readMeanings(text?: string): (id: string) => Meaning | undefined {
  const checks = text === undefined ? documentedChecks() : parseCheckDocs(text)
  const plain = (cell: string) => oneLine(cell.replace(/`/g, ''))
  return (id) => {
    const check = documentedCheck(id, checks)
    return check && check.red !== '' ? { red: plain(check.red), lookFirst: plain(check.lookFirst) } : undefined
  }
}
