import type { ClockOffset } from '../clock.ts'
import type { LiveInstance } from './counted.ts'

/**
 * How far apart the moments may be at which one request is counted, its line stamped and its span ended: they are written
 * one after the other, and their clocks have whole milliseconds. Machines' clocks are expected to agree as well.
 */
const edgeMs = 50

/** Where a period begins and ends for lines and spans, epoch milliseconds of our clock. */
export interface Edges {
  /** What lies after `begins.by` was counted after the first scrape for sure; what lies before `begins.from`, before it. */
  readonly begins: Stretch
  /** What lies before `ends.from` was counted before the last scrape for sure; what lies after `ends.by`, after it. */
  readonly ends: Stretch
  /** Times of restarts: what was counted in them was never scraped. */
  readonly gaps: readonly Stretch[]
  /** So far from a scrape the stretches reach: `edgeMs`, and what is not known of Prometheus' clock. */
  readonly slackMs: number
}

interface Stretch {
  readonly from: number
  readonly by: number
}

/**
 * The edges of a service. A counter was read some time during its scrape, so an edge is a stretch. Of several instances the
 * scrapes differ, and neither lines nor spans tell the target they are of: an edge then reaches from the first to the last.
 * @param instances at least one
 * @param clock Prometheus' clock against ours
 */
export function edgesOf(instances: readonly LiveInstance[], clock: ClockOffset): Edges {
  const slackMs = edgeMs + clock.unsureMs
  const stretch = (ends: readonly { readonly at: number; readonly by: number }[]): Stretch => ({
    from: Math.min(...ends.map(({ at }) => at)) - clock.ms - slackMs,
    by: Math.max(...ends.map(({ by }) => by)) - clock.ms + slackMs,
  })
  return {
    slackMs,
    begins: stretch(instances.map(({ first }) => first)),
    ends: stretch(instances.map(({ last }) => last)),
    gaps: instances.flatMap(({ deaths }) => deaths.map(({ after, by }) => stretch([{ at: after, by }]))),
  }
}

/** Where a moment lies: `inside` for sure, at an `edge`, or `outside` for sure. */
export function placeOf(at: number, { begins, ends }: Edges): 'inside' | 'edge' | 'outside' {
  if (at > begins.by && at < ends.from) return 'inside'
  return at < begins.from || at > ends.by ? 'outside' : 'edge'
}
