import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import { UsageError } from '../lib/errors.ts'
import { assertTargetAllowed, type ConfigInput, loadConfig, parseConfig, publicConfig, secretTexts } from './config.ts'

const folders: string[] = []
afterEach(async () => {
  vi.unstubAllEnvs()
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })))
})

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'muster-config-'))
  folders.push(path)
  return path
}

const gateway = {
  job: 'gateway',
  requests: { kind: 'http', metric: 'http_requests_total' },
  logs: { selector: '{service_name="gateway"}', message: 'request completed' },
  traces: { service: 'gateway' },
} as const
const least: ConfigInput = { scenarios: ['basic.ts'], services: { gateway } }
const urls = { url: 'http://127.0.0.1:9090' }
const backends = { prometheus: urls, loki: urls, jaeger: urls, alertmanager: urls }

const aTrial = {
  name: 'errors',
  load: { scenario: 'smoke.ts' },
  fault: { kind: 'service', service: 'gateway', fault: 'error', ratio: 0.3 },
  expect: [{ alert: 'High', reaches: ['slack'] }],
} as const

/** What a config is refused with. */
function refusal(config: unknown): string {
  try {
    parseConfig(config, 'muster.config.ts')
  } catch (error) {
    if (error instanceof UsageError) return error.message
    throw error
  }
  throw new Error('it was accepted')
}

it('fills in what the least config leaves out', () => {
  const config = parseConfig(least, 'muster.config.ts')
  expect(config).toMatchObject({
    maxDropped: 0,
    server: { p95: '500ms', errorRatio: 0.01 },
    traces: { skew: '250ms' },
    alerts: [],
    secrets: [],
  })
  expect(config.services.gateway?.requests).toMatchObject({ route: 'route', method: 'method', status: 'status' })
  expect(config.services.gateway?.logs?.fields).toContain('trace_id')
})

it('reports five mistakes at once, each with its path', () => {
  const message = refusal({
    scenarios: [],
    services: { gateway: { ...gateway, logs: { ...gateway.logs, selector: 'gateway' } } },
    thresholds: { http_req_duratoin: ['p(95)<500'] },
    server: { p95: 'fast' },
    maxDroped: 3,
  })
  expect(message).toContain('muster.config.ts has 5 problems:')
  const lines = message.split('\n').slice(1)
  expect(lines).toHaveLength(5)
  const about = (path: string) => lines.filter((line) => line.trim().startsWith(`${path}:`)).join()
  expect(about('scenarios')).toContain('name at least one scenario file')
  expect(about('services.gateway.logs.selector')).toContain('must be a stream selector')
  expect(about('thresholds')).toContain('http_req_duratoin')
  expect(about('server.p95')).toContain('"fast" is no duration')
  expect(about('maxDroped')).toContain('is no setting of muster')
})

it.each<[string, Partial<Record<keyof ConfigInput, unknown>>, string]>([
  ['backends without a target', { backends }, 'target: is needed with your own backends'],
  [
    'neither a backend nor a threshold',
    { target: urls, backends: {} },
    'backends: names no backend, and there is no threshold either: nothing would be judged',
  ],
  [
    'trials without an Alertmanager',
    { target: urls, backends: { prometheus: urls }, sinkPort: 9099, alerts: [aTrial] },
    'alerts: needs backends.prometheus and backends.alertmanager',
  ],
  [
    'backends with two sources of traces',
    { target: urls, backends: { ...backends, zipkin: urls } },
    'backends: must name one source of traces, either jaeger or zipkin',
  ],
  [
    'a gRPC address with a scheme',
    { target: urls, backends: { ...backends, jaeger: { ...urls, grpc: 'http://127.0.0.1:16685' } } },
    'backends.jaeger.grpc: must be host:port, without a scheme',
  ],
  [
    'a trial of a service that is not there',
    { alerts: [{ ...aTrial, fault: { ...aTrial.fault, service: 'basket' } }] },
    'alerts.0.fault.service: "basket" is not among services',
  ],
  [
    'a fault without traffic that it could strike',
    { alerts: [{ ...aTrial, load: undefined }] },
    'alerts.0.load: is needed: a fault strikes only requests',
  ],
  [
    'a fault of a kind that there is not',
    { alerts: [{ ...aTrial, fault: { kind: 'storm' } }] },
    'alerts.0.fault.kind: ',
  ],
  ['two trials of one name', { alerts: [aTrial, aTrial] }, 'alerts.1.name: "errors" is the name of another trial'],
  [
    'an alert that is expected and inhibited',
    { alerts: [{ ...aTrial, inhibits: ['High'] }] },
    'alerts.0.expect: names High more than once',
  ],
  [
    'a text that is no regular expression',
    { alerts: [{ ...aTrial, expect: [{ alert: 'High', text: '/(/' }] }] },
    'alerts.0.expect.0.text',
  ],
  [
    'a demand that is no duration',
    { alerts: [{ ...aTrial, expect: [{ alert: 'High', within: 'soon' }] }] },
    'alerts.0.expect.0.within: "soon" is no duration',
  ],
  [
    'a call off loopback that target.allow does not name',
    { alerts: [{ ...aTrial, fault: { kind: 'call', call: { url: 'http://shop.example/break' }, lift: urls } }] },
    'alerts.0.fault.call.url: is neither on loopback nor on a host of target.allow',
  ],
  [
    'a lift off loopback that target.allow does not name',
    { alerts: [{ ...aTrial, fault: { kind: 'call', call: urls, lift: { url: 'http://shop.example/mend' } } }] },
    'alerts.0.fault.lift.url: is neither on loopback nor on a host of target.allow',
  ],
  [
    'a fault port off loopback that target.allow does not name',
    { services: { gateway: { ...gateway, faultUrl: 'http://shop.example:9000' } } },
    'services.gateway.faultUrl: is neither on loopback nor on a host of target.allow',
  ],
  [
    'a secret in the place of a variable that holds it',
    { alerts: [{ ...aTrial, fault: { kind: 'call', call: { ...urls, headersEnv: { token: 'a-b' } }, lift: urls } }] },
    'alerts.0.fault.call.headersEnv.token: must be the name of an environment variable',
  ],
  [
    'a command that only a shell could read',
    { alerts: [{ ...aTrial, fault: { kind: 'command', command: 'docker stop shop', lift: ['true'] } }] },
    'alerts.0.fault.command: ',
  ],
  [
    'a synthetic alert without a name',
    { alerts: [{ ...aTrial, fault: { kind: 'synthetic', drill: 'drill', labels: { drill: 'yes' } } }] },
    'alerts.0.fault.labels: must have an alertname',
  ],
  [
    'a synthetic alert that is not the one expected',
    { alerts: [{ ...aTrial, fault: { kind: 'synthetic', drill: 'drill', labels: { alertname: 'Low' } } }] },
    'alerts.0.expect.0.alert: must be Low, the synthetic alert',
  ],
  ['a config that is no object', { services: 'gateway' }, 'services: '],
])('refuses %s', (_, part, text) => {
  expect(refusal({ ...least, ...part })).toContain(text)
})

it('takes a trial with its defaults, and calls on a host that may be loaded', () => {
  const fault = {
    kind: 'call',
    call: { url: 'http://shop.example/break' },
    lift: { ...urls, method: 'DELETE' },
  } as const
  const target = { ...urls, allow: ['shop.example'] }
  const { alerts } = parseConfig({ ...least, target, alerts: [aTrial, { ...aTrial, name: 'call', fault }] }, 'test')
  expect(alerts[0]).toMatchObject({ at: '2s', tolerance: '2s', inhibits: [], load: { rate: 15 } })
  expect(alerts[0]?.expect[0]).toMatchObject({ resolves: true, labels: {}, text: [] })
  expect(alerts[1]?.fault).toMatchObject({ call: { method: 'POST' }, lift: { method: 'DELETE' } })
})

it('takes Zipkin instead of Jaeger, and Jaeger by gRPC', () => {
  const { jaeger, ...others } = backends
  const zipkin = parseConfig({ ...least, target: urls, backends: { ...others, zipkin: urls } }, 'muster.config.ts')
  expect(zipkin.backends?.zipkin).toMatchObject(urls)
  const grpc = { ...jaeger, grpc: 'jaeger:16685' }
  const byGrpc = parseConfig({ ...least, target: urls, backends: { ...others, jaeger: grpc } }, 'muster.config.ts')
  expect(byGrpc.backends?.jaeger).toMatchObject({ ...grpc, timeoutMs: 5000 })
})

it.each(['http://me:hunter2@127.0.0.1:9090', 'http://hunter2@127.0.0.1:9090', 'http://:hunter2@127.0.0.1:9090'])(
  'refuses the credentials in %s, without repeating them',
  (url) => {
    for (const config of [
      { ...least, target: { url } },
      { ...least, target: urls, backends: { ...backends, loki: { url } } },
    ]) {
      expect(refusal(config)).toContain('must not hold credentials')
      expect(refusal(config)).not.toContain('hunter2')
    }
  },
)

it('refuses a secret where the name of a variable belongs, without repeating it', () => {
  const auth = { type: 'bearer', tokenEnv: 'ey.hunter2' }
  const message = refusal({
    ...least,
    target: urls,
    backends: { ...backends, loki: { ...urls, auth } },
    secrets: ['hunter2!'],
  })
  expect(message).toContain('backends.loki.auth.tokenEnv: must be the name of an environment variable')
  expect(message).toContain('secrets.0: must be the name of an environment variable')
  expect(message).not.toContain('hunter2')
})

it('reads YAML by the same schema', async () => {
  const place = await folder()
  const file = join(place, 'muster.config.yaml')
  await writeFile(file, JSON.stringify(least).replace('"basic.ts"', '{ "file": "basic.ts", "duration": "1m30s" }'))
  expect(await loadConfig(undefined, place)).toMatchObject({
    file,
    folder: place,
    scenarios: [{ file: 'basic.ts', duration: '1m30s' }],
  })
  await writeFile(file, 'scenarios: [basic.ts]\nservices: {}\n')
  await expect(loadConfig(undefined, place)).rejects.toThrow('services: name at least one service')
  await writeFile(file, 'scenarios: [basic.ts\nservices')
  await expect(loadConfig(undefined, place)).rejects.toThrow(`${file} cannot be read`)
})

it('finds the nearest config upward from where it is', async () => {
  const place = await folder()
  const below = join(place, 'a', 'b')
  await mkdir(below, { recursive: true })
  await writeFile(join(place, 'muster.config.yaml'), JSON.stringify(least))
  expect((await loadConfig(undefined, below)).folder).toBe(place)
  await writeFile(join(place, 'a', 'muster.config.yml'), JSON.stringify(least))
  expect((await loadConfig(undefined, below)).folder).toBe(join(place, 'a'))
})

it('says so if there is no config, or not the one named', async () => {
  const place = await folder()
  await expect(loadConfig(undefined, place)).rejects.toThrow('No muster.config.ts (or .yaml) in')
  await expect(loadConfig('other.ts', place)).rejects.toThrow('does not exist: check --config')
})

it('shows no secret in the config that reports carry', async () => {
  vi.stubEnv('DEMO_PASSWORD', 'hunter2')
  const config = parseConfig({ ...least, secrets: ['literal:correct horse', 'DEMO_PASSWORD'] }, 'test')
  expect(secretTexts(config)).toEqual(['correct horse', 'hunter2'])
  const shown = JSON.stringify(publicConfig({ ...config, file: 'test', folder: '.' }))
  expect(shown).not.toContain('correct horse')
  expect(shown).not.toContain('hunter2')
  expect(shown).toContain('DEMO_PASSWORD')
})

it('does not look for a secret that is not set: nothing would be proven', () => {
  vi.stubEnv('DEMO_PASSWORD', '')
  const config = parseConfig({ ...least, secrets: ['DEMO_PASSWORD'] }, 'test')
  expect(() => secretTexts(config)).toThrow('the environment variable DEMO_PASSWORD, which is not set')
})

it.each(['http://127.0.0.1:1', 'http://127.8.9.1', 'http://localhost:8080', 'http://[::1]:80'])(
  'lets load go to %s without a word',
  (url) => {
    expect(() => assertTargetAllowed({ url, allow: [], maxRate: 1 }, 1000)).not.toThrow()
  },
)

it.each(['http://shop.example', 'http://127.0.0.1.shop.example', 'http://localhost.shop.example', 'http://10.0.0.1'])(
  'lets load go to %s only by name, and no faster than the ceiling',
  (url) => {
    const { hostname } = new URL(url)
    const allow = [hostname]
    expect(() => assertTargetAllowed({ url, allow: ['other.example'], maxRate: 50 }, 1)).toThrow(
      `Load on ${hostname} is not allowed`,
    )
    expect(() => assertTargetAllowed({ url, allow, maxRate: 50 }, 50)).not.toThrow()
    expect(() => assertTargetAllowed({ url, allow, maxRate: 50 }, 50.1)).toThrow('above target.maxRate 50')
  },
)

it('takes a freshness section whole or not at all', () => {
  const p95 = { metrics: '3s', logs: '3s', traces: '3s' }
  expect(parseConfig(least, 'muster.config.ts').freshness).toBeUndefined()
  expect(parseConfig({ ...least, freshness: { sentinel: 's.ts', p95 } }, 'muster.config.ts').freshness).toMatchObject({
    rate: 2,
  })
  expect(refusal({ ...least, freshness: { sentinel: 's.ts', rate: 50, p95: { ...p95, logs: 'soon' } } })).toMatch(
    /freshness\.rate: .*\n.*freshness\.p95\.logs: "soon" is no duration/,
  )
})

it.each([
  ['ftp://jaeger.example/{traceId}', 'must begin with http'],
  ['javascript:alert({traceId})', 'must begin with http'],
  ['https://user:secret@jaeger.example/{traceId}', 'must hold no credentials'],
  ['https://jaeger.example/{trace}', '{trace} is no place in a link: there are traceId'],
])('refuses the link %s', (trace, why) => {
  const text = refusal({ ...least, links: { trace } })
  expect(text).toContain('links.trace')
  expect(text).toContain(why)
})
