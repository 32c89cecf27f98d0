import type { CheckResult } from '../../lib/verdict.ts'
import type { Outcome } from '../check.ts'
import { labelKey, pickLabels } from './evaluator/series.ts'
import type { BehaviourRow } from './examine.ts'
import { simulated } from './simulated.ts'
import type { Situation } from './situation.ts'
import { fingerprint, fires, type Timeline, type Track } from './timeline.ts'
import type { VariantAnswer } from './trials.ts'
import { alertWords, recordWords } from './words.ts'

/** What one rule did, beside what it should have done. */
export interface Behaviour {
  readonly rows: readonly BehaviourRow[]
  readonly result: CheckResult
}

/**
 * Compares what promtool says of a rule with what follows from its expression.
 * @param name distinguishes rules of the same name
 */
export function behaviourOf(situation: Situation, answer: VariantAnswer, name: string): Behaviour {
  const { context, incidents, predictions, pace } = situation
  const { rule } = context
  const base = {
    id: `alerts.rules.behaviour.${name}`,
    title: `${name} does in simulated incidents what its expression says, and can ${rule.kind === 'alert' ? 'fire' : 'be recorded'}`,
    signal: 'alerts' as const,
  }
  if (answer.kind !== 'observed') {
    const outcome = simulated(
      { actual: answer.why, problems: [`${name} cannot be evaluated: ${answer.why}`] },
      asking(situation),
    )
    return { rows: [], result: { ...base, ...outcome } }
  }
  const words = rule.kind === 'alert' ? alertWords : recordWords
  const problems: string[] = []
  const rows = incidents.map((incident, index): BehaviourRow => {
    const clock = { stepMs: pace.stepMs, onset: incident.onset, steps: incident.steps }
    const observed = answer.timelines[index] ?? new Map()
    const prediction = predictions[index]
    const row = { file: rule.file, line: rule.line, rule: rule.name, kind: rule.kind, incident: incident.name }
    if (!prediction) return { ...row, observed: words(observed, clock) }
    const expected = words(prediction.timeline, clock)
    const seen = withoutAdded(observed, Object.keys(rule.labels))
    if (fingerprint(withoutAdded(prediction.timeline, Object.keys(rule.labels)), true) !== fingerprint(seen, true)) {
      problems.push(`${incident.name}: ${expected} by the expression, ${words(observed, clock)} in promtool`)
    }
    return { ...row, observed: words(observed, clock), expected }
  })
  return { rows, result: { ...base, ...outcomeOf(situation, answer.timelines, problems, name) } }
}

function outcomeOf(
  situation: Situation,
  timelines: readonly Timeline[],
  mismatches: readonly string[],
  name: string,
): Outcome {
  const { context, incidents, predictions, underivable, sought, always } = situation
  const { rule } = context
  const problems = [...mismatches]
  const happened = timelines.some((timeline) => (rule.kind === 'alert' ? fires(timeline) : timeline.size > 0))
  const derived = predictions.filter((one) => one !== undefined).length
  const actual = `${incidents.length} incidents, ${derived} of them derived from the expression${
    rule.kind === 'alert' ? `; it fires in ${timelines.filter(fires).length}` : ''
  }`
  if (sought?.trueWhenUsual) {
    problems.push(
      `${name} fires when nothing is wrong: its expression is true without a single failure, whatever the traffic`,
    )
  }
  const [healthy] = timelines
  const silentState = sought?.found?.healthy.some((level) => level !== undefined) || sought?.healthy
  if (rule.kind === 'alert' && !always && underivable === undefined && silentState && healthy && fires(healthy)) {
    problems.push(`${name} fires in the healthy incident`)
  }
  if (happened || problems.length > 0) {
    if (problems.length === 0 && underivable !== undefined) {
      return {
        verdict: 'skipped',
        reason: `what it should do could not be derived (${underivable}); the snapshot holds what it does: read it once`,
        evidence: { ...asking(situation), actual, attempts: 1, elapsedMs: 0 },
      }
    }
    return simulated({ actual, problems }, asking(situation))
  }
  if (rule.kind === 'alert' && underivable === undefined && sought?.exhausted) {
    const why = `no combination of levels that muster tried (${sought.tried}) makes its expression true`
    return simulated({ actual, problems: [`${name} can never fire: ${why}`] }, asking(situation))
  }
  const reason = underivable === undefined ? 'none of the levels tried does' : `it could not be derived: ${underivable}`
  return {
    verdict: 'no-data',
    reason: `nothing makes ${name} ${rule.kind === 'alert' ? 'fire' : 'record anything'} (${reason})`,
    evidence: { ...asking(situation), actual, attempts: 1, elapsedMs: 0 },
  }
}

function asking({ context: { rule, windowMs }, pace }: Situation) {
  const seconds = (ms: number) => `${ms / 1000} s`
  const how = `one evaluation each ${seconds(pace.stepMs)}, a window of ${seconds(windowMs)}`
  const keeps = rule.keepFiringForMs > 0 ? `, for ${seconds(rule.keepFiringForMs)} more after it` : ''
  return {
    expected:
      rule.kind === 'alert'
        ? `fires once its expression was true for ${seconds(rule.forMs)}, as long as it is true${keeps} (${how})`
        : `the value of its expression at every evaluation (${how})`,
    query: rule.expr,
  }
}

/** The rule's own labels hide what the expression says of theirs; tracks that only these tell apart are one. */
function withoutAdded(timeline: Timeline, added: readonly string[]): Timeline {
  if (added.length === 0) return timeline
  const merged = new Map<string, Map<number, string>>()
  for (const [key, track] of timeline) {
    const bare = labelKey(pickLabels(labelsOf(key), added, false))
    const into = merged.get(bare) ?? new Map<number, string>()
    for (const [step, state] of track) into.set(step, state)
    merged.set(bare, into)
  }
  return new Map<string, Track>([...merged].map(([key, track]) => [key, new Map([...track].sort(([a], [b]) => a - b))]))
}

function labelsOf(key: string): Record<string, string> {
  const parts = key.split('\u0000')
  const labels: Record<string, string> = {}
  for (let index = 0; index + 1 < parts.length; index += 2) labels[parts[index] ?? ''] = parts[index + 1] ?? ''
  return labels
}
