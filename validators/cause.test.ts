import { expect, it } from 'vitest'
import type { Series } from './backends/prometheus.ts'
import { causeIn } from './cause.ts'

const counter = (name: string, growth: number): Series => ({
  labels: { __name__: name },
  samples: [
    { at: 0, value: 7 },
    { at: 2000, value: 7 + growth },
  ],
})
const sound = [
  counter('otelcol_receiver_accepted_log_records_total', 100),
  counter('otelcol_exporter_sent_log_records_total', 100),
  counter('otelcol_receiver_refused_log_records_total', 0),
  counter('otelcol_exporter_send_failed_log_records_total', 0),
]
const cause = (...more: readonly Series[]) => causeIn([...sound, ...more], 1000, 'logs')

it('blames the service if all that the collector got was sent on', () => {
  expect(cause()).toBe('likely the service: the collector sent on all 100 log records that it got')
})

it('blames the pipeline if the collector refused, failed, or kept back', () => {
  expect(cause(counter('otelcol_receiver_refused_log_records', 3))).toContain('the pipeline: the collector refused 3')
  expect(cause(counter('otelcol_exporter_enqueue_failed_log_records', 2))).toContain('could not send on 2')
  expect(cause(counter('otelcol_receiver_accepted_log_records', 1))).toContain(
    'accepted 101 log records and sent on 100',
  )
})

it('blames the backend if it discarded', () => {
  expect(cause(counter('loki_discarded_samples_total', 9))).toBe('likely the backend: Loki discarded 9 lines')
})

it('blames nobody if there are no books', () => {
  expect(causeIn([], 1000, 'traces')).toContain('not known')
})
