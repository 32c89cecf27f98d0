import { formatDuration } from '../../../lib/duration.ts'
import { mayHave, outputLabels } from '../output-labels.ts'
import type { Rule, RulePart } from '../rule-file.ts'
import type { Lint } from './finding.ts'

/** A `for` of less than two evaluations is over at the second one, whatever it says. */
export const forTooShort: Lint = ({ rule, group }, { defaultInterval }) => {
  const interval = group.intervalMs ?? defaultInterval.ms
  if (rule.kind !== 'alert' || rule.forMs === 0 || rule.forMs >= 2 * interval) return []
  const known = group.intervalMs !== undefined || defaultInterval.known
  const source = known ? '' : ', the default of Prometheus (give --interval if yours differs)'
  const message =
    `for is ${formatDuration(rule.forMs)}, and the rule is evaluated every ${formatDuration(interval)}${source}: ` +
    `give it at least ${formatDuration(2 * interval)}, or a shorter interval to the group`
  return [{ level: known ? 'error' : 'note', part: 'for', offset: 0, message }]
}

export const missingSeverity: Lint = ({ rule }) => {
  if (rule.kind !== 'alert' || rule.labels.severity) return []
  return [
    { level: 'error', part: 'alert', offset: 0, message: 'it has no label severity, by which routes choose; add one' },
  ]
}

const runbook = /^runbook(_?(url|link))?$/i
const waking = new Set(['critical', 'page', 'emergency'])

/** Whoever is woken needs to know what to do; the rest had better. */
export const missingRunbook: Lint = ({ rule }) => {
  if (rule.kind !== 'alert') return []
  if (Object.entries(rule.annotations).some(([name, text]) => runbook.test(name) && text.trim() !== '')) return []
  const { severity } = rule.labels
  const wakes = severity === undefined || waking.has(severity)
  const message = `it has no annotation runbook_url${wakes && severity ? `, though its severity is ${severity}` : ''}; add one`
  return [{ level: wakes ? 'error' : 'note', part: 'alert', offset: 0, message }]
}

/** Templates of alerts see the labels of the expression's result, not those that the rule adds (rules/alerting.go). */
export const droppedLabel: Lint = ({ rule, expr }, { recordings }) => {
  if (rule.kind !== 'alert') return []
  const branches = outputLabels(expr, recordings.labels)
  return templatesOf(rule).flatMap(([part, text]) =>
    templateLabels(text).flatMap(({ label, offset }) => {
      const having = branches.filter((one) => mayHave(one, label)).length
      if (having === branches.length) return []
      const own = label in rule.labels ? ': it is added by the rule itself, after the template' : ''
      const message =
        having === 0
          ? `{{ $labels.${label} }} is always empty, since the expression's result has no label ${label}${own}`
          : `{{ $labels.${label} }} is empty in one branch of or, whose result has no label ${label}`
      return [{ level: having === 0 ? ('error' as const) : ('note' as const), part, offset, message }]
    }),
  )
}

/** A label that changes with the value makes another alert at each evaluation, so that `for` begins anew. */
export const valueInLabel: Lint = ({ rule }) =>
  Object.entries(rule.labels).flatMap(([name, text]) => {
    const found = /\{\{[^}]*?(\$value|\.Value)\b/.exec(text)
    if (rule.kind !== 'alert' || !found) return []
    const message = `label ${name} holds the value, so that each evaluation makes another alert: put it into an annotation`
    return [{ level: 'error' as const, part: `labels.${name}` as const, offset: found.index, message }]
  })

function templatesOf({ labels, annotations }: Rule): [RulePart, string][] {
  return [
    ...Object.entries(labels).map(([name, text]): [RulePart, string] => [`labels.${name}`, text]),
    ...Object.entries(annotations).map(([name, text]): [RulePart, string] => [`annotations.${name}`, text]),
  ]
}

/** The labels that a template reads of the alert, each once, with the offset of its first use. */
export function templateLabels(text: string): { readonly label: string; readonly offset: number }[] {
  const found = new Map<string, number>()
  // Within range and with, the dot is something else.
  const dot = /\{\{-?\s*(range|with)\b/.test(text) ? '\\$labels' : '(?:\\$labels|(?<![\\w$)])\\.Labels)'
  const pattern = new RegExp(`${dot}\\.(\\w+)|index\\s+${dot}\\s+["\`](\\w+)["\`]`, 'g')
  for (const action of text.matchAll(/\{\{.*?\}\}/gs)) {
    for (const use of action[0].matchAll(pattern)) {
      const label = use[1] ?? use[2] ?? ''
      if (!found.has(label)) found.set(label, action.index + use.index)
    }
  }
  return [...found].map(([label, offset]) => ({ label, offset }))
}
