import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { root } from '../harness.ts'

/** What a sabotage came to: the checks that caught it, a line of evidence each. */
export interface Row {
  readonly sabotage: string
  readonly seen: readonly string[]
}

/**
 * Writes docs/sabotages.md from what the tests saw, if MUSTER_WRITE_DOCS is set: a test run changes no file of the clone by
 * itself.
 */
export async function writeTable(rows: readonly Row[]): Promise<void> {
  if (!process.env.MUSTER_WRITE_DOCS) return
  const lines = rows.flatMap(({ sabotage, seen }) =>
    seen.map((text, n) => {
      const [, id = text, evidence = ''] = /^(\S+ [a-z-]+): (.*)$/s.exec(text) ?? []
      return `| ${n === 0 ? cell(sabotage) : ''} | ${cell(`\`${id.replace(' ', '` ')}`)} | ${cell(evidence)} |`
    }),
  )
  const text = [
    '# Sabotages, and what catches them',
    '',
    'Each row is a defect planted in the telemetry of the sample services or in the stack. Losses strike one request in a',
    'thousand. All checks that are not named stayed green, and a clean run before and after was green. This page is written by',
    '`MUSTER_WRITE_DOCS=1 npx vitest run --project system tests/sabotage.test.ts`, from what the checks said.',
    '',
    '| sabotage | caught by | evidence |',
    '| --- | --- | --- |',
    ...lines,
    '',
  ]
  await writeFile(join(root, 'docs', 'sabotages.md'), text.join('\n'))
}

function cell(text: string): string {
  const short = text.length > 220 ? `${text.slice(0, 219)}…` : text
  return short.replaceAll('|', '\\|').replaceAll('\n', ' ')
}
