import { stringify } from 'yaml'
import { type Labels, labelKey, type Series, withoutName } from './evaluator/series.ts'
import { notation } from './play.ts'
import type { RuleInContext } from './reading.ts'
import type { Incident, Pace } from './scene.ts'
import type { Track } from './timeline.ts'

/** A rule as it is, or with one change. */
export interface Variant {
  readonly expr: string
  readonly forMs: number
}

/** A rule's variants, and the incidents that all of them are put through. */
export interface Trial {
  readonly context: RuleInContext
  readonly variants: readonly Variant[]
  readonly incidents: readonly Incident[]
  readonly pace: Pace
  /** True if the rule's clock or its answer to silence forbids to put several incidents into one storage. */
  readonly apart: boolean
}

/** Where an incident stands in which test group: its step 0 is at `offset`. */
export interface Place {
  readonly incident: number
  readonly group: string
  readonly offset: number
}

export interface TrialFiles {
  readonly rules: string
  readonly tests: string
  readonly places: readonly Place[]
}

/** Prometheus' engine in promtool refuses to load more samples than 10,000 in a query, the one of the dump included. */
const mostSamples = 7000

/**
 * A rule file with all variants under names of their own, after the recording rules they read, and a test file in which
 * one test group holds as many incidents as its dump can show, one after the other with silence between.
 */
export function filesOf(id: string, trial: Trial): TrialFiles {
  const { context, variants, incidents, pace, apart } = trial
  const { rule, recordings } = context
  const width = (incident: Incident) =>
    incident.steps * (incident.series.length + 3 * recordings.length + 4 * variants.length)
  const groups: {
    incidents: { incident: Incident; index: number; offset: number }[]
    steps: number
    samples: number
  }[] = []
  const silence = pace.window + pace.keep + 2
  for (const [index, incident] of incidents.entries()) {
    const last = groups.at(-1)
    if (last && !apart && last.samples + width(incident) <= mostSamples) {
      last.incidents.push({ incident, index, offset: last.steps + silence })
      last.steps += silence + incident.steps
      last.samples += width(incident)
    } else groups.push({ incidents: [{ incident, index, offset: 0 }], steps: incident.steps, samples: width(incident) })
  }
  const duration = (ms: number) => `${Math.round(ms)}ms`
  return {
    rules: stringify({
      groups: [
        {
          name: 'g',
          rules: [
            ...recordings.map(({ name, expr, labels }) => ({ record: name, expr, labels })),
            ...variants.map(({ expr, forMs }, index) =>
              rule.kind === 'record'
                ? { record: variantName(rule.kind, index), expr, labels: rule.labels }
                : {
                    alert: variantName(rule.kind, index),
                    expr,
                    for: duration(forMs),
                    keep_firing_for: duration(rule.keepFiringForMs),
                    labels: rule.labels,
                  },
            ),
          ],
        },
      ],
    }),
    tests: stringify({
      rule_files: [`${id}.rules.yml`],
      evaluation_interval: duration(pace.stepMs),
      tests: groups.map((group, index) => ({
        name: groupName(id, index),
        interval: duration(pace.stepMs),
        input_series: joined(group.incidents).map(({ labels, values }) => ({
          series: metricText(labels),
          values: notation(values),
        })),
        // Says how long to evaluate; what happens is read from the dump.
        promql_expr_test: [
          {
            expr: 'vector(1)',
            eval_time: duration((group.steps - 1) * pace.stepMs),
            exp_samples: [{ labels: '{}', value: 1 }],
          },
        ],
      })),
    }),
    places: groups.flatMap((group, index) =>
      group.incidents.map(({ index: incident, offset }) => ({ incident, group: groupName(id, index), offset })),
    ),
  }
}

function groupName(id: string, index: number): string {
  return `${id}.${index}`
}

function variantName(kind: 'alert' | 'record', index: number): string {
  return kind === 'record' ? `muster:variant_${index}` : `variant_${index}`
}

/** The incidents' series on one time line. */
function joined(parts: readonly { incident: Incident; offset: number }[]): Series[] {
  const found = new Map<string, { labels: Labels; values: (number | undefined)[] }>()
  for (const { incident, offset } of parts) {
    for (const { labels, values } of incident.series) {
      const key = labelKey(labels)
      const series = found.get(key) ?? { labels, values: [] }
      while (series.values.length < offset) series.values.push(undefined)
      series.values.push(...values)
      found.set(key, series)
    }
  }
  const steps = parts.reduce((most, { incident, offset }) => Math.max(most, offset + incident.steps), 0)
  for (const { values } of found.values()) while (values.length < steps) values.push(undefined)
  return [...found.values()]
}

/** A series' name as promtool reads it. */
export function metricText(labels: Labels): string {
  const { __name__: name = '', ...rest } = labels
  const pairs = Object.entries(rest).map(
    ([label, value]) => `${plainName(label) ? label : JSON.stringify(label)}=${JSON.stringify(value)}`,
  )
  return plainName(name) ? `${name}{${pairs.join()}}` : `{${[JSON.stringify(name), ...pairs].join()}}`
}

function plainName(name: string): boolean {
  return /^[A-Za-z_:][\w:]*$/.test(name)
}

/** One dumped series of promtool. */
export interface DumpedSeries {
  readonly labels: Labels
  /** Milliseconds and value. */
  readonly points: readonly (readonly [number, string])[]
}

/** What one variant did in one incident, by the labels that Prometheus gave. */
export function observedIn(
  dump: readonly DumpedSeries[],
  { context: { rule }, pace, incidents }: Trial,
  { incident, offset }: Place,
  variant: number,
): ReadonlyMap<string, Track> {
  const name = variantName(rule.kind, variant)
  const steps = incidents[incident]?.steps ?? 0
  const tracks = new Map<string, Map<number, string>>()
  for (const { labels, points } of dump) {
    const alert = labels.__name__ === 'ALERTS' && labels.alertname === name
    if (!alert && labels.__name__ !== name) continue
    const { alertname: _, alertstate, ...rest } = withoutName(labels)
    const key = labelKey(alert ? rest : withoutName(labels))
    for (const [ms, value] of points) {
      const step = Math.round(ms / pace.stepMs) - offset
      if (step < 1 || step >= steps) continue
      const track = tracks.get(key) ?? new Map<number, string>()
      track.set(step, alert ? (alertstate === 'firing' ? 'f' : 'p') : value)
      tracks.set(key, track)
    }
  }
  return new Map([...tracks].map(([key, track]) => [key, new Map([...track].sort(([a], [b]) => a - b))]))
}
