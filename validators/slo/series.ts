import { formatPrometheusDuration } from '../../lib/prometheus-duration.ts'
import { literal } from '../backends/prometheus.ts'
import { type Slo, sloId } from './slo.ts'

/** The names of the series that the rules of an SLO record, by the window in milliseconds. */
export const recorded = {
  /** Events a second. */
  events: (windowMs: number) => `slo:events:rate${formatPrometheusDuration(windowMs)}`,
  /** Bad events a second. */
  errors: (windowMs: number) => `slo:errors:rate${formatPrometheusDuration(windowMs)}`,
  /** Bad events per event; absent without events. */
  errorRatio: (windowMs: number) => `slo:error_ratio:rate${formatPrometheusDuration(windowMs)}`,
  /** The share of good events. */
  sli: (periodMs: number) => `slo:sli:ratio${formatPrometheusDuration(periodMs)}`,
  /** The share of the error budget that is spent; above 1 the objective is missed. */
  budgetSpent: (periodMs: number) => `slo:error_budget_spent:ratio${formatPrometheusDuration(periodMs)}`,
} as const

/** The names of the events and the bad ones that are recorded over the whole period. */
export function recordedPeriod(periodMs: number): { readonly events: string; readonly errors: string } {
  const period = formatPrometheusDuration(periodMs)
  return { events: `slo:events:increase${period}`, errors: `slo:errors:increase${period}` }
}

/** Every window that an SLO's alerts look at, shortest first. */
export function windowsOf({ windows }: Pick<Slo, 'windows'>): number[] {
  return [...new Set(windows.flatMap(({ longMs, shortMs }) => [longMs, shortMs]))].sort((a, b) => a - b)
}

/** The labels that tell an SLO's series from those of others, as matchers. */
export function identity({ service, name }: Pick<Slo, 'service' | 'name'>): string {
  return `{service=${literal(service)},slo=${literal(name)}}`
}

/** The names of the two rule groups: what the alerts need, and what is recorded over the whole period. */
export function groupNames(slo: Pick<Slo, 'service' | 'name'>): { readonly burn: string; readonly period: string } {
  return { burn: `slo-${sloId(slo)}`, period: `slo-${sloId(slo)}-period` }
}
