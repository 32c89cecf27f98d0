import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import type { CheckResult } from '../lib/verdict.ts'
import { sloRules } from '../validators/slo/rules.ts'
import { slosSchema } from '../validators/slo/slo.ts'
import { type Called, Project, plant, root } from './harness.ts'
import { until } from './observe.ts'

const rows = z.object({ data: z.object({ result: z.array(z.unknown()) }) })

// Logins stand for health checks: the sample services do not count theirs.
const sli = {
  total: 'http_requests_total{job="gateway"}',
  bad: 'http_requests_total{job="gateway",status=~"5.."}',
  exclude: { route: '/login' },
}
const slo = (name: string) => ({ name, service: 'gateway', sli, objective: 0.95, periodInterval: '2s' })
const inputs = ['sound', 'counting-health-checks', 'counting-4xx', 'unrecorded'].map(slo)
const latency = {
  ...slo('latency'),
  sli: { histogram: 'http_request_duration_seconds{job="gateway"}', threshold: '1s' },
}

let project: Project
let called: Called
let checks: readonly CheckResult[]

beforeAll(async () => {
  project = await Project.make()
  const rules = await Promise.all(
    slosSchema.parse([...inputs, latency]).flatMap((one) => {
      const text = sloRules([one])
      const wrong: Readonly<Record<string, string>> = {
        // The numerator, with its status, stays as it is.
        'counting-health-checks': text.replaceAll('{job="gateway",route!~"/login"}', '{job="gateway"}'),
        'counting-4xx': text.replaceAll('5..', '[45]..'),
      }
      return one.name === 'unrecorded' ? [] : [project.write(`${one.name}.yml`, wrong[one.name] ?? text)]
    }),
  )
  const template = await readFile(join(root, 'stack/config/prometheus.yml'), 'utf8')
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the template's own variable
  const loaded = template.replace('${RULES}/*.yml', rules.join('\n  - '))
  expect(loaded).toContain('sound.yml')
  const prometheus = await project.write('prometheus.yml', loaded)
  const scenario = { file: join(root, 'scenarios/basic.ts'), rate: 15, duration: '8s' }
  await project.configure(
    JSON.stringify({
      scenarios: [scenario],
      thresholds: {},
      alerts: [],
      slos: [...inputs, latency],
      stack: { prometheus },
    }),
  )
  const up = await project.call(['up'])
  expect(up.code, up.stderr).toBe(0)
  const { urls } = await project.state()
  const run = project.start(['run', '--only', 'slo'])
  // Not before k6's set-up is over, which an error would end.
  await until('traffic', 60_000, async () => {
    const query = new URLSearchParams({
      query: 'http_requests_total{job="gateway",method="GET",route="/todos/:id"} > 0',
    })
    const { data } = rows.parse(await (await fetch(`${urls.prometheus}/api/v1/query?${query}`)).json())
    return data.result.length > 0 || undefined
  })
  await plant(urls.faults.gateway ?? '', { fault: 'error', ratio: 0.2 })
  const { exitCode: code, stdout, stderr } = await run
  called = { code, stdout, stderr }
  checks = await project.checks()
}, 170_000)

afterAll(async () => {
  await project?.remove()
})

function check(id: string): CheckResult {
  const found = checks.find((one) => one.id === id)
  if (!found) throw new Error(`${id} was not put:\n${called.stdout}\n${called.stderr}`)
  return found
}

test('rules that are sound say what muster counts, with bad events among them', () => {
  for (const name of ['sound', 'latency']) {
    for (const id of ['sli', 'burn', 'budget']) {
      const { verdict, reason } = check(`slo.${id}.gateway-${name}`)
      expect(`${id} ${verdict}`, reason).toBe(`${id} passed`)
    }
  }
  const { actual } = check('slo.sli.gateway-sound').evidence
  expect(Number(/(\d+) of them bad/.exec(actual)?.[1])).toBeGreaterThan(0)
  expect(check('slo.budget.gateway-sound').evidence.actual).toMatch(/budget spent [1-9]/)
})

test('a recording rule whose denominator includes health checks is red', () => {
  for (const id of ['burn', 'budget']) {
    const { verdict, reason } = check(`slo.${id}.gateway-counting-health-checks`)
    expect(verdict).toBe('failed')
    expect(reason).toMatch(/^slo:events:\S+ says [\d.]+ events in its window, and muster's count makes/)
  }
})

test('a recording rule that counts 4xx as bad is red', () => {
  for (const id of ['burn', 'budget']) {
    const { verdict, reason } = check(`slo.${id}.gateway-counting-4xx`)
    expect(verdict).toBe('failed')
    expect(reason).toMatch(/^slo:errors:\S+ says [\d.]+ bad events/)
  }
})

test('a recording rule that is missing is no data, and says what to load', () => {
  for (const id of ['burn', 'budget']) {
    const { verdict, reason } = check(`slo.${id}.gateway-unrecorded`)
    expect(verdict).toBe('no-data')
    expect(reason).toContain('load what muster slo rules prints')
  }
  expect(called.code).toBe(1)
})
