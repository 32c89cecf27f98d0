import type { Window } from '../../lib/verdict.ts'
import { type Asking, type Check, type Finding, judged, type Outcome } from '../check.ts'
import type { Backends } from '../context.ts'
import type { Timeline, Watched } from './timeline.ts'

/** How a source was asked, for the evidence. */
export type Asked = Pick<Asking, 'query' | 'reproduce' | 'link'>

/** Where the stations of an alert can be looked up. */
export interface Sources {
  readonly prometheus: Asked
  readonly alertmanager: Asked
  readonly sinks: Asked
}

export function sourcesOf({ prometheus, alertmanager }: Pick<Backends, 'prometheus' | 'alertmanager'>): Sources {
  return {
    prometheus: {
      query: '/api/v1/rules',
      reproduce: prometheus.client.curl('/api/v1/rules'),
      ...prometheus.client.link('/alerts'),
    },
    alertmanager: {
      query: '/api/v2/alerts',
      reproduce: alertmanager.client.curl('/api/v2/alerts'),
      ...alertmanager.client.link('/#/alerts'),
    },
    sinks: { query: "what muster's sinks received" },
  }
}

/** The time of a trial. */
export function windowOf({ startedAt, endedAt }: Timeline): Window {
  return { from: startedAt, to: endedAt }
}

/** A check of the alerts whose answer is known. */
export function told(id: string, title: string, outcome: () => Outcome): Check {
  return { id: `alerts.${id}`, title, signal: 'alerts', run: async () => outcome() }
}

/** The outcome of a finding; errored if it lacks something because a source could not be asked at last. */
export function fromSources(finding: Finding, asking: Asking, timeline: Timeline, needs: readonly Watched[]): Outcome {
  const lost = needs.map((source) => timeline.unasked[source]).find(Boolean)
  if (!lost || (finding.problems.length === 0 && !finding.empty)) return judged(finding, asking)
  return {
    verdict: 'errored',
    reason: lost,
    evidence: { ...asking, actual: 'could not ask', attempts: 1, elapsedMs: 0 },
  }
}
