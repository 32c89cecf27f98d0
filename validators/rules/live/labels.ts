import { walk } from '../expression.ts'
import { templateLabels } from '../lint/declaration.ts'
import { mayHave, outputLabels } from '../output-labels.ts'
import type { Aggregation, Binary, Expr } from '../promql.ts'
import type { ParsedRule } from '../recordings.ts'
import { liveLabels } from './reach.ts'
import type { LiveContext } from './source.ts'

/** Labels that a rule names and none of its live series has: `by (…)`, `on (…)` and templates. One sentence each. */
export async function unknownLabels({ rule, expr }: ParsedRule, context: LiveContext): Promise<string[]> {
  const problems: string[] = []
  const say = (part: Parameters<typeof rule.locate>[0], offset: number, message: string) => {
    const { line, column } = rule.locate(part, offset)
    problems.push(`${rule.file}:${line}:${column}: ${rule.name}: ${message}`)
  }
  for (const node of walk(expr)) {
    if (node.kind === 'aggregation') await ofGrouping(node)
    if (node.kind === 'binary' && node.matching?.on) await ofMatching(node, node.matching.labels)
  }
  if (rule.kind === 'alert') await ofTemplates()
  return problems

  async function ofGrouping({ op, grouping, of }: Aggregation): Promise<void> {
    if (!grouping || grouping.without) return
    const known = await labelsBeneath(of)
    for (const [index, label] of grouping.labels.entries()) {
      if (!known || known.has(label)) continue
      say(
        'expr',
        grouping.labelSpans[index]?.from ?? grouping.from,
        `${op} by (${label}): no live series beneath has a label ${label}`,
      )
    }
  }

  async function ofMatching({ left, right, opSpan }: Binary, labels: readonly string[]): Promise<void> {
    const [a, b] = [await labelsBeneath(left), await labelsBeneath(right)]
    for (const label of labels) {
      const without = [a && !a.has(label) ? 'left' : '', b && !b.has(label) ? 'right' : ''].filter(
        (side) => side !== '',
      )
      if (without.length === 0) continue
      say('expr', opSpan.from, `on (${label}): no live series to the ${without.join(' or ')} has a label ${label}`)
    }
  }

  async function ofTemplates(): Promise<void> {
    const known = await labelsBeneath(expr)
    const branches = outputLabels(expr, context.recordings.labels)
    const texts = [
      ...Object.entries(rule.labels).map(([name, text]) => [`labels.${name}` as const, text] as const),
      ...Object.entries(rule.annotations).map(([name, text]) => [`annotations.${name}` as const, text] as const),
    ]
    for (const [part, text] of texts) {
      for (const { label, offset } of templateLabels(text)) {
        // What the expression drops is a finding of the lint.
        if (!known || known.has(label) || !branches.some((one) => mayHave(one, label))) continue
        say(part, offset, `{{ $labels.${label} }}: no live series has a label ${label}`)
      }
    }
  }

  /** Of the series, and those that the expression makes; undefined where not all of them live. */
  async function labelsBeneath(part: Expr): Promise<ReadonlySet<string> | undefined> {
    const live = await liveLabels(part, rule.expr, context)
    return live && new Set([...live, ...[...walk(part)].flatMap(madeBy)])
  }
}

/** Labels that functions add, and equality matchers of absent(). */
function madeBy(node: Expr): string[] {
  if (node.kind === 'selector') return node.matchers.filter(({ op }) => op === '=').map(({ label }) => label)
  if (node.kind === 'aggregation') {
    return node.op === 'count_values' && node.parameter?.kind === 'string' ? [node.parameter.value] : []
  }
  if (node.kind !== 'call' || (node.name !== 'label_replace' && node.name !== 'label_join')) return []
  const [, target] = node.args
  return target?.kind === 'string' ? [target.value] : []
}
