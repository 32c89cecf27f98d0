import { z } from 'zod'
import { fillLink, type LinkTemplates } from '../../lib/links.ts'
import type { CheckResult } from '../../lib/verdict.ts'
import type { Run } from '../run-schema.ts'

const configured = z.object({
  links: z.object({
    trace: z.string().optional(),
    logs: z.string().optional(),
    graph: z.string().optional(),
  }),
})

/** The templates of the config that the run was made with. */
export function linksOf({ config }: Pick<Run, 'config'>): LinkTemplates {
  return configured.safeParse(config).data?.links ?? {}
}

/** Traces named in one failure that get a link. */
const shownTraces = 5

/** Where a failure can be looked into: text and address. */
export function linksTo(
  { signal, evidence }: Pick<CheckResult, 'signal' | 'evidence'>,
  templates: LinkTemplates,
): { readonly text: string; readonly address: string }[] {
  const { query, window, details = [], actual, link } = evidence
  const values = { query, window }
  const found = [...details, actual, query ?? ''].join(' ').match(/\b[0-9a-f]{32}\b/g) ?? []
  const traces = [...new Set(found)].slice(0, shownTraces)
  const isLogs = signal === 'logs' || query?.startsWith('{') === true
  const all: [string, string | undefined][] = [
    ['backend', link],
    ['logs', isLogs ? fillLink(templates.logs, values) : undefined],
    ['graph', !isLogs && signal !== 'traces' && signal !== 'load' ? fillLink(templates.graph, values) : undefined],
    ...traces.map((traceId): [string, string | undefined] => [
      `trace ${traceId.slice(0, 8)}…${traceId.slice(-6)}`,
      fillLink(templates.trace, { traceId, ...values }),
    ]),
  ]
  return all.flatMap(([text, address]) => (address ? [{ text, address }] : []))
}
