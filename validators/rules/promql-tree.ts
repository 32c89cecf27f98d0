/** Where a part of an expression stands: offsets into its text, the end not included. */
export interface Span {
  readonly from: number
  readonly to: number
}

export interface Matcher extends Span {
  readonly label: string
  readonly op: '=' | '!=' | '=~' | '!~'
  readonly opSpan: Span
  readonly value: string
  /** With its quotes. */
  readonly valueSpan: Span
}

interface Shifted {
  /** Milliseconds into the past; negative for the future; undefined if it is computed (`offset step()`). */
  readonly offsetMs: number | undefined
  /** True with `@ <time>`, `@ start()` or `@ end()`: it then doesn't depend on when it is asked. */
  readonly pinned: boolean
}

/** A vector selector, or with `rangeMs` a matrix selector. */
export interface Selector extends Span, Shifted {
  readonly kind: 'selector'
  /** Absent if it is not named, or only by a matcher of `__name__` other than `=`. */
  readonly metric?: string
  /** Absent if the name is not written in front of the braces. */
  readonly metricSpan?: Span
  /** As written, a matcher of `__name__` included. */
  readonly matchers: readonly Matcher[]
  /** Absent for a vector selector; NaN if the range is computed (`[step()]`). */
  readonly rangeMs?: number
  readonly rangeSpan?: Span
  /** Name and braces alone, without range and offset. */
  readonly bare: Span
}

export interface Subquery extends Span, Shifted {
  readonly kind: 'subquery'
  readonly of: Expr
  readonly rangeMs: number
  readonly rangeSpan: Span
  /** Absent: the evaluation interval that Prometheus was started with. */
  readonly stepMs?: number
}

export interface Call extends Span {
  readonly kind: 'call'
  readonly name: string
  readonly nameSpan: Span
  readonly args: readonly Expr[]
}

export interface Grouping extends Span {
  readonly without: boolean
  readonly labels: readonly string[]
  /** One for each label. */
  readonly labelSpans: readonly Span[]
}

export interface Aggregation extends Span {
  readonly kind: 'aggregation'
  readonly op: string
  readonly opSpan: Span
  readonly grouping?: Grouping
  /** The k of topk, the φ of quantile, the label of count_values. */
  readonly parameter?: Expr
  readonly of: Expr
}

export const comparisonOps = ['==', '!=', '>', '>=', '<', '<='] as const
export type ComparisonOp = (typeof comparisonOps)[number]
type ArithmeticOp = '+' | '-' | '*' | '/' | '%' | '^' | 'atan2'
export type SetOp = 'and' | 'or' | 'unless'
/** The last two trim native histograms. */
export type BinaryOp = ComparisonOp | ArithmeticOp | SetOp | '</' | '>/'

export interface VectorMatching {
  /** False: `ignoring`. */
  readonly on: boolean
  readonly labels: readonly string[]
  /** The side with many. */
  readonly group?: 'left' | 'right'
  readonly include: readonly string[]
}

export interface Binary extends Span {
  readonly kind: 'binary'
  readonly op: BinaryOp
  readonly opSpan: Span
  readonly bool: boolean
  readonly left: Expr
  readonly right: Expr
  readonly matching?: VectorMatching
}

export interface Unary extends Span {
  readonly kind: 'unary'
  readonly op: '-' | '+'
  readonly of: Expr
}

export interface NumberLiteral extends Span {
  readonly kind: 'number'
  /** A duration counts in seconds, as in Prometheus. */
  readonly value: number
}

export interface StringLiteral extends Span {
  readonly kind: 'string'
  readonly value: string
}

/** A PromQL expression; parentheses are gone, since the tree says the same. */
export type Expr = Selector | Subquery | Call | Aggregation | Binary | Unary | NumberLiteral | StringLiteral
