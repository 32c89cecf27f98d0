import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Project, plant, root, shortBasic } from './harness.ts'
import { type Consequence, expectClean, expectConsequence } from './sabotage/verdicts.ts'

interface Sabotage extends Consequence {
  readonly name: string
  readonly service: 'gateway' | 'todos'
  readonly fault: string
  readonly ratio?: number
  /** Of the config, if the short run is not enough. */
  readonly overrides?: string
}

const sabotages: readonly Sabotage[] = [
  {
    name: "one service's logs are off",
    service: 'todos',
    fault: 'logs-off',
    // Where lines are missing, nothing proves that they held no secret.
    must: ['logs.request-count.todos', 'logs.fields.todos', 'logs.secrets'],
    code: 1,
  },
  {
    name: 'trace context is not forwarded from gateway to todos',
    service: 'gateway',
    fault: 'drop-context',
    // What todos and webhooks log bears trace ids that nobody announced; what they count is right.
    must: [
      'traces.services',
      'traces.spans',
      'traces.queue.webhooks',
      'logs.request-count.todos',
      'logs.request-count.webhooks',
    ],
    code: 1,
  },
  {
    name: 'trace context is lost across the queue',
    service: 'todos',
    fault: 'drop-queue-context',
    must: ['traces.services', 'traces.spans', 'traces.queue.webhooks', 'logs.request-count.webhooks'],
    code: 1,
  },
  {
    name: 'one in 200 counter increments is skipped',
    service: 'gateway',
    fault: 'skip-counter',
    ratio: 1 / 200,
    // Some 3.9 requests an iteration: about 780.
    overrides: shortBasic.replace('rate: 20', 'rate: 40'),
    must: ['metrics.request-count.gateway'],
    code: 1,
  },
  {
    name: 'the route label is the raw path',
    service: 'gateway',
    fault: 'raw-route',
    must: ['metrics.request-count.gateway'],
    code: 1,
  },
  {
    name: 'log lines have no trace_id',
    service: 'todos',
    fault: 'logs-without-trace',
    must: ['logs.request-count.todos', 'logs.fields.todos'],
    code: 1,
  },
  {
    name: 'a log line holds a secret',
    service: 'gateway',
    fault: 'secret-in-log',
    must: ['logs.secrets'],
    code: 1,
  },
]

describe('sabotages of the telemetry', () => {
  let project: Project
  beforeAll(async () => {
    project = await Project.make(shortBasic)
    const up = await project.call(['up'])
    expect(up.code, up.stderr).toBe(0)
  })
  afterAll(() => project.remove())

  it('a clean run is green', () => expectClean(project))

  it.for(sabotages)('$name', async ({ service, fault, ratio, overrides, ...consequence }, context) => {
    const { urls } = await project.state()
    await project.configure(overrides ?? shortBasic)
    const lift = await plant(urls.faults[service], { fault, ...(ratio === undefined ? {} : { ratio }) })
    try {
      const seen = await expectConsequence(project, [], consequence)
      for (const line of seen) await context.annotate(line)
    } finally {
      await lift()
    }
  })

  it('a k6 script sends nothing', async (context) => {
    const file = join(root, 'tests/sabotage/sends-nothing.ts')
    await project.configure(`{ scenarios: [${JSON.stringify(file)}], alerts: [] }`)
    const seen = await expectConsequence(project, [], {
      must: ['load.requests'],
      // Without a request there is nothing to look at; k6 and the stack are well.
      may: [
        ...['load.scripts', 'load.statuses', 'load.books', 'load.threshold'],
        ...['metrics.latency', 'metrics.error-ratio', 'logs.fields', 'logs.secrets', 'traces'],
      ],
      code: 4,
    })
    for (const line of seen) await context.annotate(line)
  })

  it('a clean run is green again after them', async () => {
    await project.configure(shortBasic)
    await expectClean(project)
  })
})

/** The rules and the routes belong to a stack: each of these runs boots its own. */
describe('sabotages of the alerting', () => {
  let project: Project
  beforeAll(async () => {
    project = await Project.make()
  })
  afterAll(() => project.remove())

  const stations = (...names: readonly string[]) => names.map((name) => `alerts.${name}.GatewayHighErrorRate`)
  const alertsWith = (stack: string) => `{
    scenarios: [{ file: ${JSON.stringify(join(root, 'scenarios/smoke.ts'))}, duration: '2s' }],
    alerts: base.alerts.map((alert) => ({ ...alert, scenario: ${JSON.stringify(join(root, 'scenarios/smoke.ts'))} })),
    stack: ${stack},
  }`

  it('an alert rule reads a misspelt metric', async (context) => {
    const rules = await readFile(join(root, 'stack/config/rules/alerts.yml'), 'utf8')
    const misspelt = rules.replaceAll('(http_requests_total{', '(http_request_total{')
    expect(misspelt).not.toBe(rules)
    await project.write('alerts.yml', misspelt)
    await project.configure(alertsWith("{ rules: 'alerts.yml' }"))
    const seen = await expectConsequence(project, ['--only', 'alerts'], {
      must: stations('pending', 'firing', 'alertmanager', 'delivered', 'resolved', 'resolved-delivered'),
      code: 1,
    })
    for (const line of seen) await context.annotate(line)
  })

  it('the webhook route is missing', async (context) => {
    const routes = await readFile(join(root, 'stack/config/alertmanager.yml'), 'utf8')
    const astray = `${routes.replace('\n  receiver: sink\n', '\n  receiver: nobody\n')}\n  - name: nobody\n`
    expect(astray).toContain('receiver: nobody')
    await project.write('alertmanager.yml', astray)
    await project.configure(alertsWith("{ alertmanager: 'alertmanager.yml' }"))
    // The alert itself is well: it fires, reaches Alertmanager and resolves.
    const seen = await expectConsequence(project, ['--only', 'alerts'], {
      must: stations('delivered', 'resolved-delivered'),
      code: 1,
    })
    for (const line of seen) await context.annotate(line)
  })
})
