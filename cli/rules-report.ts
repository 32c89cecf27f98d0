import type { WriteStream } from 'node:tty'
import { paint, wantsColor } from '../reports/paint.ts'
import { table } from '../reports/table.ts'
import type { Examination, MutationScore } from '../validators/rules/examine.ts'
import type { Finding } from '../validators/rules/lint/finding.ts'
import { lineOf } from '../validators/rules/lint/lint.ts'
import { scoreOf } from '../validators/rules/mutation-results.ts'
import type { ParsedRule } from '../validators/rules/recordings.ts'

const usualWidth = 160

/** What was found of each rule, for people: when it fires and resolves, what lints say, what its tests miss. */
export function rulesReport(
  rules: readonly ParsedRule[],
  findings: readonly Finding[],
  { table: behaviour, mutation }: Examination,
  stream: Pick<WriteStream, 'isTTY' | 'columns'>,
): string[] {
  const { bold, dim, red, yellow, green } = paint(wantsColor(process.env, stream.isTTY))
  const room = stream.isTTY ? stream.columns : usualWidth
  const lines: string[] = []
  for (const parsed of rules) {
    const { rule } = parsed
    const isThis = (one: { readonly file: string; readonly line: number }) =>
      one.file === rule.file && one.line === rule.line
    lines.push('', `${bold(rule.name)}  ${dim(`${rule.file}:${rule.line}`)}`)
    const rows = behaviour
      .filter(isThis)
      .map(({ incident, observed, expected }) => [
        `  ${incident}`,
        observed,
        expected === undefined ? 'not derived' : expected === observed ? 'as derived' : `derived: ${expected}`,
      ])
    if (rows.length > 0)
      lines.push(...table([{ title: '  incident' }, { title: 'what it does' }, { title: '' }], rows, room))
    for (const finding of findings.filter(({ of }) => of === parsed)) {
      const colour = finding.level === 'error' ? red : yellow
      lines.push(`  ${colour(`${finding.level} ${finding.lint}`)} ${lineOf(finding)}`)
    }
    for (const score of mutation.filter(isThis)) {
      const colour = score.survivors.length === 0 && score.reason === undefined ? green : yellow
      lines.push(`  ${colour(scoreLine(score))}`, ...score.survivors.map((what) => `    survives: ${what}`))
    }
  }
  const totals = (['own', 'muster'] as const).flatMap((suite) => {
    const scores = mutation.filter((one) => one.suite === suite)
    const who = suite === 'own' ? 'your tests' : "muster's incidents"
    return scores.length === 0 ? [] : [`Mutation score of ${who}: ${percent(scoreOf(scores))}`]
  })
  return [...lines, '', ...totals, ...(totals.length > 0 ? [''] : [])].slice(1)
}

function scoreLine({ suite, killed, mutants, reason }: MutationScore): string {
  const who = suite === 'own' ? 'your tests' : "muster's incidents"
  return reason === undefined ? `${who} notice ${killed} of ${mutants} mutants` : `${who}: ${reason}`
}

function percent(score: number): string {
  return Number.isNaN(score) ? 'no mutant' : `${(score * 100).toFixed(1)} %`
}
