/** A metric's labels; `__name__` is one of them, as in Prometheus. */
export type Labels = Readonly<Record<string, string>>

/** A series sampled on a grid: the value at step i, undefined where it is absent (a stale marker, in promtool's notation). */
export interface Series {
  readonly labels: Labels
  readonly values: readonly (number | undefined)[]
}

export interface Sample {
  readonly labels: Labels
  readonly value: number
}

/** One text for one label set, whatever the order. */
export function labelKey(labels: Labels): string {
  let key = ''
  for (const name of Object.keys(labels).sort()) key += `${name}\u0000${labels[name]}\u0000`
  return key
}

/** The labels that remain: those in `names` (keep), or all others (drop). */
export function pickLabels(labels: Labels, names: readonly string[], keep: boolean): Labels {
  const picked: Record<string, string> = {}
  for (const [name, value] of Object.entries(labels)) if (names.includes(name) === keep) picked[name] = value
  return picked
}

export function withoutName(labels: Labels): Labels {
  if (!('__name__' in labels)) return labels
  const { __name__: _, ...rest } = labels
  return rest
}
