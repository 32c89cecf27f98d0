import { afterAll, beforeAll, expect, test } from 'vitest'
import { startZipkin, zipkinLacks } from '../stack/zipkin.ts'
import { Project, plant, redIds, shortBasic } from './harness.ts'

/** Whole runs whose traces are in a real Zipkin. Without Java they pass with a note, since Java is none of muster's needs. */
const lacks = await zipkinLacks()
let project: Project
let zipkin: Awaited<ReturnType<typeof startZipkin>> | undefined
let external = ''
beforeAll(async () => {
  project = await Project.make()
  if (lacks) return
  zipkin = await startZipkin({ folder: project.folder })
  await project.configure(`{ stack: { zipkinUrl: ${JSON.stringify(zipkin.url)} } }`)
  const up = await project.call(['up'])
  expect(up.code, up.stderr).toBe(0)
  const { urls } = await project.state()
  const at = (url: string) => ({ url, ui: false })
  const backends = {
    prometheus: at(urls.prometheus),
    loki: at(urls.loki),
    alertmanager: at(urls.alertmanager),
    zipkin: at(zipkin.url),
  }
  // By URLs nobody knows that the quick profile's rules record over other windows than their names say.
  external = `{ ...${shortBasic}, slos: [], target: { url: '${urls.gateway}' }, backends: ${JSON.stringify(backends)} }`
}, 240_000)
afterAll(async () => {
  await project.remove()
  await zipkin?.stop()
})

test('a run is green on the strength of traces in Zipkin', async ({ annotate }) => {
  if (lacks) return void annotate(lacks, 'notice')
  await project.configure(external)
  const called = await project.call(['run', '--quiet'])
  const checks = await project.checks()
  expect(redIds(checks), called.stdout).toEqual([])
  const traces = checks.filter(({ id, verdict }) => id.startsWith('traces.') && verdict === 'passed')
  expect(traces.map(({ id }) => id)).toEqual(
    expect.arrayContaining(['traces.ids.webhooks', 'traces.spans', 'traces.tree']),
  )
  await annotate(traces.map(({ id, evidence }) => `${id}: ${evidence.actual}`).join('\n'))
})

test('a lost child span and a lost context are found in Zipkin, too', async ({ annotate }) => {
  if (lacks) return void annotate(lacks, 'notice')
  const { urls } = await project.state()
  const lifts = [
    await plant(urls.faults.gateway, { fault: 'drop-child-span', ratio: 1 / 100 }),
    await plant(urls.faults.todos, { fault: 'drop-queue-context' }),
  ]
  await project.call(['run', '--quiet', '--only', 'traces'])
  for (const lift of lifts) await lift()
  const reds = redIds(await project.checks())
  expect(reds).toEqual(expect.arrayContaining(['traces.spans', 'traces.ids.webhooks', 'traces.queue.webhooks']))
  expect(reds).not.toContain('traces.ids.gateway')
})
