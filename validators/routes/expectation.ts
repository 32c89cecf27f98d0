import { LineCounter, parseDocument, stringify } from 'yaml'
import { z } from 'zod'
import { UsageError } from '../../lib/errors.ts'
import type { Labels } from '../../lib/matcher.ts'
import { readSnapshotFile, writeSnapshotFile } from '../snapshot-file.ts'

/** Who has to be told of an alert. */
export interface Expected {
  readonly labels: Labels
  /** When it fires, for time intervals; absent: at a time at which none mutes. Epoch milliseconds. */
  readonly at?: number
  /** One entry a delivery. */
  readonly receivers: readonly string[]
  /** In the expectation file. */
  readonly line: number
}

const entry = z.strictObject({
  alert: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String)),
  at: z.iso
    .datetime({ offset: true, error: 'is no time like 2026-12-24T18:00:00Z' })
    .transform((text) => Date.parse(text))
    .optional(),
  receivers: z.array(z.string()),
})
const fileSchema = z.array(entry, 'must be a list of {alert, receivers}')

/**
 * Reads an expectation file: a list of `alert` (labels), `receivers` and perhaps `at`. Undefined if there is no such file.
 * @throws UsageError with line and path of every problem
 */
export async function readExpectations(path: string): Promise<readonly Expected[] | undefined> {
  const text = await readSnapshotFile(path)
  return text === undefined ? undefined : parseExpectations(text, path)
}

/** Like `readExpectations`, of a text. @throws UsageError */
export function parseExpectations(text: string, path: string): readonly Expected[] {
  const counter = new LineCounter()
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false })
  const wrong = document.errors[0]
  if (wrong)
    throw new UsageError(`${path}:${counter.linePos(wrong.pos[0]).line} is not YAML (${wrong.message}); correct it.`)
  const lineOf = (at: readonly PropertyKey[]) => {
    for (let depth = at.length; depth > 0; depth--) {
      const node: unknown = document.getIn(at.slice(0, depth), true)
      if (node && typeof node === 'object' && 'range' in node && Array.isArray(node.range)) {
        return counter.linePos(Number(node.range[0])).line
      }
    }
    return 1
  }
  const parsed = fileSchema.safeParse(document.toJS())
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      ({ path: at, message }) => `${path}:${lineOf(at)} ${at.join('.')} ${message}`,
    )
    throw new UsageError(`${problems.join('\n')}: correct the expectation file, or have it written anew with --update.`)
  }
  return parsed.data.map(({ alert, at, receivers }, n) => ({
    labels: alert,
    receivers,
    line: lineOf([n]),
    ...(at === undefined ? {} : { at }),
  }))
}

const head = `# Who is told of which alert. Written by muster alerts route from what Alertmanager did; read it, and keep it with
# the Alertmanager file. Entries may be added by hand; "at: 2026-12-24T18:00:00Z" asks for a time, for time intervals.
# --update writes it anew, entries with a time included.
`

/** @throws UsageError if the file cannot be written */
export async function writeExpectations(path: string, entries: readonly Omit<Expected, 'line'>[]): Promise<void> {
  const list = entries.map(({ labels, at, receivers }) => ({
    alert: labels,
    ...(at === undefined ? {} : { at: new Date(at).toISOString() }),
    receivers,
  }))
  await writeSnapshotFile(path, head + stringify(list, { lineWidth: 0 }))
}
