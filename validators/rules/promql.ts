import type { SyntaxNode } from '@lezer/common'
import { parser } from '@prometheus-io/lezer-promql'
import { numberOf, stringOf } from './promql-literal.ts'
import { type Modifier, maskModifiers } from './promql-modifiers.ts'
import {
  type Aggregation,
  type Binary,
  type BinaryOp,
  type Call,
  comparisonOps,
  type Expr,
  type Matcher,
  type Selector,
  type Span,
  type Subquery,
  type VectorMatching,
} from './promql-tree.ts'

export * from './promql-tree.ts'

/** What cannot be parsed, and from which offset on. */
export class PromqlError extends Error {
  readonly offset: number
  constructor(message: string, offset: number) {
    super(message)
    this.name = 'PromqlError'
    this.offset = offset
  }
}

/** @throws PromqlError at the first place that is no PromQL */
export function parsePromql(text: string): Expr {
  const { masked, modifiers } = maskModifiers(text)
  const tree = parser.parse(masked)
  let wrong: SyntaxNode | undefined
  tree.iterate({
    enter: ({ type, node }) => {
      if (type.isError && (wrong === undefined || node.from < wrong.from)) wrong = node
    },
  })
  if (wrong !== undefined) throw new PromqlError(complaint(text, wrong.from), wrong.from)
  const top = tree.topNode.firstChild
  if (!top) throw new PromqlError('it is empty', 0)
  const builder = new Builder(masked, modifiers)
  const expr = builder.expr(top)
  const [left] = builder.modifiersLeft()
  if (left) throw new PromqlError('only a selector or a subquery can have an offset or an @', left.from)
  return expr
}

function complaint(text: string, at: number): string {
  const rest = text.slice(at).trimStart()
  if (rest === '') return 'it ends too early'
  const before = /([A-Za-z_]\w*)\s*$/.exec(text.slice(0, at))?.[1]
  if (rest.startsWith('(') && before !== undefined) return `"${before}" is no function of PromQL`
  const called = /^([A-Za-z_]\w*)\s*\(/.exec(rest)?.[1]
  if (called !== undefined) return `"${called}" is no function of PromQL, or stands where none can`
  return `"${/^(\w+|\W)/.exec(rest)?.[0] ?? rest}" is not expected there`
}

class Builder {
  readonly #text: string
  readonly #modifiers: Set<Modifier>
  constructor(text: string, modifiers: readonly Modifier[]) {
    this.#text = text
    this.#modifiers = new Set(modifiers)
  }

  modifiersLeft(): readonly Modifier[] {
    return [...this.#modifiers]
  }

  expr(node: SyntaxNode): Expr {
    const span = spanOf(node)
    switch (node.name) {
      case 'ParenExpr':
        return this.expr(only(node))
      case 'NumberDurationLiteral':
        return { kind: 'number', ...span, value: this.#number(node) }
      case 'StringLiteral':
        return { kind: 'string', ...span, value: stringOf(this.#textOf(node)) }
      case 'UnaryExpr':
        return this.#unary(node)
      case 'VectorSelector':
        return this.#selector(node)
      case 'MatrixSelector':
        return this.#ranged(node)
      case 'SubqueryExpr':
        return this.#subquery(node)
      case 'OffsetExpr': {
        // Those by a plain duration are blanked out; what is left is computed while Prometheus evaluates.
        const of = this.expr(only(node))
        if (of.kind === 'selector' || of.kind === 'subquery') return { ...of, ...span, offsetMs: undefined }
        throw new PromqlError('only a selector or a subquery can have an offset', node.from)
      }
      case 'FunctionCall':
        return this.#call(node)
      case 'AggregateExpr':
        return this.#aggregation(node)
      case 'BinaryExpr':
        return this.#binary(node)
      default:
        throw new PromqlError(`"${this.#textOf(node)}" is not understood`, node.from)
    }
  }

  #textOf(node: Span): string {
    return this.#text.slice(node.from, node.to)
  }

  #number(node: SyntaxNode): number {
    const value = numberOf(this.#textOf(node))
    if (value === undefined) throw new PromqlError(`"${this.#textOf(node)}" is no number`, node.from)
    return value
  }

  #unary(node: SyntaxNode): Expr {
    const op = this.#textOf(only(node)) === '-' ? '-' : '+'
    const of = this.expr(last(node))
    // Prometheus makes one number of it, too.
    if (of.kind === 'number') return { ...of, ...spanOf(node), value: op === '-' ? -of.value : of.value }
    return { kind: 'unary', ...spanOf(node), op, of }
  }

  /** Milliseconds; NaN for what Prometheus computes while it evaluates. */
  #duration(node: SyntaxNode): number {
    const parts = children(node)
    const [first, second] = parts
    if (first?.name === 'NumberDurationLiteralInDurationContext' && parts.length === 1)
      return Math.round(this.#number(first) * 1000)
    if (first?.name === 'UnaryOp' && second) return (this.#textOf(first) === '-' ? -1 : 1) * this.#duration(second)
    if (first?.name === 'DurationExpr' && parts.length === 1) return this.#duration(first)
    return Number.NaN
  }

  #selector(node: SyntaxNode): Selector {
    const name = node.getChild('Identifier')
    const braces = node.getChild('LabelMatchers')
    const matchers: Matcher[] = []
    let quotedName: string | undefined
    for (const child of braces ? children(braces) : []) {
      if (child.name === 'QuotedLabelName') quotedName = stringOf(this.#textOf(child))
      else matchers.push(this.#matcher(child))
    }
    const byMatcher = matchers.find(({ label, op }) => label === '__name__' && op === '=')?.value
    const metric = name ? this.#textOf(name) : (quotedName ?? byMatcher)
    return this.#modified({
      kind: 'selector',
      ...spanOf(node),
      ...(metric === undefined ? {} : { metric }),
      ...(name ? { metricSpan: spanOf(name) } : {}),
      matchers,
      bare: spanOf(node),
      offsetMs: 0,
      pinned: false,
    })
  }

  #matcher(node: SyntaxNode): Matcher {
    const [label, op, value] = children(node)
    if (!label || !op || !value) throw new PromqlError('a label matcher is not complete', node.from)
    const name = this.#textOf(label)
    return {
      ...spanOf(node),
      label: label.name === 'QuotedLabelName' ? stringOf(name) : name,
      op: matchOp(this.#textOf(op)),
      opSpan: spanOf(op),
      value: stringOf(this.#textOf(value)),
      valueSpan: spanOf(value),
    }
  }

  #ranged(node: SyntaxNode): Selector {
    const of = this.expr(only(node))
    const range = last(node)
    if (of.kind !== 'selector') throw new PromqlError('only a selector can have a range', node.from)
    return this.#modified({ ...of, ...spanOf(node), rangeMs: this.#duration(range), rangeSpan: spanOf(range) })
  }

  #subquery(node: SyntaxNode): Subquery {
    const [of, range, step] = children(node)
    if (!of || !range) throw new PromqlError('a subquery is not complete', node.from)
    return this.#modified({
      kind: 'subquery',
      ...spanOf(node),
      of: this.expr(of),
      rangeMs: this.#duration(range),
      rangeSpan: spanOf(range),
      ...(step ? { stepMs: this.#duration(step) } : {}),
      offsetMs: 0,
      pinned: false,
    })
  }

  /** With the modifiers that follow it immediately. */
  #modified<T extends Selector | Subquery>(of: T): T {
    let modified = of
    for (const modifier of this.#modifiers) {
      if (modifier.from < modified.to || this.#text.slice(modified.to, modifier.from).trim() !== '') continue
      this.#modifiers.delete(modifier)
      modified = { ...modified, ...modifier.change, to: modifier.to }
    }
    return modified
  }

  #call(node: SyntaxNode): Call {
    const name = only(node)
    const body = node.getChild('FunctionCallBody')
    const args = (body ? children(body) : []).map((one) => this.expr(one))
    return { kind: 'call', ...spanOf(node), name: this.#textOf(name), nameSpan: spanOf(name), args }
  }

  #aggregation(node: SyntaxNode): Aggregation {
    const op = node.getChild('AggregateOp')
    const body = node.getChild('FunctionCallBody')
    const modifier = node.getChild('AggregateModifier')
    const args = (body ? children(body) : []).map((one) => this.expr(one))
    const of = args.at(-1)
    if (!op || !of || args.length > 2) throw new PromqlError('an aggregation takes one or two arguments', node.from)
    const [parameter] = args.length === 2 ? args : []
    const labels = modifier?.getChild('GroupingLabels')
    const grouping =
      modifier && labels
        ? {
            ...spanOf(modifier),
            without: modifier.getChild('Without') !== null,
            labels: this.#labels(labels),
            labelSpans: children(labels).map(spanOf),
          }
        : undefined
    return {
      kind: 'aggregation',
      ...spanOf(node),
      op: this.#textOf(op).toLowerCase(),
      opSpan: spanOf(op),
      ...(grouping ? { grouping } : {}),
      ...(parameter ? { parameter } : {}),
      of,
    }
  }

  #labels(node: SyntaxNode): string[] {
    return children(node).map((one) =>
      one.name === 'QuotedLabelName' ? stringOf(this.#textOf(one)) : this.#textOf(one),
    )
  }

  #binary(node: SyntaxNode): Binary {
    const parts = children(node)
    const [left, op] = parts
    const right = parts.at(-1)
    if (!left || !op || !right) throw new PromqlError('an operator lacks a side', node.from)
    const clause = node.getChild('MatchingModifierClause')
    const matching = clause ? this.#matching(clause) : undefined
    return {
      kind: 'binary',
      ...spanOf(node),
      op: binaryOp(this.#textOf(op), op.from),
      opSpan: spanOf(op),
      bool: node.getChild('BoolModifier') !== null,
      left: this.expr(left),
      right: this.expr(right),
      ...(matching ? { matching } : {}),
    }
  }

  #matching(clause: SyntaxNode): VectorMatching {
    const [labels, include] = clause.getChildren('GroupingLabels')
    const group = clause.getChild('GroupLeft') ? 'left' : clause.getChild('GroupRight') ? 'right' : undefined
    return {
      on: clause.getChild('On') !== null,
      labels: labels ? this.#labels(labels) : [],
      ...(group ? { group } : {}),
      include: include ? this.#labels(include) : [],
    }
  }
}

const binaryOps: readonly BinaryOp[] = [
  ...comparisonOps,
  ...(['+', '-', '*', '/', '%', '^', 'atan2', 'and', 'or', 'unless', '</', '>/'] as const),
]

function binaryOp(text: string, offset: number): BinaryOp {
  const op = binaryOps.find((one) => one === text.toLowerCase())
  if (!op) throw new PromqlError(`"${text}" is no operator of PromQL`, offset)
  return op
}

function matchOp(text: string): Matcher['op'] {
  return text === '=~' || text === '!~' || text === '!=' ? text : '='
}

function spanOf({ from, to }: Span): Span {
  return { from, to }
}

function children(node: SyntaxNode): SyntaxNode[] {
  const all: SyntaxNode[] = []
  for (let child = node.firstChild; child; child = child.nextSibling) if (child.name !== 'LineComment') all.push(child)
  return all
}

function only(node: SyntaxNode): SyntaxNode {
  const [child] = children(node)
  if (!child) throw new PromqlError('it is not complete', node.from)
  return child
}

function last(node: SyntaxNode): SyntaxNode {
  return children(node).at(-1) ?? only(node)
}
