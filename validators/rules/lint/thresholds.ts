import { constantOf, partsOf, thresholdOf, walk } from '../expression.ts'
import type { Binary, ComparisonOp, Expr } from '../promql.ts'
import { greatestShare, holdsFor, valueRange } from '../value-range.ts'
import type { Finding, Lint } from './finding.ts'

type Found = Omit<Finding, 'lint' | 'of'>

/** A comparison that holds for no value that the expression can have; a burn factor times a budget of 1 or more is one. */
export const unreachableThreshold: Lint = ({ expr }, { recordings }) =>
  [...walk(expr)].flatMap((node): Found[] => {
    const threshold = thresholdOf(node)
    if (!threshold || threshold.node.bool) return []
    const { of, op, value, constant } = threshold
    const source = recordings.inlined(of)
    const range = valueRange(source)
    const at = { part: 'expr' as const, offset: constant.from }
    if (holdsFor(range, op, value) === 'none') {
      const burn = burnOf(constant)
      const why = burn
        ? `burn factor ${burn.factor} x budget ${burn.budget} = ${rounded(value)}: raise the objective or lower the factor`
        : 'change the threshold'
      return [
        {
          level: 'error',
          ...at,
          message: `it can never fire: the value is ${said(range)}, never ${op} ${rounded(value)} (${why})`,
        },
      ]
    }
    const ratio = looksLikeRatio(of)
    if (ratio && (op === '>' || op === '>=') && value >= 1) {
      const burn = burnOf(constant)
      const certain = burn !== undefined || ratio === 'named'
      const product = burn ? `, burn factor ${burn.factor} x budget ${burn.budget}` : ''
      const message = `a ratio of 0 to 1 is never ${op} ${rounded(value)}${product}: lower it, unless this is no share of a whole`
      return [{ level: certain ? 'error' : 'note', ...at, message }]
    }
    return []
  })

function said({ min, max }: { readonly min: number; readonly max: number }): string {
  if (min === max) return `always ${min}`
  if (max === Number.POSITIVE_INFINITY) return `at least ${min}`
  return min === Number.NEGATIVE_INFINITY ? `at most ${max}` : `between ${min} and ${max}`
}

function rounded(value: number): number {
  return Number(value.toPrecision(6))
}

/** The factors of a constant written as burn * (1 - objective). */
function burnOf(constant: Expr): { readonly factor: number; readonly budget: number } | undefined {
  if (constant.kind !== 'binary' || constant.op !== '*') return undefined
  const [a, b] = [constantOf(constant.left), constantOf(constant.right)]
  if (a === undefined || b === undefined) return undefined
  const [budget, factor] = a < b ? [a, b] : [b, a]
  return budget > 0 && budget < 1 && factor >= 1 ? { factor: rounded(factor), budget: rounded(budget) } : undefined
}

/** `named`: the metric calls itself a ratio. `divided`: two rates are divided, though not provably a part by its whole. */
function looksLikeRatio(expr: Expr): 'named' | 'divided' | undefined {
  if (expr.kind === 'selector' && /(^|[_:])(ratio|error_rate|burn)([_:]|$|\d|_rate)/.test(expr.metric ?? ''))
    return 'named'
  if (expr.kind === 'binary' && expr.op === '/' && isTraffic(expr.left) && isTraffic(expr.right)) return 'divided'
  return undefined
}

/** True for what grows with traffic, and is zero without any. */
function isTraffic(expr: Expr): boolean {
  return [...walk(expr)].some((one) => one.kind === 'call' && /^(i?rate|increase)$/.test(one.name))
}

/**
 * Divided by zero, a positive number is infinite and fires every `>`; zero is NaN and fires nothing. The first is an
 * error unless the numerator is a part of the denominator; the second is said, since silence may surprise as well.
 */
export const divisionByZero: Lint = ({ rule, expr }, { recordings }) => {
  const found: Found[] = []
  visit(expr, undefined, [])
  return found

  function visit(node: Expr, above: ComparisonOp | undefined, required: readonly Expr[]): void {
    if (node.kind === 'binary' && node.op === '/') {
      const finding = judge(node, above, required)
      if (finding) found.push(finding)
    }
    if (node.kind === 'binary' && node.op === 'and') {
      visit(node.left, above, [...required, node.right])
      visit(node.right, above, required)
      return
    }
    const threshold = thresholdOf(node)
    for (const part of partsOf(node)) visit(part, threshold?.op ?? above, required)
  }

  function judge(node: Binary, above: ComparisonOp | undefined, required: readonly Expr[]): Found | undefined {
    const [part, whole] = [recordings.inlined(node.left), recordings.inlined(node.right)]
    const at = { part: 'expr' as const, offset: node.right.from }
    const constant = constantOf(node.right)
    if (constant !== undefined) {
      return constant === 0 ? { level: 'error', ...at, message: 'it divides by the constant 0; correct it' } : undefined
    }
    const text = rule.expr.slice(node.right.from, node.right.to)
    const guarded = isNeverZero(whole) || required.some((one) => guards(one, node.right, rule.expr))
    if (guarded) return undefined
    if (greatestShare(part, whole) !== undefined) {
      return {
        level: 'note',
        ...at,
        message: `without traffic it is 0 / 0, which fires nothing; an alert on lost traffic must be one of its own`,
      }
    }
    const fires = rule.kind === 'alert' && (above === '>' || above === '>=') && isTraffic(whole)
    const remedy = `add "and ${text.length < 60 ? text.replace(/\s+/g, ' ') : 'the denominator'} > 0"`
    return fires
      ? {
          level: 'error',
          ...at,
          message: `where the denominator is 0 and the numerator is not, it is infinite and fires: ${remedy}`,
        }
      : {
          level: 'note',
          ...at,
          message: 'the denominator may be 0 or absent; the result is then infinite, NaN or missing',
        }
  }
}

/** By its range, or since it is compared in place: `/ (x > 0)`. */
function isNeverZero(whole: Expr): boolean {
  const { min, max } = valueRange(whole)
  return min > 0 || max < 0 || excludesZero(whole)
}

function excludesZero(expr: Expr): boolean {
  const threshold = thresholdOf(expr)
  return (
    threshold !== undefined &&
    !threshold.node.bool &&
    holdsFor({ min: 0, max: 0 }, threshold.op, threshold.value) === 'none'
  )
}

/** `and denominator > 0`, in whatever parentheses. */
function guards(condition: Expr, denominator: Expr, text: string): boolean {
  if (condition.kind === 'binary' && condition.op === 'and') {
    return guards(condition.left, denominator, text) || guards(condition.right, denominator, text)
  }
  const threshold = thresholdOf(condition)
  if (!threshold || !excludesZero(condition)) return false
  const plain = ({ from, to }: Expr) => text.slice(from, to).replace(/\s/g, '')
  return plain(threshold.of) === plain(denominator)
}
