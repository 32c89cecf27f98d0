import type { Loss, RollCallRow, RollCallTable, RunEvent } from '../lib/event.ts'
import type { CheckResult, Evidence, Signal, Verdict } from '../lib/verdict.ts'

/** 2026-11-21T14:00:00Z, the zero time of the sample runs. */
export const sampleStart = Date.UTC(2026, 10, 21, 14, 0, 0)
export const sampleRunId = '20261121-140000-5f2c9a10'

const evidence: Evidence = {
  expected: '4,812 requests counted',
  actual: '4,812',
  query: 'sum by (route) (http_requests_total{job="gateway"})',
  window: { from: sampleStart + 1000, to: sampleStart + 22_300 },
  attempts: 3,
  elapsedMs: 2140,
  deadline: '2 scrapes of 1 s + 2 s = 4 s',
  reproduce: `curl -sG 'http://127.0.0.1:9090/api/v1/query' --data-urlencode 'query=http_requests_total{job="gateway"}[35s]' --data-urlencode 'time=1795269641.3'`,
  link: 'http://127.0.0.1:9090/graph?g0.expr=http_requests_total',
}

/** A check of scenario `basic`, as a validator would hand it over. */
export function sampleCheck(
  signal: Signal,
  id: string,
  title: string,
  verdict: Verdict = 'passed',
  more: Partial<CheckResult> & { readonly seen?: Partial<Evidence> } = {},
): CheckResult {
  const { seen, ...rest } = more
  const result = { id: `${signal}.${id}`, title, signal, scenario: 'basic', verdict, ...rest }
  return { ...result, evidence: { ...evidence, ...seen } }
}

/** The beginning of a run: its plan and one driven scenario. */
export function sampleBeginning(): RunEvent[] {
  const at = (seconds: number) => sampleStart + seconds * 1000
  return [
    {
      type: 'run-started',
      at: at(0),
      versions: { k6: '1.8.1', prometheus: '3.15.0' },
      plan: {
        runId: sampleRunId,
        target: 'http://127.0.0.1:40123',
        scenarios: [
          {
            name: 'basic',
            profile: 'constant arrival rate',
            journeys: ['browse', 'manage-todos', 'mistakes'],
            peakRate: 40,
            durationMs: 20_000,
          },
          { name: 'spike', profile: 'tenfold burst', journeys: ['browse'], peakRate: 200, durationMs: 25_000 },
        ],
        backends: { prometheus: 'http://127.0.0.1:9090', loki: 'http://127.0.0.1:3100' },
        deadlines: [
          'metrics: 2 scrapes of 1 s + 2 s = 4 s',
          'alerts: scrape 1 s + evaluation 1 s + for 3 s + group wait 1 s + delivery 10 s = 16 s after the first effect',
        ],
        faults: ['error: 30 % of the requests at todos answer 500, for 20 s'],
        estimatedMs: 145_000,
      },
    },
    { type: 'phase', at: at(0.2), text: 'Preflight' },
    {
      type: 'load-progress',
      at: at(9),
      progress: { scenario: 'basic', elapsedMs: 8000, durationMs: 20_000, iterations: 320, text: '' },
    },
    {
      type: 'scenario-ended',
      at: at(22),
      result: {
        name: 'basic',
        window: { from: at(1), to: at(22) },
        requests: 4812,
        iterations: 800,
        dropped: 0,
        p95Ms: 12.4,
        errorRatio: 0,
      },
    },
    { type: 'phase', at: at(22.1), text: 'Judging basic' },
  ]
}

/** A service of which everything was found. */
export function sampleRow(service: string, sent: number, more: Partial<RollCallRow> = {}): RollCallRow {
  const found = { counted: sent, logged: sent, traced: sent, missing: 0, doubled: 0, freshnessMs: 640 }
  return { service, sent: [sent, sent], ...found, ...more }
}

const losses: readonly Loss[] = ['0001', '0002'].map((end) => ({
  service: 'todos',
  signal: 'logs',
  id: `5f2c9a1000020100a1b2c3d40000${end}`,
  command: `curl -sG 'http://127.0.0.1:3100/loki/api/v1/query_range' --data-urlencode 'query={service_name="todos"} |= "5f2c9a1000020100a1b2c3d40000${end}"'`,
}))

/** The checks and the end of a run in which all is well. */
export function greenEnding(): RunEvent[] {
  const rows = [sampleRow('gateway', 4812), sampleRow('todos', 3608), sampleRow('webhooks', 960, { freshnessMs: 1240 })]
  return ending(0, 'All 2 checks passed, 1 was skipped.', { scenario: 'basic', rows, losses: [] }, [
    sampleCheck('load', 'p95', 'p95 stays below 500 ms'),
    sampleCheck('metrics', 'request-count', 'Every request is counted'),
    sampleCheck('alerts', 'quiet', 'Nothing fires while all is well', 'skipped', {
      reason: 'No Alertmanager in the config.',
    }),
  ])
}

/** The checks and the end of a run with one check of every verdict. */
export function redEnding(): RunEvent[] {
  const rows = [
    sampleRow('gateway', 4812, { sent: [4812, 4815], counted: 4788, missing: 0, doubled: 2 }),
    sampleRow('todos', 3608, { logged: 3606, traced: null, missing: 2, freshnessMs: Number.POSITIVE_INFINITY }),
    sampleRow('webhooks', 960, { traced: null, freshnessMs: null }),
  ]
  const rollCall = { scenario: 'basic', rows, losses }
  return ending(1, '3 of 4 checks are red: metrics.request-count, logs.request-lines, traces.complete.', rollCall, [
    sampleCheck('load', 'p95', 'p95 stays below 500 ms'),
    sampleCheck('metrics', 'request-count', 'Every request is counted', 'failed', {
      reason: 'The gateway counted 24 requests fewer than k6 sent.',
      seen: {
        actual: '4,788, that is 24 fewer',
        details: ['GET /todos 200: 1,604 of 1,604', 'POST /todos 201: 24 missing'],
      },
    }),
    sampleCheck('logs', 'request-lines', 'Every request is logged', 'no-data', { seen: { actual: 'no line at all' } }),
    sampleCheck('traces', 'complete', 'Every sampled request has its whole trace', 'errored', {
      reason: 'Jaeger does not answer: connect ECONNREFUSED 127.0.0.1:16686.',
    }),
    sampleCheck('alerts', 'quiet', 'Nothing fires while all is well', 'skipped', {
      reason: 'No Alertmanager in the config.',
    }),
  ])
}

function ending(
  exitCode: number,
  verdict: string,
  rollCall: RollCallTable,
  checks: readonly CheckResult[],
): RunEvent[] {
  const [startedAt, endedAt] = [sampleStart, sampleStart + 31_000]
  return [
    ...checks.map((result, n): RunEvent => ({ type: 'check', at: sampleStart + 23_000 + n * 1000, result })),
    { type: 'roll-call', at: sampleStart + 29_500, rollCall },
    { type: 'warning', at: sampleStart + 30_000, text: 'The clock of Loki is 340 ms ahead of this machine.' },
    { type: 'run-ended', at: endedAt, end: { runId: sampleRunId, exitCode, verdict, startedAt, endedAt } },
  ]
}
