import { formatPrometheusDuration } from '../../../lib/prometheus-duration.ts'
import { literal } from '../../backends/prometheus.ts'
import { selectorsOf, walk } from '../expression.ts'
import { mayHave, outputLabels } from '../output-labels.ts'
import type { Expr, Selector } from '../promql.ts'
import type { ParsedRule } from '../recordings.ts'
import type { Rule } from '../rule-file.ts'
import type { LiveContext } from './source.ts'

/** Labels that name what was asked for, in the conventions of frameworks and OpenTelemetry. */
const routeLabels = [
  'route',
  'path',
  'uri',
  'url',
  'endpoint',
  'handler',
  'http_route',
  'http_target',
  'url_path',
  'operation',
  'resource',
]

/** Paths that probes and scrapers ask for, not users. RE2, as matchers take it. */
const probePaths =
  '(GET |HEAD )?/?(-/|actuator/|api/|_|\\.well-known/)*(health(z|y|check|_check|-check)?|ready(z)?|readiness|live(z|ness)?|startup(z)?|metrics|ping|prometheus|heartbeat)(/.*)?'

/**
 * Denominators that count health checks, which practically never fail and so make every error ratio look smaller than
 * users see it. One sentence each; a route that the rule keeps apart, or asks for by name, is none.
 */
export async function dilutedDenominators(
  { rule, expr }: ParsedRule,
  { source, recordings }: LiveContext,
): Promise<string[]> {
  const problems: string[] = []
  for (const node of walk(expr)) {
    if (node.kind !== 'binary' || node.op !== '/') continue
    const kept = outputLabels(node.right, recordings.labels)
    for (const part of sourcesOf(node.right, rule, [])) {
      for (const label of await labelsToTry(part)) {
        if (kept.some((one) => mayHave(one, label))) continue
        const problem = await judge(part, label)
        if (problem !== undefined) problems.push(problem)
      }
    }
  }
  return problems

  /** What is selected beneath an expression, through the rules that record it. */
  function sourcesOf(of: Expr, written: Rule, within: readonly string[]): Source[] {
    return selectorsOf(of).flatMap((selector): Source[] => {
      const { metric = '' } = selector
      const makers = within.includes(metric) ? [] : recordings.of(metric)
      if (makers.length > 0) return makers.flatMap((one) => sourcesOf(one.expr, one.rule, [...within, metric]))
      return [{ selector, written, text: written.expr.slice(selector.bare.from, selector.bare.to) }]
    })
  }

  async function labelsToTry({ selector, text }: Source): Promise<string[]> {
    if (selector.rangeMs === undefined || Number.isNaN(selector.rangeMs)) return []
    const names = await source.labelNames(text)
    const asked = new Set(selector.matchers.filter(({ op }) => op === '=').map(({ label }) => label))
    return routeLabels.filter((label) => names.includes(label) && !asked.has(label))
  }

  async function judge({ selector, written, text }: Source, label: string): Promise<string | undefined> {
    const probes = withMatcher(text, `${label}=~${literal(probePaths)}`)
    if ((await source.count(probes)) === 0) return undefined
    const window = `[${formatPrometheusDuration(selector.rangeMs ?? 0)}]`
    const share = await source.value(`sum(rate(${probes}${window})) / sum(rate(${text}${window}))`)
    if (share === undefined || !(share > 0)) return undefined
    const values = await source.labelValues(label, probes, 5)
    const { line, column } = written.locate('expr', selector.from)
    const by = written === rule ? '' : `, recorded as ${written.name},`
    return (
      `${written.file}:${line}:${column}: ${rule.name}: ${(share * 100).toPrecision(2)} % of what ${text}${by} counts are ` +
      `health checks (${label} is ${values.join(', ')}), which make the ratio smaller than users see it: ` +
      `keep them out by ${label}!~"${values.join('|')}"`
    )
  }
}

interface Source {
  readonly selector: Selector
  /** The rule whose expression holds the selector. */
  readonly written: Rule
  /** The selector without its range. */
  readonly text: string
}

function withMatcher(selector: string, matcher: string): string {
  const text = selector.trim()
  if (!text.endsWith('}')) return `${text}{${matcher}}`
  const inner = text.slice(0, -1).trimEnd()
  return `${inner}${inner.endsWith('{') || inner.endsWith(',') ? '' : ','}${matcher}}`
}
