import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest'
import { z } from 'zod'
import { restartService } from '../stack/state.ts'
import { Project, plant, root } from './harness.ts'
import { underLoad, until } from './observe.ts'
import { sabotages } from './sabotage/cases.ts'
import { type Row, writeTable } from './sabotage/table.ts'
import { type Consequence, expectClean, expectConsequence } from './sabotage/verdicts.ts'

/**
 * Objectives have tests of their own (tests/slo-run.test.ts): their windows remember a sabotage for longer than the next one lasts.
 * More than a thousand requests at every service that is sabotaged, so that one in a thousand is one.
 */
const thousands = `{ scenarios: [{ file: ${JSON.stringify(join(root, 'scenarios/basic.ts'))}, rate: 60, duration: '8s' }], alerts: [], slos: [] }`

const rows: Row[] = []
afterAll(() => writeTable(rows))

const alerts = z.object({ data: z.object({ alerts: z.array(z.unknown()) }) })

/** A fault's alert is of the run that had the fault, not of the next one. */
async function untilNothingFires(prometheus: string): Promise<void> {
  await until('the end of all alerts', 60_000, async () => {
    const answer = await fetch(`${prometheus}/api/v1/alerts`)
    return alerts.parse(await answer.json()).data.alerts.length === 0 || undefined
  })
}

/** Runs against the sabotaged project; what the red checks said becomes a row of the documents. */
async function expectCaught(
  context: TestContext,
  project: Project,
  consequence: Consequence,
  name = context.task.name,
): Promise<void> {
  const seen = await expectConsequence(project, consequence)
  rows.push({ sabotage: name, seen })
  for (const line of seen) await context.annotate(line)
}

describe('sabotages of the services', () => {
  let project: Project
  beforeAll(async () => {
    project = await Project.make(thousands)
    const up = await project.call(['up'])
    expect(up.code, up.stderr).toBe(0)
  })
  afterAll(() => project.remove())

  it('a clean run is green', () => expectClean(project))

  it.for(sabotages)('$name', async ({ name, service, faults, failing, lasting, ...consequence }, context) => {
    const { urls } = await project.state()
    const lifts = await Promise.all(faults.map((fault) => plant(urls.faults[service], fault)))
    // Not before: a set-up that fails would leave nothing to judge.
    const fail = async () => void lifts.push(await plant(urls.faults[service], { fault: 'error', ratio: failing ?? 0 }))
    try {
      const striking = failing === undefined ? {} : { meanwhile: fail }
      // The task's name is cut short.
      await expectCaught(context, project, { ...consequence, ...striking }, name)
    } finally {
      for (const lift of lifts) await lift()
      if (lasting) await restartService(project.folder, service)
      if (consequence.may?.includes('alerts.quiet')) await untilNothingFires(urls.prometheus)
    }
  })

  it('scrapes fail in mid-run', async (context) => {
    await expectCaught(context, project, {
      must: ['stack.targets'],
      may: ['metrics.freshness'],
      meanwhile: async () => {
        const { urls } = await project.state()
        await plant(urls.faults.todos, { fault: 'no-metrics', ttlMs: 4000 })
      },
    })
  })

  it('others send requests during the load', async (context) => {
    await expectCaught(context, project, {
      must: ['load.alone', 'metrics.request-count.gateway'],
      may: ['metrics.histogram.gateway', 'metrics.exemplars.gateway', 'joined.buckets.gateway', 'metrics.quiet-edges'],
      meanwhile: async () => {
        const { urls } = await project.state()
        for (let n = 0; n < 20; n += 1) {
          const answer = await fetch(`${urls.gateway}/todos`)
          expect(answer.status).toBe(401)
        }
      },
    })
  })

  it('a k6 script sends nothing', async (context) => {
    const file = join(root, 'tests/sabotage/sends-nothing.ts')
    await project.configure(`{ scenarios: [${JSON.stringify(file)}], alerts: [], slos: [], freshness: undefined }`)
    await expectCaught(context, project, {
      must: ['load.requests'],
      // Without a request there is nothing to look at; k6 and the stack are well.
      may: [
        ...['load.scripts', 'load.statuses', 'load.books', 'load.threshold', 'load.alone'],
        ...['metrics', 'logs', 'traces', 'joined'],
      ],
      code: 4,
    })
  })

  it('a clean run is green again after them', async () => {
    await project.configure(thousands)
    await expectClean(project)
  })
})

/** Settings belong to a stack: each of these runs boots its own. */
describe('sabotages of the stack', () => {
  let project: Project
  beforeAll(async () => {
    project = await Project.make()
  })
  afterAll(() => project.remove())

  /** A template of the stack with some texts replaced, each of which must be in it. */
  const changed = async (name: string, ...changes: readonly (readonly [from: string, to: string])[]) => {
    let text = await readFile(join(root, 'stack/config', name), 'utf8')
    for (const [from, to] of changes) {
      expect(text).toContain(from)
      text = text.replace(from, to)
    }
    await project.write(name, text)
    return name
  }
  const placeholder = (name: string) => `$${`{${name}}`}`
  const withStack = (stack: object) => project.configure(`{ ...${thousands}, stack: ${JSON.stringify(stack)} }`)

  it('the collector refuses part of the spans', async (context) => {
    const collector = await changed(
      'collector.yml',
      ['processors: [batch]\n      exporters: [otlphttp/jaeger]', 'processors: []\n      exporters: [otlphttp/jaeger]'],
      [
        'sending_queue: { queue_size: 10000, num_consumers: 4 }',
        'sending_queue: { sizer: items, queue_size: 40, num_consumers: 4 }',
      ],
    )
    await withStack({ collector })
    await expectCaught(context, project, {
      must: ['traces.spans', 'stack.pipeline'],
      // The sample's alert on losses may notice it, too.
      may: ['traces', 'joined', 'metrics.exemplars', 'alerts.quiet'],
    })
  })

  it("Loki's limit is hit, and the collector hears nothing of it", async (context) => {
    const loki = await changed(
      'loki.yml',
      ['per_stream_rate_limit: 256MB', 'per_stream_rate_limit: 20KB'],
      ['per_stream_rate_limit_burst: 512MB', 'per_stream_rate_limit_burst: 20KB'],
    )
    await withStack({ loki })
    await expectCaught(context, project, {
      must: ['logs.request-count.gateway', 'logs.ids.gateway', 'stack.pipeline', 'stack.discards'],
      may: ['logs', 'joined', 'alerts.quiet'],
    })
  })

  it('one of two instances is not scraped', async (context) => {
    const prometheus = await changed('prometheus.yml', [
      `- targets: ${placeholder('TODOS_TARGETS')}`,
      `- targets: ["${placeholder('TODOS_1')}"]`,
    ])
    await withStack({ prometheus, instances: { todos: 2 } })
    await expectCaught(context, project, {
      must: ['metrics.request-count.todos'],
      may: ['joined.buckets.todos', 'metrics.histogram.todos'],
    })
  })

  it('the last increments are lost at shutdown', async (context) => {
    await project.configure(
      `{ ...${thousands.replace('rate: 60', 'rate: 30').replace("'8s'", "'25s'")}, stack: { instances: { todos: 2 } } }`,
    )
    const up = await project.call(['up'])
    expect(up.code, up.stderr).toBe(0)
    const { urls } = await project.state()
    await plant(urls.faults.todos, { fault: 'lost-at-shutdown', ms: 60_000 })
    try {
      await expectCaught(context, project, {
        must: ['metrics.request-count.todos'],
        may: ['metrics.histogram.todos', 'joined.buckets.todos', 'stack.targets', 'metrics.freshness'],
        // Longer than the time between its last scrape and its end, which a loss is expected for.
        meanwhile: async () => {
          await underLoad(project.folder, 'basic', 450)
          await restartService(project.folder, 'todos')
        },
      })
    } finally {
      await project.call(['down'])
    }
  })
})
