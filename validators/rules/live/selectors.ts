import type { CheckResult } from '../../../lib/verdict.ts'
import { selectorsOf } from '../expression.ts'
import type { ParsedRule } from '../recordings.ts'
import { Reach, type Unreached } from './reach.ts'
import { countQuery, type LiveContext } from './source.ts'

const remedies: Readonly<Record<Unreached['kind'], string>> = {
  impossible: 'it can never have a result',
  unseen: 'it has had no result in all that Prometheus keeps, so nothing proves that it can',
  gone: 'it has matched before, so either it was renamed or its source is down',
  past: 'it has matched before',
}

/** Whether everything that a rule needs to have a result exists. */
export async function selectorResult(of: ParsedRule, context: LiveContext): Promise<CheckResult> {
  const { rule, expr } = of
  const began = performance.now()
  const selectors = selectorsOf(expr)
  const who = {
    id: `alerts.rules.live.selectors.${context.keys.get(of) ?? rule.name}`,
    title: `Rules: every selector of ${context.keys.get(of) ?? rule.name} matches live series`,
    signal: 'alerts' as const,
  }
  const queries = selectors.map(({ bare }) => countQuery(rule.expr.slice(bare.from, bare.to)))
  const first = queries[0]
  const evidence = {
    expected: 'each selector matches a series of the last hour',
    attempts: 1,
    ...(first === undefined
      ? {}
      : { query: first, reproduce: context.source.prometheus.client.curl('/api/v1/query', { query: first }) }),
  }
  const elapsed = () => Math.round(performance.now() - began)
  let missing: readonly Unreached[]
  try {
    missing = await new Reach(rule.expr, context).missing(expr)
  } catch (error) {
    context.source.signal.throwIfAborted()
    if (!(error instanceof Error)) throw error
    return {
      ...who,
      verdict: 'errored',
      reason: error.message,
      evidence: { ...evidence, actual: 'could not ask', elapsedMs: elapsed() },
    }
  }
  const allowed = rule.allowed.get('unseen')
  const lines = missing.map(({ kind, selector, text, why }) => {
    const { line, column } = rule.locate('expr', selector.from)
    const excuse = isDoubtful(kind) && allowed !== undefined ? ` (allowed: ${allowed})` : ''
    return `${rule.file}:${line}:${column}: ${text} matches nothing: ${why}; ${remedies[kind]}${excuse}`
  })
  const red = missing.findIndex(({ kind }) => kind === 'impossible')
  const doubtful = allowed === undefined ? missing.findIndex(({ kind }) => isDoubtful(kind)) : -1
  const verdict = red >= 0 ? 'failed' : doubtful >= 0 ? 'no-data' : 'passed'
  const reason = lines[red >= 0 ? red : doubtful]
  return {
    ...who,
    verdict,
    ...(reason === undefined ? {} : { reason }),
    evidence: {
      ...evidence,
      actual: `${selectors.length - missing.length} of ${selectors.length} match`,
      elapsedMs: elapsed(),
      ...(lines.length > 0 ? { details: lines } : {}),
    },
  }
}

/** Neither proven to be possible nor impossible. */
function isDoubtful(kind: Unreached['kind']): boolean {
  return kind === 'unseen' || kind === 'gone'
}
