import { z } from 'zod'

const apiVersion = z.literal('openslo/v1', { error: 'must be openslo/v1, the version that muster understands' })
const metadata = z.strictObject({
  name: z.string(),
  displayName: z.string().optional(),
  /** Labels of the alerts. */
  labels: z.record(z.string(), z.string('must be one text, since it becomes a label of the alerts')).default({}),
  /** `muster/windows: scaled` scales the burn windows with the period. */
  annotations: z.record(z.string(), z.string()).default({}),
})
const source = z.strictObject({
  metricSource: z.strictObject({
    metricSourceRef: z.string().optional(),
    type: z.string().optional(),
    spec: z.strictObject({ query: z.string() }),
  }),
})
const indicatorSpec = z
  .strictObject({
    description: z.string().optional(),
    ratioMetric: z.strictObject({
      counter: z.literal(true, { error: 'must be true: muster judges counters, of which it can tell each event' }),
      total: source,
      good: source.optional(),
      bad: source.optional(),
    }),
  })
  .refine(({ ratioMetric: { good, bad } }) => (good === undefined) !== (bad === undefined), {
    path: ['ratioMetric'],
    error: 'must have either good or bad beside total',
  })
type IndicatorSpec = z.output<typeof indicatorSpec>

const sli = z.strictObject({ apiVersion, kind: z.literal('SLI'), metadata, spec: indicatorSpec })
const slo = z.strictObject({
  apiVersion,
  kind: z.literal('SLO'),
  metadata,
  spec: z
    .strictObject({
      description: z.string().optional(),
      service: z.string(),
      indicator: z.strictObject({ metadata: metadata.optional(), spec: indicatorSpec }).optional(),
      indicatorRef: z.string().optional(),
      timeWindow: z
        .array(
          z.strictObject({
            duration: z.string(),
            isRolling: z.literal(true, { error: 'must be true: burn rates belong to rolling periods' }),
          }),
        )
        .length(1, 'must hold one rolling period'),
      budgetingMethod: z.literal('Occurrences', {
        error: 'must be Occurrences: muster counts events, not time slices',
      }),
      objectives: z
        .array(
          z
            .strictObject({
              displayName: z.string().optional(),
              target: z.number().optional(),
              targetPercent: z.number().optional(),
            })
            .refine(({ target, targetPercent }) => (target === undefined) !== (targetPercent === undefined), {
              error: 'must have either target or targetPercent',
            }),
        )
        .length(1, 'must hold one objective: write a document for each'),
    })
    .refine(({ indicator, indicatorRef }) => (indicator === undefined) !== (indicatorRef === undefined), {
      error: 'must have either indicator or indicatorRef',
    }),
})
/** What the burn alerts are not made of; its content changes nothing here. */
const silent = z.looseObject({ apiVersion, kind: z.enum(['Service', 'DataSource']) })
const kinds = { SLO: slo, SLI: sli, Service: silent, DataSource: silent }

/** True for a document that says it is OpenSLO's. */
export function isOpenSlo(document: unknown): boolean {
  const named = z.looseObject({ apiVersion: z.string() }).safeParse(document)
  return named.success && named.data.apiVersion.startsWith('openslo')
}

/** A document of a file, and how to name it in a message. */
export interface Document {
  readonly content: unknown
  readonly where: string
}

/** SLOs as muster's own config has them, each with its document; or what is not understood, by name. */
export type Translated =
  | { readonly slos: readonly { readonly where: string; readonly input: unknown }[] }
  | { readonly problems: readonly string[] }

/**
 * Translates documents of OpenSLO v1 (https://github.com/OpenSLO/OpenSLO): SLOs with a ratio of counters in Prometheus, inline
 * or by reference. Whatever says more than that is refused, since ignoring it would change what is promised.
 */
export function translateOpenSlo(documents: readonly Document[]): Translated {
  const problems: string[] = []
  const indicators = new Map<string, IndicatorSpec>()
  const found: { where: string; document: z.output<typeof slo> }[] = []
  for (const { content, where } of documents) {
    const kind = z.looseObject({ kind: z.string() }).safeParse(content)
    const name = kind.success ? kind.data.kind : 'none'
    if (!isKind(name)) {
      problems.push(
        `${where}: the kind ${name} is not understood: muster makes its own burn-rate alerts of SLO and SLI`,
      )
      continue
    }
    const parsed = kinds[name].safeParse(content)
    if (!parsed.success) {
      problems.push(...parsed.error.issues.flatMap((issue) => inWords(issue).map((text) => `${where}: ${text}`)))
    } else if (parsed.data.kind === 'SLI') indicators.set(sli.parse(content).metadata.name, sli.parse(content).spec)
    else if (parsed.data.kind === 'SLO') found.push({ where, document: slo.parse(content) })
  }
  const slos = found.flatMap(({ where, document }) => {
    const { indicator, indicatorRef } = document.spec
    const spec = indicator?.spec ?? indicators.get(indicatorRef ?? '')
    if (spec) return [{ where, input: inputOf(document, spec) }]
    problems.push(`${where}: spec.indicatorRef names the SLI "${indicatorRef}", which is in no document`)
    return []
  })
  return problems.length > 0 ? { problems } : { slos }
}

function isKind(name: string): name is keyof typeof kinds {
  return Object.hasOwn(kinds, name)
}

function inputOf(
  { metadata: { name, labels, annotations }, spec }: z.output<typeof slo>,
  { ratioMetric }: IndicatorSpec,
) {
  const [objective] = spec.objectives
  const { team, ...others } = labels
  const query = (from: z.output<typeof source> | undefined) => from?.metricSource.spec.query
  const [good, bad] = [query(ratioMetric.good), query(ratioMetric.bad)]
  return {
    name,
    service: spec.service,
    ...(team === undefined ? {} : { team }),
    sli: {
      total: query(ratioMetric.total),
      ...(good === undefined ? {} : { good }),
      ...(bad === undefined ? {} : { bad }),
    },
    // 99.9 / 100 has a tail.
    objective: objective?.target ?? Number(((objective?.targetPercent ?? 0) / 100).toPrecision(12)),
    period: spec.timeWindow[0]?.duration,
    ...(annotations['muster/windows'] === undefined ? {} : { windows: annotations['muster/windows'] }),
    labels: others,
  }
}

function inWords(issue: z.core.$ZodIssue): string[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const path = [...issue.path, key].join('.')
      if (key === 'thresholdMetric') {
        return `${path} is not understood: a threshold on a gauge has no events to count; give a ratioMetric`
      }
      return `${path} is not understood by muster; take it out, or it would be ignored`
    })
  }
  return [`${issue.path.join('.') || '(top)'}: ${issue.message}`]
}
