import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadConfig } from './config.ts'
import { configPositions } from './config-position.ts'
import { planScenarios } from './scenarios.ts'
import { scriptPosition } from './script-position.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-position-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** The text of the line that is named, and its file where that is another. */
async function lineAt(text: string, path: readonly (string | number)[], more: Readonly<Record<string, string>> = {}) {
  const file = join(folder, 'muster.config.ts')
  const texts: Record<string, string> = { 'muster.config.ts': text, ...more }
  for (const [name, one] of Object.entries(texts)) await writeFile(join(folder, name), one)
  const position = scriptPosition(file)(path)
  if (!position) return undefined
  const name = position.file.slice(folder.length + 1)
  return `${name}: ${texts[name]?.split('\n')[position.line - 1]?.trim()}`
}

const script = `import { defineConfig } from 'passmuster/validators/config.ts'
import services, { limits as quick } from './parts.ts'

const base = { maxDropped: 3, thresholds: { http_reqs: ['count>1'] } } as const
const spike: unknown = 'scenarios/spike.ts'

export default defineConfig({
  ...base,
  // a comment, with a bracket: [
  scenarios: [
    { file: 'scenarios/basic.ts', thresholds: quick },
    spike,
    {
      file: 'x.ts',
      thresholds: {
        'http_req_duration{step:login}': [
          'p(95)<500',
          'p(99)<1000', // slow
        ],
      },
    },
  ],
  thresholds: ({
    http_req_failed: ['rate<0.01'],
  }),
  services,
  alerts: [...[1].map((n) => ({ name: n })), { name: 'last' }],
} satisfies object);
`
const parts = `
export const limits = {
  http_req_duration: ['p(95)<500'],
}
export default {
  gateway: {
    logs: {},
  },
}
`

describe('in a script', () => {
  it.each<[path: (string | number)[], line: string]>([
    [['scenarios', 2, 'thresholds', 'http_req_duration{step:login}', 1], "muster.config.ts: 'p(99)<1000', // slow"],
    [['scenarios', 0, 'thresholds', 'http_req_duration', 0], "parts.ts: http_req_duration: ['p(95)<500'],"],
    [['scenarios', 1], 'muster.config.ts: spike,'],
    [['thresholds', 'http_req_failed', 0], "muster.config.ts: http_req_failed: ['rate<0.01'],"],
    [
      ['maxDropped'],
      "muster.config.ts: const base = { maxDropped: 3, thresholds: { http_reqs: ['count>1'] } } as const",
    ],
    [['services', 'gateway', 'logs'], 'parts.ts: logs: {},'],
  ])('%j is found through constants, spreads, calls and imports', async (path, line) => {
    expect(await lineAt(script, path, { 'parts.ts': parts })).toBe(line)
  })

  it.each<[path: (string | number)[], line: string]>([
    [['services', 'todos'], 'muster.config.ts: services,'],
    [['freshness', 'p95'], 'muster.config.ts: export default defineConfig({'],
    [['thresholds', 'http_reqs'], 'muster.config.ts: thresholds: ({'],
    [['alerts', 1], "muster.config.ts: alerts: [...[1].map((n) => ({ name: n })), { name: 'last' }],"],
    [[], 'muster.config.ts: export default defineConfig({'],
  ])('of %j, which is not stated there, the nearest is told', async (path, line) => {
    expect(await lineAt(script, path, { 'parts.ts': parts })).toBe(line)
  })

  it.each([
    ['circles', "import a from './muster.config.ts'\nexport default { ...a }"],
    ['constants in a circle', 'const a = b\nconst b = a\nexport default { ...a, x: b }'],
    ['a missing import', "import a from './gone.ts'\nexport default a"],
    ['no default export', 'const a = 1'],
    ['no script', '{{{{ <<<'],
    ['nothing', ''],
  ])('survives %s', async (_name, text) => {
    await expect(lineAt(text, ['x', 'y'])).resolves.not.toThrow()
  })
})

describe('what a check expects', () => {
  const scenario = `import { get, journey } from '${join(import.meta.dirname, '../lib/journey.ts')}'
import { scenario } from '${join(import.meta.dirname, '../lib/scenario.ts')}'
const look = journey('look', { look: get('/', 200, ['shop']) }, (visit) => { visit.look() })
export default scenario('shop', { profile: 'basic', journeys: [{ journey: look, share: 1 }] })
`
  const yaml = `target: { url: http://127.0.0.1:1 }
services:
  shop:
    job: shop
    requests: { kind: http, metric: http_requests_total }
    logs:
      selector: '{app="shop"}'
      message: done
    traces: { service: shop }
scenarios:
  - file: shop.ts
    thresholds:
      http_req_duration:
        - avg<300
        - p(95)<500
thresholds:
  http_req_failed: ['rate<0.01']
freshness:
  sentinel: sentinel.ts
  p95:
    metrics: 3s
    logs: 4s
    traces: 5s
alerts:
  - name: shop errors
    fault: { kind: service, service: shop, fault: error, ratio: 0.3 }
    load: { scenario: shop.ts, rate: 5 }
    expect:
      - alert: ShopDown
        reaches: [pager]
        within: 10s
      - alert: ShopSlow
        reaches: [pager]
        within: 10s
`
  it.each([
    ['load.threshold.http_req_duration{part:load}.p(95)', '- p(95)<500'],
    ['load.threshold.http_req_failed{part:load}.rate', "http_req_failed: ['rate<0.01']"],
    ['metrics.request-count.shop', 'shop:'],
    ['logs.ids.shop', 'logs:'],
    ['logs.freshness', 'logs: 4s'],
    ['alerts.delivered.ShopSlow.pager', '- alert: ShopSlow'],
    ['alerts.nothing-else.shop-errors', '- name: shop errors'],
    ['load.iterations', '- file: shop.ts'],
    ['alerts.end-state', 'alerts:'],
  ])('%s stands at "%s"', async (id, line) => {
    const file = join(folder, 'muster.config.yaml')
    await writeFile(file, yaml)
    await writeFile(join(folder, 'shop.ts'), scenario)
    const config = await loadConfig(file, folder)
    const position = configPositions(config, await planScenarios(config, []))({ id, scenario: 'shop' })
    expect(position?.file).toBe(file)
    expect(yaml.split('\n')[(position?.line ?? 0) - 1]?.trim()).toBe(line)
  })

  it("stands in the sample's config, for every check of the sample that names a service, a threshold or an alert", async () => {
    const file = join(import.meta.dirname, '../muster.config.ts')
    const config = await loadConfig(file, folder)
    const find = configPositions(config, await planScenarios(config, []))
    const line = (id: string, scenario?: string) => find({ id, ...(scenario ? { scenario } : {}) })?.line
    const text = (await readFile(file, 'utf8')).split('\n')
    const at = (needle: string) => text.findIndex((one) => one.includes(needle)) + 1
    expect(line('load.threshold.http_req_duration{part:load}.p(99)', 'stress')).toBe(at("'p(99)<1000'"))
    expect(line('load.threshold.http_req_duration{part:load,phase:recovery}.p(95)', 'spike')).toBe(at("'p(95)<500'"))
    expect(line('load.threshold.http_req_failed{part:load}.rate', 'basic')).toBe(at('http_req_failed'))
    expect(line('metrics.request-count.webhooks', 'basic')).toBe(at('webhooks: {'))
    expect(line('alerts.firing.WebhookHighErrorRate')).toBe(at("alert: 'WebhookHighErrorRate'") - 1)
    expect(line('slo.budget.gateway-latency')).toBe(at("name: 'latency'") - 1)
    expect(line('load.iterations', 'spike')).toBe(at("file: 'scenarios/spike.ts'") - 1)
  })
})
