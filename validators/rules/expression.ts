import { type Binary, type BinaryOp, type ComparisonOp, comparisonOps, type Expr, type Selector } from './promql.ts'

/** The direct parts of an expression, in the order they are written. */
export function partsOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'call':
      return expr.args
    case 'aggregation':
      return expr.parameter ? [expr.parameter, expr.of] : [expr.of]
    case 'binary':
      return [expr.left, expr.right]
    case 'unary':
    case 'subquery':
      return [expr.of]
    default:
      return []
  }
}

/** The expression itself and every part of it, outermost first. */
export function* walk(expr: Expr): Generator<Expr> {
  yield expr
  for (const part of partsOf(expr)) yield* walk(part)
}

/** Every selector, in the order they are written. */
export function selectorsOf(expr: Expr): Selector[] {
  return [...walk(expr)].filter((one) => one.kind === 'selector')
}

const scalarFunctions = new Set(['scalar', 'time', 'pi', 'start', 'end', 'range', 'step'])

/** True for what Prometheus calls a scalar: a number without labels. */
export function isScalar(expr: Expr): boolean {
  switch (expr.kind) {
    case 'number':
      return true
    case 'call':
      return scalarFunctions.has(expr.name)
    case 'unary':
      return isScalar(expr.of)
    case 'binary':
      return isScalar(expr.left) && isScalar(expr.right)
    default:
      return false
  }
}

/** The value of an expression that is arithmetic on numbers (`14.4 * (1 - 0.999)`); undefined for any other. */
export function constantOf(expr: Expr): number | undefined {
  if (expr.kind === 'number') return expr.value
  if (expr.kind === 'call' && (expr.name === 'scalar' || expr.name === 'vector')) {
    const [argument] = expr.args
    return argument ? constantOf(argument) : undefined
  }
  if (expr.kind === 'unary') {
    const value = constantOf(expr.of)
    return value === undefined || expr.op === '+' ? value : -value
  }
  if (expr.kind !== 'binary') return undefined
  const [left, right] = [constantOf(expr.left), constantOf(expr.right)]
  if (left === undefined || right === undefined) return undefined
  return arithmetic(expr.op, left, right)
}

/** What PromQL makes of two numbers; undefined for what is no arithmetic operator. */
export function arithmetic(op: BinaryOp, left: number, right: number): number | undefined {
  switch (op) {
    case '+':
      return left + right
    case '-':
      return left - right
    case '*':
      return left * right
    case '/':
      return left / right
    case '%':
      return left % right
    case '^':
      return left ** right
    case 'atan2':
      return Math.atan2(left, right)
    default:
      return undefined
  }
}

/** A comparison of a vector with a constant. */
export interface Threshold {
  readonly node: Binary
  /** What is compared. */
  readonly of: Expr
  /** As if the constant stood on the right. */
  readonly op: ComparisonOp
  readonly value: number
  /** The constant as it is written. */
  readonly constant: Expr
}

const mirrored: Readonly<Record<ComparisonOp, ComparisonOp>> = {
  '==': '==',
  '!=': '!=',
  '>': '<',
  '>=': '<=',
  '<': '>',
  '<=': '>=',
}

/** The comparison that this very node is; undefined if it is none, or not with a constant. */
export function thresholdOf(expr: Expr): Threshold | undefined {
  if (expr.kind !== 'binary') return undefined
  const op = comparisonOps.find((one) => one === expr.op)
  if (!op) return undefined
  const [left, right] = [constantOf(expr.left), constantOf(expr.right)]
  if (right !== undefined && left === undefined) {
    return { node: expr, of: expr.left, op, value: right, constant: expr.right }
  }
  if (left !== undefined && right === undefined) {
    return { node: expr, of: expr.right, op: mirrored[op], value: left, constant: expr.left }
  }
  return undefined
}

/** Every comparison with a constant, outermost first. */
export function thresholdsOf(expr: Expr): Threshold[] {
  return [...walk(expr)].flatMap((one) => thresholdOf(one) ?? [])
}
