import { growth } from '../lib/counter.ts'
import type { Series } from './backends/prometheus.ts'
import { lookback, present, type ScenarioFacts } from './context.ts'

/** What OpenTelemetry's collector calls the records of a signal. */
const records = { logs: 'log_records', traces: 'spans' } as const

/**
 * Where what is missing of a signal was likely lost, by the books of those it passed through: the collector's and the
 * backend's. One sentence; never throws, since it only explains a verdict that stands.
 */
export async function likelyCause(context: ScenarioFacts, signal: 'logs' | 'traces'): Promise<string> {
  const { facts, window, backends } = context
  const from = window.from + facts.clockOffsetMs
  const now = present(context) + facts.clockOffsetMs
  const kind = records[signal]
  const selector = `{__name__=~"otelcol_(receiver_(accepted|refused)|exporter_(sent|send_failed|enqueue_failed))_${kind}(_total)?|loki_discarded_samples_total"}`
  try {
    const series = await backends.prometheus.raw(selector, from - lookback(facts), now, context.signal)
    return causeIn(series, from, signal)
  } catch (error) {
    return `where it was lost could not be asked: ${error instanceof Error ? error.message : String(error)}`
  }
}

/** As `likelyCause`, from the series; `from` in epoch milliseconds of Prometheus' clock. */
export function causeIn(series: readonly Series[], from: number, signal: 'logs' | 'traces'): string {
  const grown = (name: RegExp) =>
    series
      .filter(({ labels }) => name.test(labels.__name__ ?? ''))
      .reduce((sum, { samples }) => {
        const grew = growth(samples, from, true)
        return sum + (grew.known ? grew.growth : 0)
      }, 0)
  const what = signal === 'logs' ? 'log records' : 'spans'
  const discarded = signal === 'logs' ? grown(/^loki_discarded_samples_total$/) : 0
  if (discarded > 0) return `likely the backend: Loki discarded ${discarded} lines`
  const accepted = grown(/_receiver_accepted_/)
  if (!series.some(({ labels }) => labels.__name__?.includes('_receiver_accepted_')))
    return 'where it was lost is not known: Prometheus scrapes no OpenTelemetry collector'
  const refused = grown(/_receiver_refused_/)
  if (refused > 0) return `likely the pipeline: the collector refused ${refused} ${what}`
  const failed = grown(/_exporter_(send|enqueue)_failed_/)
  if (failed > 0) return `likely the pipeline: the collector could not send on ${failed} ${what}`
  const sent = grown(/_exporter_sent_/)
  if (sent < accepted) return `likely the pipeline: the collector accepted ${accepted} ${what} and sent on ${sent}`
  return `likely the service: the collector sent on all ${accepted} ${what} that it got`
}
