import type { Labels } from '../../lib/matcher.ts'

/** The label that tells muster's alerts apart, whatever else the user's file makes of them. */
export const probeLabel = 'muster_probe'

/** An alert to be posted. */
export interface SentAlert {
  /** The value of `probeLabel`; unique in an experiment. */
  readonly id: string
  readonly labels: Labels
  readonly annotations?: Labels
}

/** That a receiver was told of an alert, as its mirror tells. */
export interface Delivery {
  readonly id: string
  readonly receiver: string
  readonly groupKey: string
  readonly status: 'firing' | 'resolved'
  /** Epoch milliseconds. */
  readonly at: number
  /** Counts the notifications of the experiment. */
  readonly notification: number
  /** All that the same notification told, by id. */
  readonly together: readonly string[]
}

const annotations = { summary: 'An alert of muster', description: 'Sent by muster to try the routes' }

/** As it is posted, without its times. An empty label is none. */
export function bodyOf({ id, labels, annotations: own = annotations }: SentAlert) {
  const present = Object.entries(labels).filter(([, value]) => value !== '')
  return {
    labels: { ...Object.fromEntries(present), [probeLabel]: id },
    annotations: own,
    generatorURL: 'http://prometheus.invalid/graph',
  }
}
