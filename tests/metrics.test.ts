import { afterAll, beforeAll, expect, it } from 'vitest'
import { eventually } from '../lib/poll.ts'
import type { CheckResult } from '../lib/verdict.ts'
import { restartService } from '../stack/state.ts'
import { Project, redIds, shortBasic } from './harness.ts'

/** Long enough for a service to be back while the load still runs. */
const twoInstances = shortBasic
  .replace("duration: '5s'", "duration: '15s'")
  .replace('rate: 20', 'rate: 10')
  .replace('alerts: []', 'alerts: [], stack: { instances: { todos: 2 } }')

let project: Project
beforeAll(async () => {
  project = await Project.make(twoInstances)
  const up = await project.call(['up'])
  expect(up.code, up.stderr).toBe(0)
})
afterAll(() => project.remove())

/** Requests that the gateway has counted in its life. */
async function counted(gateway: string): Promise<number> {
  const text = await (await fetch(`${gateway}/metrics`)).text()
  return [...text.matchAll(/^http_requests_total\{.*\} (\d+)/gm)].reduce((sum, [, value]) => sum + Number(value), 0)
}

/** Runs muster, and does something in the midst of the load. */
async function runWhile(disturb: (gateway: string) => Promise<void>): Promise<readonly CheckResult[]> {
  const { urls } = await project.state()
  const before = await counted(urls.gateway)
  const running = project.start(['run', '--quiet', '--only', 'metrics'])
  // Some 600 are sent in all.
  const midst = await eventually(
    () => counted(urls.gateway),
    (now) => now > before + 100,
    { withinMs: 60_000, longestPauseMs: 100 },
  )
  expect(midst.outcome).toBe('held')
  await disturb(urls.gateway)
  await running
  return project.checks()
}

it('says what the restart of one of two instances lost, and closes it by the logs', async ({ annotate }) => {
  const checks = await runWhile(() => restartService(project.folder, 'todos'))
  const count = checks.find(({ id }) => id === 'metrics.request-count.todos')
  expect(count?.evidence.actual).toMatch(
    /was restarted between .*: (\d+ increments are lost, logs name them|nothing was lost)/,
  )
  await annotate(count?.evidence.actual ?? '')
  expect(checks.filter(({ id }) => redIds(checks).includes(id)).map(({ id, reason }) => `${id}: ${reason}`)).toEqual([])
})

it('tells foreign traffic from a fault of the service', async ({ annotate }) => {
  const checks = await runWhile(async (gateway) => {
    for (let n = 0; n < 5; n++) await fetch(`${gateway}/todos`)
  })
  const count = checks.find(({ id }) => id === 'metrics.request-count.gateway')
  expect(count?.verdict).toBe('failed')
  expect(count?.reason).toMatch(/foreign traffic, not the service/)
  await annotate(count?.reason ?? '')
})
