import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import type { StackState } from '../stack/state.ts'
import { type Called, Project, plant } from './harness.ts'
import { until } from './observe.ts'

const token = z.object({ token: z.string() })
const instant = z.object({
  data: z.object({ result: z.array(z.object({ value: z.tuple([z.number(), z.string()]) })) }),
})

/** One visitor logs in, creates a todo and lists; without a traceparent, so that the gateway begins the traces. */
async function visit(gateway: string): Promise<void> {
  const json = { 'content-type': 'application/json' }
  const credentials = JSON.stringify({ user: 'ada', password: 'correct horse' })
  const login = await fetch(`${gateway}/login`, { method: 'POST', headers: json, body: credentials })
  const headers = { ...json, authorization: `Bearer ${token.parse(await login.json()).token}` }
  await fetch(`${gateway}/todos`, { method: 'POST', headers, body: JSON.stringify({ title: 'buy milk' }) })
  await (await fetch(`${gateway}/todos`, { headers })).text()
}

/** Waits until every sample service was scraped once more; gives the time before. */
async function scraped({ urls }: StackState): Promise<number> {
  const before = Date.now()
  const query = 'min(timestamp(up{job=~"gateway|todos|webhooks"}))'
  await until('a scrape of every service', 10_000, async () => {
    const answer = await fetch(`${urls.prometheus}/api/v1/query?query=${encodeURIComponent(query)}`)
    const [first] = instant.parse(await answer.json()).data.result
    return Number(first?.value[1] ?? 0) * 1000 > before ? true : undefined
  })
  return before
}

/** Ids of the checks in the failures that the terminal shows. */
function redIds({ stdout }: Called): string[] {
  return [...stdout.matchAll(/^ +check +(live\.\S+)$/gm)].map(([, id]) => id ?? '').sort()
}

/** What the terminal shows, without its line breaks. */
function words({ stdout }: Called): string {
  return stdout.replace(/\s+/g, ' ')
}

describe('live traffic', () => {
  let project: Project
  let state: StackState

  beforeAll(async () => {
    project = await Project.make('{ alerts: [], freshness: undefined }')
    const { code, stderr } = await project.call(['up'])
    expect(code, stderr).toBe(0)
    state = await project.state()
  })

  afterAll(async () => {
    await project?.remove()
  })

  /** 100 visits between two quiet scrapes: 300 requests to gateway, 200 to todos, 100 deliveries; then their check. */
  async function checked(): Promise<Called> {
    const since = await scraped(state)
    // What is written right after a scrape lies at the edge, whose band would hide a loss of three.
    await until('the edge to lie behind', 2000, lasting(500))
    for (let n = 0; n < 100; n++) await visit(state.urls.gateway)
    // Deliveries follow the answers.
    await scraped(state)
    await scraped(state)
    return project.call(['check', '--since', String(since / 1000)])
  }

  async function planted(
    sabotages: Readonly<Record<'gateway' | 'todos' | 'webhooks', { fault: string; ratio?: number }>>,
  ): Promise<void> {
    for (const service of ['gateway', 'todos', 'webhooks'] as const) {
      const lift = await plant(state.urls.faults[service], sabotages[service])
      onTestFinished(lift)
    }
  }

  test('a period without traffic proves nothing: exit 1', async () => {
    await until('three seconds', 5000, lasting(3000))
    const called = await project.call(['check', '--since', '3s', '--only', 'live.counted-logged'])
    expect(words(called)).toContain('nothing to judge: 0 counted, 0 logged, 0 traced')
    expect(called.code).toBe(1)
  })

  test('traffic that muster did not send is accounted for, exactly where the edges are quiet: exit 0', async () => {
    const called = await checked()
    expect(called.stdout).toMatch(/^ {2}gateway +\S+ +300 +300 +300 +300 +· +·$/m)
    expect(called.stdout).toMatch(/^ {2}todos +\S+ +200 +200 +200 +200 +· +·$/m)
    expect(called.stdout).toMatch(/^ {2}webhooks +\S+ +100 +100 +100 +100 +· +·$/m)
    expect(called.code).toBe(0)
  })

  test('a period that begins and ends amid traffic is judged within the band of its edges: exit 0', async () => {
    let over = false
    const traffic = (async () => {
      while (!over) await visit(state.urls.gateway)
    })()
    try {
      await until('five seconds of traffic', 10_000, lasting(5000))
      const called = await project.call(['check', '--since', '5s'])
      expect(called.stdout).toMatch(/^ {2}gateway .+ \d+-\d+ +· +·$/m)
      expect(called.code, called.stdout).toBe(0)
    } finally {
      over = true
      await traffic
    }
  })

  test('1 in 100 lost by a counter, by the logs, or written twice is named: exit 1', async () => {
    await planted({
      gateway: { fault: 'skip-counter', ratio: 0.01 },
      todos: { fault: 'drop-logs', ratio: 0.01 },
      webhooks: { fault: 'double-logs', ratio: 0.01 },
    })
    const called = await checked()
    expect(redIds(called)).toEqual([
      'live.counted-logged.gateway',
      'live.counted-logged.todos',
      'live.lines.webhooks',
      'live.logged-traced.todos',
    ])
    const text = words(called)
    expect(text).toContain('3 requests logged, but not counted: the spans agree with the lines')
    expect(text).toContain('2 requests counted, but not logged: the spans agree with the counter')
    expect(text).toMatch(/2 requests traced, but not logged [0-9a-f]{32}/)
    expect(text).toMatch(/1 request logged more than once [0-9a-f]{32}/)
    expect(called.code).toBe(1)
  })

  test('1 in 100 lines without a trace id or with a wrong one, and logs that are off, are named: exit 1', async () => {
    await planted({
      gateway: { fault: 'logs-without-trace', ratio: 0.01 },
      todos: { fault: 'wrong-trace-id', ratio: 0.01 },
      webhooks: { fault: 'logs-off' },
    })
    const called = await checked()
    expect(redIds(called)).toEqual([
      'live.counted-logged.webhooks',
      'live.lines.gateway',
      'live.lines.webhooks',
      'live.logged-traced.gateway',
      'live.logged-traced.todos',
      'live.logged-traced.webhooks',
    ])
    const text = words(called)
    expect(text).toMatch(/the line of [\d:.]+ \(\w+ \/\w+ 20\d\): trace_id is missing/)
    expect(text).toMatch(/2 requests logged, but not traced [0-9a-f]{32}/)
    expect(text).toContain('100 requests counted, but not logged: the spans agree with the counter')
    expect(called.code).toBe(1)
  })

  test('spans that are dropped are named by the requests that lack them; without sabotage all is well again', async () => {
    const lift = await plant(state.urls.faults.todos, { fault: 'drop-spans', ratio: 0.01 })
    const called = await checked()
    await lift()
    expect(redIds(called)).toEqual(['live.logged-traced.todos'])
    expect(words(called)).toMatch(/\d requests? logged, but not traced [0-9a-f]{32}/)
    expect(called.code).toBe(1)
    expect((await checked()).code).toBe(0)
  })

  test.each([
    [['--since', 'soon'], '--since "soon" is no time'],
    [['--since', '5s', '--until', '10s'], '--since 5s is not before the end of the period'],
    [['--since', '1m', '--until', '2999-01-01T00:00:00Z'], 'is in the future'],
    [['--until', '3s'], '--until needs --since'],
    [['some-run', '--since', '5s'], 'leave one out'],
    [['--since', '100ms'], 'The period must be at least two scrapes of 1 s long'],
  ])('check %j is refused: exit 2', async (args, sentence) => {
    const { code, stderr } = await project.call(['check', ...args])
    expect(stderr).toContain(sentence)
    expect(code).toBe(2)
  })
})

test('without backends there is nothing to ask: exit 3', async () => {
  const project = await Project.make()
  onTestFinished(() => project.remove())
  const { code, stderr } = await project.call(['check', '--since', '5s'])
  expect(stderr).toContain('name yours in backends of the config, or start a stack with muster up')
  expect(code).toBe(3)
})

/** For `until`: true after so many milliseconds. */
function lasting(ms: number): () => true | undefined {
  const begun = performance.now()
  return () => (performance.now() - begun > ms ? true : undefined)
}
