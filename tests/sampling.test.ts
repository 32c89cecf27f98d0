import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import type { CheckResult } from '../lib/verdict.ts'
import { Project, plant, redIds, root } from './harness.ts'
import { underLoad } from './observe.ts'

/** Each way of sampling belongs to a stack, or to a scenario, of its own. */
let project: Project
afterEach(() => project.remove())

const basic = join(root, 'scenarios/basic.ts')
const short = (more: string) =>
  `{ scenarios: [{ file: ${JSON.stringify(basic)}, rate: 40, duration: '6s' }], alerts: [], ${more} }`
const about = (checks: readonly CheckResult[], id: string) => checks.find((check) => check.id === id)

it('traces exactly what the caller marks as sampled, and nothing else', async () => {
  project = await Project.make()
  const file = await project.write(
    'tenth.mts',
    `import base from ${JSON.stringify(basic)}\nexport default { ...base, sample: 0.1 }\n`,
  )
  await project.configure(`{ scenarios: [{ file: ${JSON.stringify(file)}, rate: 40, duration: '6s' }], alerts: [] }`)
  const called = await project.call(['run', '--quiet'])
  const checks = await project.checks()
  expect(redIds(checks), called.stdout).toEqual([])
  const traced = about(checks, 'traces.ids.gateway')?.evidence.actual ?? ''
  const logged = about(checks, 'logs.ids.gateway')?.evidence.actual ?? ''
  const share = Number.parseInt(traced, 10) / Number.parseInt(logged, 10)
  expect(share).toBeGreaterThan(0.03)
  expect(share).toBeLessThan(0.3)
})

it('holds the share that a service keeps by itself against chance, every trace of it whole', async () => {
  const declared = (share: number) =>
    short(`stack: { sampling: { gateway: 0.25 } }, traces: { sampling: { by: 'service', share: ${share} } }`)
  project = await Project.make(declared(0.25))
  const up = await project.call(['up'])
  expect(up.code, up.stderr).toBe(0)
  const called = await project.call(['run', '--quiet'])
  const checks = await project.checks()
  expect(redIds(checks), called.stdout).toEqual([])
  expect(about(checks, 'traces.sampled')?.verdict).toBe('passed')
  expect(about(checks, 'traces.spans')?.verdict).toBe('passed')

  await project.configure(declared(0.5))
  await project.call(['run', '--quiet', '--only', 'traces'])
  expect(redIds(await project.checks())).toEqual(['traces.sampled'])

  // Another service that does not keep the gateway's decision leaves traces that are not whole.
  await project.configure(declared(0.25))
  const { urls } = await project.state()
  const lift = await plant(urls.faults.todos, { fault: 'sample-some', ratio: 1 / 20 })
  await project.call(['run', '--quiet', '--only', 'traces'])
  await lift()
  expect(redIds(await project.checks())).toContain('traces.spans')
})

it('finds every request of the classes that a tail sampler keeps, and misses one that it loses', async () => {
  const text = await readFile(join(root, 'stack/config/collector-tail-sampling.yml'), 'utf8')
  project = await Project.make()
  await project.write('tail.yml', text)
  await project.write('no-errors.yml', text.replace(/^ *- \{ name: errors.*\n/m, ''))
  const declared = (collector: string) =>
    short(
      `stack: { collector: '${collector}' }, traces: { sampling: { by: 'tail', share: 0.1, errors: true } }, thresholds: {}`,
    )
  for (const [collector, red] of [
    ['tail.yml', []],
    ['no-errors.yml', ['traces.ids.gateway']],
  ] as const) {
    await project.configure(declared(collector))
    const up = await project.call(['up'])
    expect(up.code, up.stderr).toBe(0)
    const { urls } = await project.state()
    const running = project.call(['run', '--quiet'], { MUSTER_TEST_PROJECT: project.folder })
    // Not before: a set-up that fails would leave nothing to judge.
    await underLoad(project.folder, 'basic')
    await plant(urls.faults.gateway, { fault: 'error', ratio: 1 / 20 })
    await running
    await project.call(['down'])
    const checks = (await project.checks()).filter(({ signal }) => signal === 'traces')
    expect(checks.length).toBeGreaterThan(5)
    expect([collector, redIds(checks)]).toEqual([collector, red])
  }
})
