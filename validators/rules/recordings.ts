import { type OutputLabels, outputLabels, type Recorded } from './output-labels.ts'
import { type Expr, parsePromql } from './promql.ts'
import type { Rule, RuleGroup } from './rule-file.ts'

/** A rule whose expression has been read. */
export interface ParsedRule {
  readonly rule: Rule
  readonly group: RuleGroup
  readonly expr: Expr
}

/** @throws PromqlError */
export function parseRules(groups: readonly RuleGroup[]): ParsedRule[] {
  return groups.flatMap((group) => group.rules.map((rule) => ({ rule, group, expr: parsePromql(rule.expr) })))
}

/** The recording rules among rules, by the metric that they make; several can make one. */
export class Recordings {
  readonly #byMetric = new Map<string, ParsedRule[]>()
  constructor(rules: readonly ParsedRule[]) {
    for (const one of rules) {
      if (one.rule.kind !== 'record') continue
      const same = this.#byMetric.get(one.rule.name)
      if (same) same.push(one)
      else this.#byMetric.set(one.rule.name, [one])
    }
  }

  of(metric: string): readonly ParsedRule[] {
    return this.#byMetric.get(metric) ?? []
  }

  /** The labels of a recorded metric: of its expression, and those that the rule adds. */
  readonly labels: Recorded = (metric) => {
    const makers = this.of(metric)
    if (makers.length === 0) return undefined
    // A rule that records from its own metric would ask for ever.
    const others: Recorded = (name) => (name === metric ? undefined : this.labels(name))
    return makers.flatMap(({ expr, rule }) =>
      outputLabels(expr, others).map((one) => withLabels(one, Object.keys(rule.labels))),
    )
  }

  /** The expression with each recorded metric, if one rule alone makes it and nothing selects among it, replaced by its source. */
  inlined(expr: Expr, within: readonly string[] = []): Expr {
    switch (expr.kind) {
      case 'selector': {
        const [maker, second] = expr.metric === undefined ? [] : this.of(expr.metric)
        const plain = expr.matchers.length === 0 && expr.rangeMs === undefined && expr.offsetMs === 0 && !expr.pinned
        if (!maker || second || !plain || within.includes(maker.rule.name)) return expr
        return this.inlined(maker.expr, [...within, maker.rule.name])
      }
      case 'subquery':
      case 'unary':
      case 'aggregation':
        return { ...expr, of: this.inlined(expr.of, within) }
      case 'call':
        return { ...expr, args: expr.args.map((one) => this.inlined(one, within)) }
      case 'binary':
        return { ...expr, left: this.inlined(expr.left, within), right: this.inlined(expr.right, within) }
      default:
        return expr
    }
  }
}

function withLabels(one: OutputLabels, added: readonly string[]): OutputLabels {
  if (one.kind === 'only') return { kind: 'only', labels: new Set([...one.labels, ...added]) }
  return { kind: 'all-but', labels: new Set([...one.labels].filter((label) => !added.includes(label))) }
}
