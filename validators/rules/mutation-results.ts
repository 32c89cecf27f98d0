import type { CheckResult } from '../../lib/verdict.ts'
import type { MutationScore } from './examine.ts'

const suites = {
  own: "Rules: your tests notice the rules' mutants",
  muster: "Rules: muster's incidents notice the rules' mutants",
} as const

/** The share of mutants that tests notice, over all rules; NaN without a mutant. */
export function scoreOf(scores: readonly MutationScore[]): number {
  const mutants = scores.reduce((sum, one) => sum + one.mutants, 0)
  return scores.reduce((sum, one) => sum + one.killed, 0) / mutants
}

/**
 * One check for each suite of tests. Survivors are told in its evidence; they fail it below a least score.
 * @param least 0 to 1; absent: survivors are only told
 */
export function mutationResults(all: readonly MutationScore[], least: number | undefined): CheckResult[] {
  return (['own', 'muster'] as const).flatMap((suite): CheckResult[] => {
    const scores = all.filter((one) => one.suite === suite)
    if (scores.length === 0) return []
    const score = scoreOf(scores)
    const killed = scores.reduce((sum, one) => sum + one.killed, 0)
    const mutants = scores.reduce((sum, one) => sum + one.mutants, 0)
    const survivors = scores.flatMap(({ file, line, rule, survivors: left, reason }) => [
      ...(reason === undefined ? [] : [`${file}:${line}: ${rule}: ${reason}`]),
      ...left.map((what) => `${file}:${line}: ${rule}: nothing notices ${what}`),
    ])
    const low = least !== undefined && score < least
    const said = `${killed} of ${mutants} mutants noticed, score ${score.toFixed(2)}`
    const reason = mutants === 0 ? 'there is no mutant, so nothing is proven' : `${said}, below ${least}`
    const verdict = mutants === 0 ? 'no-data' : low ? 'failed' : 'passed'
    return [
      {
        id: `alerts.rules.mutation.${suite}`,
        title: suites[suite],
        signal: 'alerts',
        verdict,
        ...(verdict === 'passed' ? {} : { reason }),
        evidence: {
          expected: least === undefined ? 'a score; --min-score sets the least' : `a score of at least ${least}`,
          actual: said,
          attempts: 1,
          elapsedMs: 0,
          ...(survivors.length > 0 ? { details: survivors } : {}),
        },
      },
    ]
  })
}
