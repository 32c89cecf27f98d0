import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { LoadProgress } from '../lib/event.ts'
import { beginOf, bundle, loadScenario, runK6 } from './k6.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-k6-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const write = async (name: string, text: string) => {
  await writeFile(join(folder, name), text)
  return join(folder, name)
}

it.each(['smoke', 'basic', 'stress', 'spike', 'soak'])('loads and bundles the sample scenario %s', async (name) => {
  const file = fileURLToPath(new URL(`../scenarios/${name}.ts`, import.meta.url))
  const scenario = await loadScenario(file)
  expect(scenario.name).toBe(name)
  expect(scenario.profile).toBe(name)
  await bundle(file, scenario.journeys.length, join(folder, `${name}.js`))
})

it('says what a scenario file must export', async () => {
  await expect(loadScenario(await write('empty.ts', 'export default { name: "x" }'))).rejects.toThrow(
    /must default-export/,
  )
})

it("passes on esbuild's words", async () => {
  const file = await write('bad.ts', 'import x from "./nowhere.ts"\nexport default x')
  await expect(bundle(file, 1, join(folder, 'bad.js'))).rejects.toThrow(/bad.ts:1: Could not resolve "\.\/nowhere\.ts"/)
})

it('starts k6 again without its live figures where their port was taken', async () => {
  const file = fileURLToPath(new URL('../scenarios/smoke.ts', import.meta.url))
  const k6Path = await write(
    'k6',
    `#!/bin/sh
case "$*" in *"--address 127.0.0.1:"*) echo '{"level":"error","msg":"Error from API server"}' >&2; exit 106 ;; esac
echo 'running (0m01.0s), 0/1 VUs, 7 complete and 0 interrupted iterations'
`,
  )
  await chmod(k6Path, 0o755)
  const pids: number[] = []
  const seen: LoadProgress[] = []
  const { exitCode, logTail } = await runK6({
    k6Path,
    scenarioFile: file,
    plan: { run: 1, instance: 0, firstNumber: 0, baseUrl: 'http://127.0.0.1:1', thresholds: {} },
    folder: join(folder, 'again'),
    onSpawn: (pid) => pids.push(pid),
    onProgress: (progress) => seen.push(progress),
  })
  expect(exitCode).toBe(0)
  expect(new Set(pids).size).toBe(2)
  expect(logTail).toEqual([])
  expect(seen).toMatchObject([{ scenario: 'smoke', iterations: 7 }])
  expect(seen[0]).not.toHaveProperty('live')
})

it.each([
  ['browse         [   5% ] 01/20 VUs  0.4s/8s  10.00 iters/s', 400],
  ['manage-todos   [  99% ] 04/16 VUs  1h02m03.5s/1h30m0s  8.00 iters/s', 3_723_500],
  ['browse         [   0% ]', undefined],
  ['Init           [  98% ] 39/40 VUs initialized', undefined],
  ['running (0m01.0s), 05/40 VUs, 4 complete and 0 interrupted iterations', undefined],
])('knows from "%s" when the load began', (line, elapsed) => {
  expect(beginOf(line, 10_000_000)).toBe(elapsed === undefined ? undefined : 10_000_000 - elapsed)
})
