import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, it } from 'vitest'
import { loadConfig } from '../../validators/config.ts'
import { loadScenario } from '../../validators/k6.ts'
import type { Survey } from './survey.ts'
import { configText, journeyText, limitOf, quoted } from './text.ts'

const folders: string[] = []
afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })))
})

const root = fileURLToPath(new URL('../..', import.meta.url))
const importPath = (file: string) => join(root, file)
const nasty = `it's "a" \\ \${x} \`b\` */ // \u2028\n--> </script>`
const endpoint = { url: 'http://127.0.0.1:9090', timeoutMs: 5000, ui: true }

const survey: Survey = {
  baseUrl: 'http://127.0.0.1:8080',
  backends: { prometheus: endpoint },
  headers: { authorization: 'SHOP_TOKEN' },
  services: [
    {
      name: nasty,
      job: {
        job: nasty,
        urls: [],
        scrapeMs: 1000,
        counter: {
          metric: 'requests_total',
          route: 'handler',
          method: false,
          status: 'code',
          routes: [],
          ignore: ['/metrics'],
        },
        histogram: { metric: 'request_duration_seconds', edges: [0.1, 0.4, 1] },
      },
      logs: {
        logs: {
          selector: `{app=${JSON.stringify(nasty)}}`,
          message: nasty,
          format: 'json',
          names: { path: nasty, status: false },
          fields: ['message'],
          processLogger: false,
        },
        untold: ['status'],
      },
      traced: nasty,
      remarks: [nasty],
    },
  ],
  steps: [
    {
      name: 'look',
      method: 'GET',
      route: '/a/:id',
      status: 200,
      parameters: { id: nasty },
      query: { q: nasty },
      services: [nasty],
    },
    {
      name: 'drop',
      method: 'DELETE',
      route: '/a',
      status: 204,
      parameters: {},
      query: {},
      services: [nasty],
      obstacle: nasty,
    },
  ],
  alertRules: [nasty],
  lackedAttributes: ['http.route'],
  remarks: [nasty],
}

it('writes files that load as they are meant, whatever the names in them are', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'muster-text-'))
  folders.push(folder)
  const config = join(folder, 'muster.config.ts')
  await writeFile(config, configText(survey, 'first.ts', importPath))
  await writeFile(join(folder, 'first.ts'), journeyText(survey, importPath))
  const loaded = await loadConfig(config, folder)
  expect(Object.keys(loaded.services)).toEqual([nasty])
  expect(loaded.services[nasty]).toMatchObject({
    job: nasty,
    requests: { metric: 'requests_total', route: 'handler', method: false, status: 'code' },
    logs: { message: nasty, selector: `{app=${JSON.stringify(nasty)}}`, names: { path: nasty, status: false } },
    traces: { service: nasty },
  })
  expect(loaded.server.p95).toBe('1000ms')
  expect(loaded.traces.required.server).toEqual(['http.request.method', 'http.response.status_code'])
  const { journeys } = await loadScenario(join(folder, 'first.ts'))
  expect(Object.keys(journeys[0]?.journey.steps ?? {})).toEqual(['look'])
})

it('lets nobody off loopback be loaded before it is allowed by name', () => {
  const text = configText({ ...survey, baseUrl: 'https://shop.example' }, 'first.ts', importPath)
  expect(text).toContain("target: { url: 'https://shop.example', allow: [], maxRate: 20 },")
})

it('chooses a limit that every histogram can tell', () => {
  const at = (edges: readonly number[]) => ({
    name: 'a',
    job: { job: 'a', urls: [], scrapeMs: 1, counter: undefined, histogram: { metric: 'm', edges } },
    logs: undefined,
    traced: undefined,
    remarks: [],
  })
  expect(limitOf([at([0.1, 0.5, 1])]).text).toBe('500ms')
  expect(limitOf([at([0.1, 0.4, 1])]).text).toBe('1000ms')
  expect(limitOf([at([0.5, 1, 2]), at([0.25, 1])]).text).toBe('1000ms')
  expect(limitOf([at([0.1, 0.2])]).text).toBe('200ms')
  expect(limitOf([]).text).toBe('500ms')
})

it('quotes text so that it reads back the same', () => {
  expect(Function(`return ${quoted(nasty)}`)()).toBe(nasty)
})
