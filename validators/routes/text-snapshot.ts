import { parse, stringify } from 'yaml'
import { z } from 'zod'
import { UsageError } from '../../lib/errors.ts'
import type { CheckResult } from '../../lib/verdict.ts'
import { readSnapshotFile, writeSnapshotFile } from '../snapshot-file.ts'
import { routeCheck, skippedCheck } from './route-check.ts'
import type { RenderedText } from './template-round.ts'

const snapshot = z.record(z.string(), z.record(z.string(), z.array(z.string())))
type Snapshot = z.infer<typeof snapshot>

const heading =
  '# What each integration tells; written by muster alerts route, compared on each later run (--update writes it anew).\n'
const id = 'texts'
const title = 'The rendered texts are those of the snapshot'

/**
 * Compares with the texts of an earlier run; writes them if there are none, or `update` is true.
 * @throws UsageError if the file is no snapshot, or cannot be written
 */
export async function textsCheck(
  texts: readonly RenderedText[],
  { path, update }: { readonly path: string; readonly update: boolean },
): Promise<CheckResult> {
  const from = Date.now()
  const now = snapshotOf(texts)
  const before = update ? undefined : await readSnapshot(path)
  const all = Object.values(now).reduce((sum, cases) => sum + Object.keys(cases).length, 0)
  if (!before) {
    await writeSnapshotFile(path, heading + stringify(now, { lineWidth: 0, blockQuote: 'literal' }))
    return skippedCheck(id, title, `${all} texts were written to ${path}; later runs are compared with them.`)
  }
  const problems = [...new Set([...Object.keys(before), ...Object.keys(now)])].flatMap((where) => {
    const [was, is] = [before[where] ?? {}, now[where] ?? {}]
    return [...new Set([...Object.keys(was), ...Object.keys(is)])].flatMap((name) => {
      const difference = differenceOf(was[name], is[name])
      return difference === undefined ? [] : [`${where}, ${name}: ${difference}`]
    })
  })
  return routeCheck(
    { id, title, expected: `the texts of ${path}`, window: { from, to: Date.now() } },
    { actual: `${all} texts, ${problems.length} of them different`, problems, empty: all === 0 },
  )
}

/** By integration and group_by, then by case; without times, ports and other chance. */
function snapshotOf(texts: readonly RenderedText[]): Snapshot {
  const found: Snapshot = {}
  for (const { receiver, integration, groupBy, case: name, texts: some } of texts) {
    const where = `${integration} of ${receiver}, grouped by [${groupBy.join(', ')}]`
    found[where] = { ...found[where], [name]: some.map(withoutChance).sort() }
  }
  return found
}

/** Replaces what differs from run to run. */
function withoutChance(text: string): string {
  return text
    .replaceAll(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?(Z|UTC|[+-]\d\d:?\d\d))*( m=[+-][\d.]+)?/g, '<time>')
    .replaceAll(/127\.0\.0\.1:\d+/g, '<sink>')
    .replaceAll('\r\n', '\n')
}

function differenceOf(was: readonly string[] | undefined, is: readonly string[] | undefined): string | undefined {
  if (!was) return 'it was not told before, and is now'
  if (!is) return 'it was told before, and is not now'
  if (was.length !== is.length) return `${is.length} notifications instead of ${was.length}`
  for (const [n, text] of is.entries()) {
    const [old, fresh] = [(was[n] ?? '').split('\n'), text.split('\n')]
    const line = fresh.findIndex((one, at) => one !== old[at])
    const at = line < 0 && old.length > fresh.length ? fresh.length : line
    if (at >= 0) return `line ${at + 1} was ${shown(old[at])} and is ${shown(fresh[at])}`
  }
  return undefined
}

function shown(line: string | undefined): string {
  if (line === undefined) return 'absent'
  return JSON.stringify(line.length > 120 ? `${line.slice(0, 120)}…` : line)
}

async function readSnapshot(path: string): Promise<Snapshot | undefined> {
  const text = await readSnapshotFile(path)
  if (text === undefined) return undefined
  const parsed = snapshot.safeParse(safely(text))
  if (parsed.success) return parsed.data
  throw new UsageError(`${path} is no snapshot of texts: remove it, or write it anew with --update.`)
}

function safely(text: string): unknown {
  try {
    return parse(text)
  } catch {
    return undefined
  }
}
