import { isScalar } from './expression.ts'
import { type Aggregation, type Binary, type Call, comparisonOps, type Expr, type Selector } from './promql.ts'

/** Which labels the series of a result can have. */
export type OutputLabels =
  /** No others than these; whether a series has each depends on its input. */
  | { readonly kind: 'only'; readonly labels: ReadonlySet<string> }
  /** Whatever the input has, but for these. */
  | { readonly kind: 'all-but'; readonly labels: ReadonlySet<string> }

/** What a recorded metric has, if a recording rule of the same files makes it. */
export type Recorded = (metric: string) => readonly OutputLabels[] | undefined

const none: OutputLabels = { kind: 'only', labels: new Set() }

/** True if a series of the result can have this label. */
export function mayHave(output: OutputLabels, label: string): boolean {
  return output.kind === 'only' ? output.labels.has(label) : !output.labels.has(label)
}

/**
 * The labels of an expression's result, one entry for each branch that `or` joins. Follows `resultMetric`, the
 * aggregations and the functions of Prometheus' promql/engine.go.
 */
export function outputLabels(expr: Expr, recorded: Recorded = () => undefined): readonly OutputLabels[] {
  if (isScalar(expr)) return [none]
  switch (expr.kind) {
    case 'selector':
      return ofSelector(expr, recorded)
    case 'subquery':
      return outputLabels(expr.of, recorded)
    case 'unary':
      return outputLabels(expr.of, recorded).map((one) => drop(one, ['__name__']))
    case 'call':
      return ofCall(expr, recorded)
    case 'aggregation':
      return outputLabels(expr.of, recorded).map((one) => aggregated(expr, one))
    case 'binary':
      return ofBinary(expr, recorded)
    default:
      return [none]
  }
}

function ofSelector({ metric, matchers }: Selector, recorded: Recorded): readonly OutputLabels[] {
  const absent = matchers.filter(({ op, value }) => op === '=' && value === '').map(({ label }) => label)
  const made = metric === undefined ? undefined : recorded(metric)
  return (made ?? [{ kind: 'all-but' as const, labels: new Set<string>() }]).map((one) => drop(one, absent))
}

/** Functions that hand on the whole series, name included. */
const keepsName = new Set([
  'last_over_time',
  'first_over_time',
  'sort',
  'sort_desc',
  'sort_by_label',
  'sort_by_label_desc',
])

function ofCall({ name, args }: Call, recorded: Recorded): readonly OutputLabels[] {
  if (name === 'absent' || name === 'absent_over_time') {
    const [of] = args
    return [{ kind: 'only', labels: new Set(of?.kind === 'selector' ? unequivocal(of) : []) }]
  }
  const vector = args.find((one) => !isScalar(one) && one.kind !== 'string')
  if (!vector) return [none]
  const inner = outputLabels(vector, recorded)
  const [, target] = args
  if (name === 'label_replace' || name === 'label_join') {
    return target?.kind === 'string' ? inner.map((one) => add(one, [target.value])) : inner
  }
  if (name === 'info') return [{ kind: 'all-but', labels: new Set() }]
  if (keepsName.has(name)) return inner
  if (name === 'histogram_quantile' || name === 'histogram_fraction') {
    return inner.map((one) => drop(one, ['__name__', 'le']))
  }
  return inner.map((one) => drop(one, ['__name__']))
}

/** absent() takes over the labels that one matcher alone fixes (`createLabelsForAbsentFunction`). */
function unequivocal({ matchers }: Selector): string[] {
  return matchers
    .filter(
      ({ label, op }) =>
        op === '=' && label !== '__name__' && matchers.filter((one) => one.label === label).length === 1,
    )
    .map(({ label }) => label)
}

const keepsSeries = new Set(['topk', 'bottomk', 'limitk', 'limit_ratio'])

function aggregated({ op, grouping, parameter }: Aggregation, inner: OutputLabels): OutputLabels {
  if (keepsSeries.has(op)) return inner
  const outer = grouping?.without
    ? drop(inner, ['__name__', ...grouping.labels])
    : ({ kind: 'only', labels: new Set(grouping?.labels.filter((label) => mayHave(inner, label)) ?? []) } as const)
  return op === 'count_values' && parameter?.kind === 'string' ? add(outer, [parameter.value]) : outer
}

function ofBinary({ op, bool, left, right, matching }: Binary, recorded: Recorded): readonly OutputLabels[] {
  if (op === 'or') return [...outputLabels(left, recorded), ...outputLabels(right, recorded)]
  if (op === 'and' || op === 'unless') return outputLabels(left, recorded)
  const filters = !bool && comparisonOps.some((one) => one === op)
  const named = (one: OutputLabels) => (filters ? one : drop(one, ['__name__']))
  if (isScalar(left)) return outputLabels(right, recorded).map(named)
  if (isScalar(right)) return outputLabels(left, recorded).map(named)
  const many = matching?.group === 'right' ? right : left
  const all = outputLabels(many, recorded).map(named)
  if (matching?.group) return all.map((one) => add(one, matching.include))
  if (!matching) return all
  return matching.on
    ? all.map((one) => ({ kind: 'only', labels: new Set(matching.labels.filter((label) => mayHave(one, label))) }))
    : all.map((one) => drop(one, matching.labels))
}

function drop({ kind, labels }: OutputLabels, gone: readonly string[]): OutputLabels {
  if (kind === 'all-but') return { kind, labels: new Set([...labels, ...gone]) }
  return { kind, labels: new Set([...labels].filter((label) => !gone.includes(label))) }
}

function add({ kind, labels }: OutputLabels, more: readonly string[]): OutputLabels {
  if (kind === 'only') return { kind, labels: new Set([...labels, ...more]) }
  return { kind, labels: new Set([...labels].filter((label) => !more.includes(label))) }
}
