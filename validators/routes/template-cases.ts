import type { Labels } from '../../lib/matcher.ts'
import { isBranch, isLeaf, type Tree } from './yaml-tree.ts'

export const caseNames = ['firing', 'many', 'missing', 'markup', 'long'] as const

/** Alerts by which a template is tried. */
interface TemplateCase {
  readonly name: (typeof caseNames)[number]
  readonly alerts: readonly { readonly labels: Labels; readonly annotations: Labels }[]
}

/** What templates use of alerts. */
export interface UsedNames {
  readonly labels: readonly string[]
  readonly annotations: readonly string[]
}

const manyAlerts = 8
/** A paragraph and more, as a description may be; what comes whole at this length is not cut in practice. */
const longText = 1500
const markup = '<b>bold</b> & "quotes" <script>alert(1)</script> *star* _line_ [text](http://link.invalid) `code`'

/** The label and annotation names that texts use: `.CommonLabels.team`, `.Annotations.runbook_url`, `index .Labels "x"`. */
export function usedNames(texts: readonly string[]): UsedNames {
  const names = (kinds: string) => {
    const pattern = new RegExp(`\\.(?:${kinds})(?:\\.(\\w+)|\\s+"([\\w.-]+)")`, 'g')
    const found = texts.flatMap((text) =>
      [...text.matchAll(pattern)].map(([, dotted, quoted]) => dotted ?? quoted ?? ''),
    )
    // Functions of Alertmanager's KV, not names.
    return [...new Set(found)].filter((name) => !['SortedPairs', 'Remove', 'Names', 'Values'].includes(name)).sort()
  }
  return { labels: names('Labels|CommonLabels|GroupLabels'), annotations: names('Annotations|CommonAnnotations') }
}

/** All scalars of a tree. */
export function textsIn(tree: Tree | undefined): string[] {
  if (tree === undefined) return []
  if (isLeaf(tree)) return [tree.text]
  return (isBranch(tree) ? [...tree.values()] : tree).flatMap(textsIn)
}

/** @param sample the labels of an alert that is routed to the receiver */
export function templateCases(sample: Labels, used: UsedNames): TemplateCase[] {
  const labels: Labels = {
    ...Object.fromEntries(used.labels.map((name) => [name, `a-${name}`])),
    alertname: 'MusterProbe',
    ...sample,
  }
  const names = [...new Set(['summary', 'description', ...used.annotations])]
  const annotations: Labels = Object.fromEntries(
    names.map((name) => [
      name,
      /url|link|href/i.test(name) ? `http://${name.replaceAll('_', '-')}.invalid/page` : `The ${name}.`,
    ]),
  )
  const alertname = labels.alertname ?? ''
  return [
    { name: 'firing', alerts: [{ labels, annotations }] },
    {
      name: 'many',
      alerts: Array.from({ length: manyAlerts }, (_, n) => ({
        labels: { ...labels, instance: `host-${n + 1}:9100` },
        annotations,
      })),
    },
    { name: 'missing', alerts: [{ labels: { alertname }, annotations: {} }] },
    {
      name: 'markup',
      alerts: [
        {
          labels: { ...labels, instance: markup },
          annotations: { ...annotations, summary: markup, description: markup },
        },
      ],
    },
    {
      name: 'long',
      alerts: [{ labels, annotations: { ...annotations, description: 'All of it. '.repeat(longText / 11) } }],
    },
  ]
}
