import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { UsageError } from '../lib/errors.ts'
import { type Ledger, makeLedger } from '../lib/ledger.ts'
import { isSampled } from '../lib/sampling.ts'
import { decodeTraceId, traceId } from '../lib/trace-id.ts'
import { obtain } from '../stack/obtain.ts'
import { type K6Options, type K6Result, loadScenario, runK6 } from '../validators/k6.ts'

const { k6: k6Path } = await obtain(['k6'])

/** Records the trace id of every request, and whether it is to be traced; answers by path. */
class Recorder {
  readonly ids: string[] = []
  readonly sampled: string[] = []
  readonly #server: Server
  #count = 0

  constructor() {
    this.#server = createServer((request, response) => {
      const [, id = '', , flags] = String(request.headers.traceparent).split('-')
      this.ids.push(id)
      if (flags === '01') this.sampled.push(id)
      request.resume().on('end', () => this.#answer(`${request.method} ${request.url}`, ++this.#count, response))
    })
  }

  #answer(what: string, n: number, response: ServerResponse): void {
    const end = (status: number, body?: object) => response.writeHead(status).end(body && JSON.stringify(body))
    if (what === 'POST /things') end(201, { id: n })
    else if (what.startsWith('DELETE')) end(204)
    else if (what === 'GET /missing') end(404)
    else if (what === 'GET /coin') end(200, { heads: n % 2 === 0 })
    else if (what === 'GET /flaky') end(n % 3 === 0 ? 500 : 200, {})
    else if (what === 'GET /hang' && n % 3 === 0) return
    else if (what === 'GET /slow') setTimeout(() => end(200), 150)
    else end(200, {})
  }

  async start(): Promise<string> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done))
    const address = this.#server.address()
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((done) => this.#server.close(done))
  }
}

describe('the journey runtime in a real k6', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'muster-journeys-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  interface Ran {
    readonly result: K6Result
    readonly ledger: Ledger | undefined
    readonly received: string[]
    readonly sampled: string[]
  }

  async function run(
    name: string,
    options: Partial<K6Options> = {},
    thresholds: Record<string, string[]> = {},
  ): Promise<Ran> {
    const recorder = new Recorder()
    const baseUrl = await recorder.start()
    return drive(
      recorder,
      name,
      { run: 0xdecade01, instance: 2, firstNumber: 7, baseUrl, thresholds },
      options,
    ).finally(() => recorder.stop())
  }

  async function drive(
    { ids: received, sampled }: Recorder,
    name: string,
    plan: K6Options['plan'],
    options: Partial<K6Options> = {},
  ): Promise<Ran> {
    const scenarioFile = fileURLToPath(new URL(`journey-runtime/${name}.ts`, import.meta.url))
    const into = join(folder, `${name}-${plan.instance}`)
    const result = await runK6({ k6Path, scenarioFile, plan, folder: into, ...options })
    const { summary, oddLines } = result
    const ledger = summary && makeLedger({ scenario: await loadScenario(scenarioFile), plan, summary, oddLines })
    return { result, ledger, received, sampled }
  }

  const sorted = (ids: Iterable<string>) => [...ids].sort()
  const enumerated = (ledger: Ledger | undefined) =>
    [...(ledger?.sent() ?? [])].map(({ origin, account, must }) => ({ id: traceId(origin), part: account.part, must }))

  it('sends exactly the enumerated ids: calm, throwing, looping, branching, failing, set-up', async () => {
    const progress: string[] = []
    const limits = {
      http_req_duration: ['p(97)<5000', 'avg<5000'],
      'http_req_failed{scenario:failing}': ['rate<0.001'],
    }
    const { result, ledger, received } = await run('mixed', { onProgress: ({ text }) => progress.push(text) }, limits)
    expect(result.exitCode, result.exitMeaning).toBe(99)
    expect(ledger?.problems).toEqual([])
    expect(ledger?.remainder).toBe(0)
    const ids = enumerated(ledger)
    expect(ids.every(({ must }) => must)).toBe(true)
    expect(sorted(received)).toEqual(sorted(ids.map(({ id }) => id)))
    expect(received.length).toBeGreaterThan(500)
    expect(ids.filter(({ part }) => part === 'setup')).toHaveLength(3)
    expect(ids.filter(({ part }) => part === 'teardown')).toHaveLength(3)
    expect(new Set(received.map((id) => decodeTraceId(id)?.repetition))).toEqual(new Set([0, 1, 2]))
    const flaky = ledger?.steps.find(({ step }) => step === 'flaky')
    expect(flaky?.unexpected).toMatchObject([{ status: 500 }])
    // k6's own count of failures goes by the declared status, too: a 404 that is declared is none. (It calls them passes.)
    expect(result.summary?.metrics.http_req_failed?.values.passes).toBe(flaky?.unexpected[0]?.count)
    const [right, wrong] = ledger?.expected('gateway').filter(({ step }) => step === 'flaky') ?? []
    expect(wrong?.status).toBe(500)
    expect((right?.count[0] ?? 0) + (wrong?.count[0] ?? 0)).toBe(flaky?.attempted[0])
    const thrown = result.oddLines.find(({ journey }) => journey === 'throwing')
    expect(thrown?.why).toContain('one in ten throws')
    expect(thrown?.path).toEqual([0])
    expect(progress.length).toBeGreaterThan(0)
  })

  it('knows of client time-outs that the service may or may not have answered', async () => {
    const { result, ledger, received } = await run('hanging')
    expect(result.exitCode, result.exitMeaning).toBe(0)
    expect(ledger?.problems).toEqual([])
    expect(ledger?.unanswered).toBeGreaterThan(0)
    expect(ledger?.steps[0]?.unexpected).toMatchObject([{ status: 0, errorCode: 1050 }])
    expect(sorted(received)).toEqual(sorted(enumerated(ledger).map(({ id }) => id)))
    expect(ledger?.expected('gateway')).toContainEqual(
      expect.objectContaining({ step: 'hang', status: undefined, count: [0, ledger?.unanswered] }),
    )
  })

  it('sends exactly the enumerated ids under a rising rate, and marks exactly the sampled ones', async () => {
    const { result, ledger, received, sampled } = await run('shared')
    expect(result.exitCode, result.exitMeaning).toBe(0)
    expect(ledger?.problems).toEqual([])
    const ids = enumerated(ledger).map(({ id }) => id)
    expect(sorted(received)).toEqual(sorted(ids))
    expect(received.length).toBeGreaterThan(300)
    expect(sorted(sampled)).toEqual(sorted(ids.filter((id) => isSampled(id, 0.25))))
    expect(sampled.length / received.length).toBeGreaterThan(0.15)
    expect(sampled.length / received.length).toBeLessThan(0.35)
  })

  it('shares a load among two k6 processes whose books together are what was received', async () => {
    const recorder = new Recorder()
    const baseUrl = await recorder.start()
    const plan = { run: 0xdecade02, instances: 2, firstNumber: 7, baseUrl, thresholds: {} }
    const both = await Promise.all([0, 1].map((instance) => drive(recorder, 'shared', { ...plan, instance }))).finally(
      () => recorder.stop(),
    )
    const halves = both.map(({ result, ledger }) => {
      expect(result.exitCode, result.exitMeaning).toBe(0)
      expect(ledger?.problems).toEqual([])
      return enumerated(ledger).map(({ id }) => id)
    })
    expect(sorted(recorder.ids)).toEqual(sorted(halves.flat()))
    expect(new Set(recorder.ids).size).toBe(recorder.ids.length)
    // Each drives about half, and numbers its iterations of each journey without a gap.
    for (const [instance, half] of halves.entries()) {
      expect(half.length / recorder.ids.length).toBeGreaterThan(0.4)
      for (const scenario of [7, 8]) {
        const iterations = recorder.ids
          .flatMap((id) => decodeTraceId(id) ?? [])
          .filter((one) => one.instance === instance && one.scenario === scenario && one.step === 0)
          .map(({ iteration }) => iteration)
        expect(iterations.sort((a, b) => a - b)).toEqual(iterations.map((_, n) => n))
      }
    }
    // As many as one process alone would have begun, but for the last arrival of each stage.
    const begun = both.flatMap(({ ledger }) => ledger?.journeys ?? []).reduce((sum, one) => sum + one.begun, 0)
    expect(Math.abs(begun - 216)).toBeLessThanOrEqual(20)
  })

  it('bounds what an interrupted run sent', async () => {
    const abort = new AbortController()
    const onProgress: K6Options['onProgress'] = ({ iterations }) => iterations > 30 && abort.abort()
    const { result, ledger, received } = await run('slow', { onProgress, signal: abort.signal })
    expect(result.exitCode, result.exitMeaning).toBe(105)
    expect(result.regular).toBe(false)
    expect(ledger?.problems).toEqual([])
    const [least = 0, most = 0] = ledger?.requests ?? []
    console.log(`received ${received.length}, between ${least} and ${most}`)
    expect(most).toBeGreaterThan(least)
    expect(received.length).toBeGreaterThanOrEqual(least)
    expect(received.length).toBeLessThanOrEqual(most)
    for (const { journey, number, attempted } of ledger?.steps ?? []) {
      const scenario = ledger?.journeys.find((one) => one.journey === journey)?.number
      const origins = received.flatMap((id) => decodeTraceId(id) ?? [])
      const ofStep = origins.filter((one) => one.scenario === scenario && one.step === number).length
      expect(ofStep).toBeGreaterThanOrEqual(attempted[0])
      expect(ofStep).toBeLessThanOrEqual(attempted[1])
    }
    const ids = enumerated(ledger)
    const may = new Set(ids.map(({ id }) => id))
    expect(received.filter((id) => !may.has(id))).toEqual([])
    const got = new Set(received)
    const must = ids.filter((one) => one.must)
    expect(must.length).toBeGreaterThan(0)
    expect(must.filter(({ id }) => !got.has(id))).toEqual([])
  })

  it('says that k6 was killed, and makes no books of it', async () => {
    let pid = 0
    const onSpawn = (spawned: number) => {
      pid = spawned
    }
    const onProgress: K6Options['onProgress'] = ({ iterations }) => {
      if (iterations > 20) process.kill(pid, 'SIGKILL')
    }
    const { result, ledger, received } = await run('slow', { onSpawn, onProgress })
    expect(result).toMatchObject({ exitCode: undefined, regular: false, summary: undefined })
    expect(result.exitMeaning).toContain('k6 was ended by SIGKILL')
    expect(ledger).toBeUndefined()
    expect(received.length).toBeGreaterThan(20)
  })

  it('passes on why a script failed, in its own words, and shows that nothing was driven', async () => {
    const { result, ledger } = await run('broken-setup')
    expect(result.exitCode).toBe(107)
    expect(result.exitMeaning).toContain('look answered 200 instead of 418')
    expect(result.exitMeaning).not.toContain('broken-setup.ts')
    expect(result.logTail.join('\n')).toContain('broken-setup.ts')
    expect(result.regular).toBe(false)
    expect(ledger?.requests).toEqual([0, 0])
    expect(ledger?.journeys.map(({ begun }) => begun)).toEqual([0])
  })

  it('refuses bad thresholds and scenario files before anything is sent', async () => {
    await expect(run('mixed', {}, { http_req_durations: ['p(95)<1'], http_reqs: ['p(95)<1'] })).rejects.toThrow(
      /http_req_duration"\?.*a counter has count, rate/,
    )
    await expect(run('missing')).rejects.toThrow(UsageError)
    await expect(run('slow', { k6Path: '/nowhere/k6' })).rejects.toThrow(/k6 cannot be started from \/nowhere\/k6/)
  })
}, 40_000)
