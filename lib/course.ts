import type { Span } from './span.ts'
import type { Window } from './verdict.ts'

/** What a picture is of; a panel for each, or one for each service where the series name one. */
export const panels = ['rate', 'errors', 'latency', 'seen', 'freshness', 'cpu', 'memory'] as const
export type Panel = (typeof panels)[number]

/**
 * A quantity over the course of the run. Values stand on the common grid: the first at the course's `from`, each `stepMs`
 * after the one before; null where nothing was measured.
 */
export interface Series {
  readonly panel: Panel
  /** As the legend says it. */
  readonly name: string
  /** The service that it is of; such series share a picture. */
  readonly service?: string
  /** rate, seen: a second. errors: percent. latency, freshness: milliseconds. cpu: cores. memory: bytes. */
  readonly values: readonly (number | null)[]
}

/** A stretch of the run: a scenario, a phase of its load profile, a fault. */
export interface Band extends Window {
  readonly kind: 'scenario' | 'phase' | 'fault'
  readonly name: string
}

/** What happened over time, as far as it could be read. */
export interface Course extends Window {
  readonly stepMs: number
  readonly series: readonly Series[]
  readonly bands: readonly Band[]
  /** What is not among the series, and why; a sentence each. */
  readonly missing: readonly string[]
}

/** A station on an alert's way, from the fault to the receivers and back. */
export interface LaneStation {
  /** As in the id of its check: pending, firing, delivered, ... */
  readonly id: string
  /** The receiver, if it is one's. */
  readonly receiver?: string
  /** When it was reached; null: never. */
  readonly at: number | null
  /** When it had to be reached. */
  readonly permitted: Window
}

/** An alert's way in one trial. */
export interface AlertLane extends Window {
  readonly alert: string
  readonly trial: string
  /** The fault, from its first effect to its end. */
  readonly fault: Window
  readonly stations: readonly LaneStation[]
}

/** A request worth looking at, with all that was traced of it. */
export interface RequestTrace {
  readonly why: 'slowest' | 'failed'
  /** Where it was sent. */
  readonly scenario: string
  readonly traceId: string
  readonly spans: readonly Span[]
}

/** The place of each moment on the grid that begins at `from`; fewer than `limit` places, each whole seconds long. */
export function gridOf({ from, to }: Window, limit: number): { readonly stepMs: number; readonly length: number } {
  const stepMs = Math.max(1, Math.ceil((to - from) / (limit - 1) / 1000)) * 1000
  return { stepMs, length: Math.max(1, Math.floor((to - from) / stepMs) + 1) }
}
