import type { Window } from './verdict.ts'

/**
 * Addresses of the pages where people look things up, with places to fill in: `{traceId}`, `{query}`, `{queryJson}` (the
 * query inside a string of JSON, as Grafana's Explore wants it), `{from}` and `{to}` (epoch milliseconds), `{fromIso}` and
 * `{toIso}`. Whatever is filled in is percent-encoded.
 */
export interface LinkTemplates {
  readonly trace?: string | undefined
  readonly logs?: string | undefined
  readonly graph?: string | undefined
}

export interface LinkValues {
  readonly traceId?: string | undefined
  readonly query?: string | undefined
  readonly window?: Window | undefined
}

/** The places that a template may have. */
export const linkPlaces = ['traceId', 'query', 'queryJson', 'from', 'to', 'fromIso', 'toIso'] as const

/** The address with its places filled in; undefined without a template, or if it has a place for what is not known. */
export function fillLink(template: string | undefined, { traceId, query, window }: LinkValues): string | undefined {
  if (template === undefined) return undefined
  const iso = (time: number | undefined) =>
    time === undefined || Number.isNaN(new Date(time).getTime()) ? undefined : new Date(time).toISOString()
  const values: Readonly<Record<(typeof linkPlaces)[number], string | undefined>> = {
    traceId,
    query,
    queryJson: query === undefined ? undefined : JSON.stringify(query).slice(1, -1),
    from: window && String(Math.floor(window.from)),
    to: window && String(Math.ceil(window.to)),
    fromIso: iso(window?.from),
    toIso: iso(window?.to),
  }
  let known = true
  const address = template.replace(/\{(\w+)\}/g, (place, name: string) => {
    const [, value] = Object.entries(values).find(([key]) => key === name) ?? []
    if (value === undefined) known = false
    return value === undefined ? place : encodeURIComponent(value)
  })
  return known ? address : undefined
}
