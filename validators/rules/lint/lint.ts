import type { CheckResult } from '../../../lib/verdict.ts'
import { upWithoutAbsent } from './absence.ts'
import { droppedLabel, forTooShort, missingRunbook, missingSeverity, valueInLabel } from './declaration.ts'
import { type Finding, type Lint, type LintContext, type LintName, lints } from './finding.ts'
import { rateOnGauge } from './gauges.ts'
import { divisionByZero, unreachableThreshold } from './thresholds.ts'

const implementations: Readonly<Record<LintName, Lint>> = {
  'rate-on-gauge': rateOnGauge,
  'for-too-short': forTooShort,
  'missing-severity': missingSeverity,
  'missing-runbook': missingRunbook,
  'dropped-label': droppedLabel,
  'up-without-absent': upWithoutAbsent,
  'division-by-zero': divisionByZero,
  'value-in-label': valueInLabel,
  'unreachable-threshold': unreachableThreshold,
}

const names = Object.keys(lints).filter((name): name is LintName => name in lints)

/** Everything that the lints find, in the order of the rules; what a comment at the rule allows has become a note. */
export function findingsOf(context: LintContext): Finding[] {
  return context.rules.flatMap((of) =>
    names.flatMap((lint) =>
      implementations[lint](of, context).map((found): Finding => {
        const reason = of.rule.allowed.get(lint)
        if (reason === undefined || found.level === 'note') return { ...found, lint, of }
        return { ...found, lint, of, level: 'note', message: `${found.message} (allowed: ${reason})` }
      }),
    ),
  )
}

/** A finding with its place, as compilers write it: `rules/a.yml:12:9: HighErrorRate: …`. */
export function lineOf({ of: { rule }, part, offset, message }: Finding): string {
  const { line, column } = rule.locate(part, offset)
  return `${rule.file}:${line}:${column}: ${rule.name}: ${message}`
}

/** One check for each lint: errors fail it, notes are told in its evidence. */
export function lintResults(context: LintContext, findings: readonly Finding[]): CheckResult[] {
  const alerts = context.rules.filter(({ rule }) => rule.kind === 'alert').length
  return names.map((name) => {
    const own = findings.filter(({ lint }) => lint === name)
    const errors = own.filter(({ level }) => level === 'error').map(lineOf)
    const notes = own.filter(({ level }) => level === 'note').map((one) => `note: ${lineOf(one)}`)
    const looked = `${context.rules.length} rules, ${alerts} of them alerts: ${errors.length} errors, ${notes.length} notes`
    const [reason] = errors
    return {
      id: `alerts.rules.lint.${name}`,
      title: `Rules: ${lints[name]}`,
      signal: 'alerts',
      verdict: reason === undefined ? 'passed' : 'failed',
      ...(reason === undefined ? {} : { reason }),
      evidence: {
        expected: lints[name],
        actual: looked,
        attempts: 1,
        elapsedMs: 0,
        ...(own.length > 0 ? { details: [...errors, ...notes] } : {}),
      },
    }
  })
}
