import type { CheckResult } from '../../../lib/verdict.ts'
import { type Check, judged, put } from '../../check.ts'
import type { ParsedRule } from '../recordings.ts'
import { dilutedDenominators } from './denominators.ts'
import { evaluationQuestions, evaluationResults } from './evaluations.ts'
import { unknownLabels } from './labels.ts'
import { selectorResult } from './selectors.ts'
import type { LiveContext } from './source.ts'

/** Every question about rules that a Prometheus with live series can answer. */
export async function liveResults(context: LiveContext): Promise<CheckResult[]> {
  const { source, rules } = context
  const selectors = await Promise.all(rules.map((rule) => selectorResult(rule, context)))
  const labels = overAll(
    'labels',
    'labels that rules name exist',
    'each label of by, on and templates is one of live series',
    unknownLabels,
  )
  const denominators = overAll(
    'denominators',
    'no ratio counts health checks among its requests',
    'no denominator counts requests for health checks',
    dilutedDenominators,
  )
  return [
    ...selectors,
    await put(labels, source.signal),
    await put(denominators, source.signal),
    ...(await evaluations()),
  ]

  function overAll(
    name: string,
    title: string,
    expected: string,
    problemsOf: (rule: ParsedRule, context: LiveContext) => Promise<string[]>,
  ): Check {
    return {
      id: `alerts.rules.live.${name}`,
      title: `Rules: ${title}`,
      signal: 'alerts',
      run: async () => {
        const problems = (await Promise.all(rules.map((rule) => problemsOf(rule, context)))).flat()
        return judged(
          { actual: `${rules.length} rules, ${problems.length} problems`, problems, empty: rules.length === 0 },
          { expected, window: { from: source.now - 3_600_000, to: source.now } },
        )
      },
    }
  }

  async function evaluations(): Promise<CheckResult[]> {
    try {
      return await evaluationResults(context)
    } catch (error) {
      source.signal.throwIfAborted()
      const reason = error instanceof Error ? error.message : String(error)
      const evidence = {
        expected: 'the rules that Prometheus has loaded',
        actual: 'could not ask',
        attempts: 1,
        elapsedMs: 0,
      }
      return evaluationQuestions.map((question) => ({ ...question, verdict: 'errored', reason, evidence }))
    }
  }
}
