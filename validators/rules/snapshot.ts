import { parse, stringify } from 'yaml'
import { z } from 'zod'
import { UsageError } from '../../lib/errors.ts'
import { readSnapshotFile, writeSnapshotFile } from '../snapshot-file.ts'
import type { Labels, Series } from './evaluator/series.ts'
import { notation, valuesOf } from './play.ts'
import { PromqlError, parsePromql } from './promql.ts'
import type { Incident } from './scene.ts'
import type { Timeline } from './timeline.ts'
import { metricText } from './trial.ts'

/** One incident of a rule, as it was put and as it was answered. */
interface KeptIncident {
  readonly incident: Incident
  /** What was observed, one text a label set: `{job="api"}: 12p 14f 20-`. */
  readonly observed: readonly string[]
}

/** What is kept of one rule. */
export interface KeptRule {
  readonly rule: string
  /** Which of several rules of this name, from 1. */
  readonly number: number
  readonly stepMs: number
  readonly incidents: readonly KeptIncident[]
}

const header = `# What each rule does in muster's simulated incidents, written by \`muster alerts rules\`; later runs are compared with it.
# The series are kept, too, so that a changed rule meets the same incidents. Steps count evaluations from 0; p pending, f firing,
# - over. After a wanted change: --update.
`

const schema = z.object({
  version: z.literal(1),
  rules: z.array(
    z.object({
      rule: z.string(),
      number: z.number().int().positive(),
      step_ms: z.number().positive(),
      incidents: z.array(
        z.object({
          name: z.string(),
          steps: z.number().int().positive(),
          onset: z.number().int().nonnegative(),
          /** Values in promtool's notation by series. */
          series: z.record(z.string(), z.string()),
          observed: z.array(z.string()),
        }),
      ),
    }),
  ),
})

/** The snapshot, or undefined if there is none yet. @throws UsageError for a file that is none */
export async function readSnapshot(path: string): Promise<KeptRule[] | undefined> {
  const text = await readSnapshotFile(path)
  if (text === undefined) return undefined
  const remedy = 'restore it, or have it written anew with --update'
  let content: unknown
  try {
    content = parse(text)
  } catch (error) {
    const [line = ''] = String(error instanceof Error ? error.message : error).split('\n')
    throw new UsageError(`The snapshot ${path} is no YAML (${line}); ${remedy}.`)
  }
  const read = schema.safeParse(content)
  if (!read.success) {
    const [issue] = read.error.issues
    throw new UsageError(`${path} is no snapshot of rules (${issue?.path.join('.')}: ${issue?.message}); ${remedy}.`)
  }
  return read.data.rules.map(({ rule, number, step_ms: stepMs, incidents }) => ({
    rule,
    number,
    stepMs,
    incidents: incidents.map(({ name, steps, onset, series, observed }) => ({
      incident: {
        name,
        steps,
        onset,
        series: Object.entries(series).map(([name, values]): Series => {
          const [labels, sampled] = [labelsOfMetric(name), valuesOf(values)]
          if (labels && sampled) return { labels, values: sampled }
          throw new UsageError(`${path}: "${name}: ${values}" of ${rule} is no series; ${remedy}.`)
        }),
      },
      observed,
    })),
  }))
}

/** @throws UsageError if the file cannot be written */
export async function writeSnapshot(path: string, rules: readonly KeptRule[]): Promise<void> {
  const content = {
    version: 1,
    rules: rules.map(({ rule, number, stepMs, incidents }) => ({
      rule,
      number,
      step_ms: stepMs,
      incidents: incidents.map(({ incident: { name, steps, onset, series }, observed }) => ({
        name,
        steps,
        onset,
        series: Object.fromEntries(series.map(({ labels, values }) => [metricText(labels), notation(values)])),
        observed,
      })),
    })),
  }
  await writeSnapshotFile(path, header + stringify(content, { lineWidth: 0, aliasDuplicateObjects: false }))
}

/** A timeline as the snapshot keeps it. */
export function keptTexts(timeline: Timeline, steps: number): string[] {
  return [...timeline]
    .map(([key, track]) => {
      const words: string[] = []
      let before: { step: number; text: string } | undefined
      for (const [step, state] of track) {
        const value = Number(state)
        const text = Number.isNaN(value) ? state : `=${Number(value.toPrecision(9))}`
        if (before && before.step !== step - 1) words.push(`${before.step + 1}-`)
        if (!before || before.step !== step - 1 || before.text !== text) words.push(`${step}${text}`)
        before = { step, text }
      }
      if (before && before.step < steps - 1) words.push(`${before.step + 1}-`)
      return `${labelText(key)}: ${words.join(' ')}`
    })
    .sort()
}

function labelText(key: string): string {
  const parts = key.split('\u0000')
  const labels: Record<string, string> = {}
  for (let index = 0; index + 1 < parts.length; index += 2) labels[parts[index] ?? ''] = parts[index + 1] ?? ''
  return shownLabels(labels)
}

function shownLabels(labels: Labels): string {
  return `{${Object.entries(labels)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join()}}`
}

/** True if two incidents put the same question. */
export function sameIncident(a: Incident, b: Incident): boolean {
  const text = ({ steps, series }: Incident) =>
    JSON.stringify([steps, series.map(({ labels, values }) => [labels, notation(values)])])
  return text(a) === text(b)
}

/** The labels of `up{job="a"}`; undefined for what is no series. */
function labelsOfMetric(text: string): Labels | undefined {
  try {
    const read = parsePromql(text)
    if (read.kind !== 'selector' || read.metric === undefined) return undefined
    const labels: Record<string, string> = { __name__: read.metric }
    for (const { label, value } of read.matchers) labels[label] = value
    return labels
  } catch (error) {
    if (error instanceof PromqlError) return undefined
    throw error
  }
}
