import { expect, it } from 'vitest'
import type { CheckResult, Verdict } from '../lib/verdict.ts'
import { exitCodeOf, wants } from './run.ts'

function result(verdict: Verdict, id = 'metrics.request-count.gateway'): CheckResult {
  const evidence = { expected: '', actual: '', attempts: 1, elapsedMs: 0 }
  return { id, title: id, signal: 'metrics', verdict, evidence }
}

it.each<[string, readonly CheckResult[], number]>([
  ['0 if all passed', [result('passed')], 0],
  ['0 if some were skipped for a reason', [result('passed'), result('skipped')], 0],
  ['1 if one failed', [result('passed'), result('failed')], 1],
  ['1 for no data, which proves nothing', [result('passed'), result('no-data')], 1],
  ['1 if nothing was judged', [], 1],
  ['1 if all was skipped', [result('skipped')], 1],
  ['3 if something could not be asked', [result('passed'), result('errored')], 3],
  ['1 rather than 3: a failure is certain', [result('errored'), result('failed')], 1],
  ['4 if the load generator was saturated', [result('passed'), result('failed', 'load.dropped')], 4],
  ['4 if nothing was sent', [result('no-data', 'load.requests')], 4],
  ['4 if nothing was executed', [result('no-data', 'load.iterations')], 4],
  ['4 if the books do not add up', [result('failed', 'load.books')], 4],
  ['4 if k6 died', [result('errored', 'load.k6')], 4],
  ['4 rather than 1 and 3', [result('failed'), result('errored'), result('failed', 'load.dropped')], 4],
  ['1 for a threshold of the load', [result('failed', 'load.threshold.http_req_duration.p(95)')], 1],
  ['1 for unexpected statuses', [result('failed', 'load.statuses')], 1],
])('ends with %s', (_, results, code) => {
  expect(exitCodeOf(results)).toBe(code)
  expect(exitCodeOf([...results].reverse())).toBe(code)
})

it.each<[string | undefined, string, string | undefined, boolean]>([
  [undefined, 'logs', 'logs.secrets', true],
  ['logs', 'logs', 'logs.secrets', true],
  ['logs', 'metrics', 'metrics.series.gateway', false],
  ['logs.secrets', 'logs', 'logs.secrets', true],
  ['metrics.series', 'metrics', 'metrics.series.gateway', true],
  ['metrics.series.gateway', 'metrics', 'metrics.series.todos', false],
  ['metrics.ser', 'metrics', 'metrics.series.gateway', false],
  // Asked of the whole signal: are any of its checks wanted?
  ['alerts.delivered.HighErrors', 'alerts', undefined, true],
  ['logs.secrets', 'alerts', undefined, false],
])('with --only %s and signal %s it puts %s: %s', (only, signal, id, wanted) => {
  expect(wants(only, signal, id)).toBe(wanted)
})
