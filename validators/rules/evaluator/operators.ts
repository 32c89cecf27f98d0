import { arithmetic } from '../expression.ts'
import { type Binary, type BinaryOp, type ComparisonOp, comparisonOps, type VectorMatching } from '../promql.ts'
import { type Labels, labelKey, pickLabels, type Sample, withoutName } from './series.ts'

/** The expression is right, but Prometheus refuses it on these series (many-to-many matching, equal label sets). */
export class EvaluationError extends Error {}

/** The evaluator doesn't know this part of PromQL. */
export class Unsupported extends Error {}

export function isComparison(op: BinaryOp): op is ComparisonOp {
  return comparisonOps.some((one) => one === op)
}

export function compare(op: ComparisonOp, left: number, right: number): boolean {
  switch (op) {
    case '==':
      return left === right
    case '!=':
      return left !== right
    case '>':
      return left > right
    case '>=':
      return left >= right
    case '<':
      return left < right
    case '<=':
      return left <= right
  }
}

export function calculate(op: BinaryOp, left: number, right: number): number {
  const value = arithmetic(op, left, right)
  if (value === undefined) throw new Unsupported(`the operator ${op}`)
  return value
}

const ignoreNothing: VectorMatching = { on: false, labels: [], include: [] }

/** By what two samples of the sides find each other. */
function signature(labels: Labels, { on, labels: names }: VectorMatching): string {
  return labelKey(on ? pickLabels(labels, names, true) : pickLabels(labels, [...names, '__name__'], false))
}

/** `and`, `or`, `unless`. */
export function combine(expr: Binary, left: readonly Sample[], right: readonly Sample[]): Sample[] {
  const matching = expr.matching ?? ignoreNothing
  const there = new Set(right.map(({ labels }) => signature(labels, matching)))
  if (expr.op === 'and') return left.filter(({ labels }) => there.has(signature(labels, matching)))
  if (expr.op === 'unless') return left.filter(({ labels }) => !there.has(signature(labels, matching)))
  const here = new Set(left.map(({ labels }) => signature(labels, matching)))
  return [...left, ...right.filter(({ labels }) => !here.has(signature(labels, matching)))]
}

/**
 * Vector with vector (`VectorBinop` of promql/engine.go).
 * @param result the value that is kept for two matching samples; undefined if the comparison drops them
 */
export function joinVectors(
  expr: Binary,
  left: readonly Sample[],
  right: readonly Sample[],
  result: (left: number, right: number) => number | undefined,
): Sample[] {
  const matching = expr.matching ?? ignoreNothing
  const swapped = matching.group === 'right'
  const [many, one] = swapped ? [right, left] : [left, right]
  if (many.length === 0 || one.length === 0) return []
  const ones = new Map<string, Sample>()
  for (const sample of one) {
    const key = signature(sample.labels, matching)
    if (ones.has(key)) throw new EvaluationError('several series on the side where one is needed')
    ones.set(key, sample)
  }
  const used = new Set<string>()
  const found: Sample[] = []
  for (const sample of many) {
    const key = signature(sample.labels, matching)
    const partner = ones.get(key)
    if (!partner) continue
    const labels = resultLabels(expr, matching, sample.labels, partner.labels)
    const unique = matching.group ? `${key}\u0001${labelKey(labels)}` : key
    if (used.has(unique)) throw new EvaluationError('several series match one, without group_left or group_right')
    used.add(unique)
    const value = swapped ? result(partner.value, sample.value) : result(sample.value, partner.value)
    if (value !== undefined) found.push({ labels, value })
  }
  return found
}

function resultLabels(expr: Binary, matching: VectorMatching, many: Labels, one: Labels): Labels {
  const named = isComparison(expr.op) && !expr.bool ? many : withoutName(many)
  if (!matching.group) {
    if (!expr.matching) return named
    return pickLabels(named, matching.labels, matching.on)
  }
  const labels: Record<string, string> = { ...named }
  for (const name of matching.include) {
    const value = one[name]
    if (value) labels[name] = value
    else delete labels[name]
  }
  return labels
}
