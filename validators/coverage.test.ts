import { expect, it } from 'vitest'
import type { CheckResult } from '../lib/verdict.ts'
import { type Check, put } from './check.ts'
import { type ConfigInput, parseConfig } from './config.ts'
import type { ScenarioContext } from './context.ts'
import { connect } from './preflight.ts'
import { exitCodeOf, scenarioChecks } from './run.ts'
import { stackChecks } from './signals/stack.ts'

const url = 'http://127.0.0.1:9'
const whole = {
  job: 'shop',
  requests: { kind: 'http', metric: 'http_requests_total' },
  duration: 'http_request_duration_seconds',
  logs: { selector: '{service_name="shop"}', message: 'done' },
  traces: { service: 'shop' },
} as const
const all = { prometheus: { url }, loki: { url }, jaeger: { url }, alertmanager: { url } }

/** All checks of a run against a config, none of them put. */
function checksOf(backends: ConfigInput['backends'], service: ConfigInput['services'][string] = whole): Check[] {
  const config = parseConfig(
    {
      target: { url },
      backends,
      services: { shop: service },
      scenarios: ['shop.ts'],
      thresholds: { http_req_failed: ['rate<0.01'] },
    },
    'muster.config.ts',
  )
  const context = {
    runId: 1,
    config,
    secrets: ['hush'],
    backends: connect(config.backends ?? {}, 4),
    facts: { scrapeMs: 1000, scrapeTimeoutMs: 1000, clockOffsetMs: 0, evaluationMs: 1000, rules: [] },
    window: { from: 0, to: 1 },
    edges: {},
    scenario: { name: 'shop', journeys: [] },
    thresholds: {},
    signal: new AbortController().signal,
  }
  // What is only read when a check is put is not there.
  return [
    ...scenarioChecks(context as unknown as ScenarioContext),
    ...stackChecks(context as unknown as ScenarioContext, context.window),
  ].filter(({ id }) => !id.endsWith('.freshness'))
}

/** Why checks are not put, by id. */
function skippedOf(checks: readonly Check[]): Record<string, string> {
  return Object.fromEntries(checks.flatMap(({ id, skip }) => (skip === undefined ? [] : [[id, skip]])))
}

it('puts every check when nothing is missing, but for the rules that Prometheus does not have', () => {
  expect(skippedOf(checksOf(all))).toEqual({ 'stack.rules': 'Prometheus has no rules' })
})

it.each<[string, Partial<typeof all>, string, string]>([
  ['Loki', { prometheus: all.prometheus, jaeger: all.jaeger }, 'logs', 'backends.loki'],
  ['Prometheus', { loki: all.loki, jaeger: all.jaeger }, 'metrics', 'backends.prometheus'],
  [
    'a source of traces',
    { prometheus: all.prometheus, loki: all.loki },
    'traces',
    'backends.jaeger or backends.zipkin',
  ],
])('skips once per signal and service what %s would tell', (_, backends, signal, setting) => {
  const own = checksOf(backends).filter((check) => check.signal === signal && check.id.endsWith('.shop'))
  expect(own).toHaveLength(1)
  expect(own[0]?.skip).toContain(setting)
})

it.each([
  ['logs', { ...whole, logs: undefined }, 'services.shop names no logs'],
  ['traces', { ...whole, traces: undefined }, 'services.shop names no traces'],
  ['metrics', { ...whole, job: undefined }, 'services.shop names no job'],
  ['metrics', { ...whole, duration: undefined }, 'services.shop names no duration'],
  ['metrics', { ...whole, requests: undefined }, 'services.shop.requests names no metric'],
  ['metrics', { ...whole, requests: { ...whole.requests, status: false as const } }, 'names no label for the status'],
] as const)('says which %s a service lacks', (signal, service, reason) => {
  const told = checksOf(all, service).filter(({ id, skip }) => id.startsWith(`${signal}.`) && skip?.includes(reason))
  expect(told.filter(({ id }) => id.endsWith('.shop'))).toHaveLength(1)
})

it('makes a check skipped that meets something absent while it is put, never green', async () => {
  const backends = connect({}, 4)
  const check: Check = {
    id: 'x.y',
    title: 'asks Loki',
    signal: 'logs',
    run: async () => {
      await backends.loki.version()
      return { verdict: 'passed', evidence: { expected: '', actual: '', attempts: 1, elapsedMs: 0 } }
    },
  }
  const result = await put(check, new AbortController().signal)
  expect(result).toMatchObject({ verdict: 'skipped', reason: 'the config names no Loki (backends.loki)' })
})

it('does not call a run green in which all was skipped', () => {
  const skipped: CheckResult = {
    id: 'logs.ids.shop',
    title: '',
    signal: 'logs',
    verdict: 'skipped',
    evidence: { expected: '', actual: '', attempts: 0, elapsedMs: 0 },
  }
  expect(exitCodeOf([skipped])).toBe(1)
})
