import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { beginOf, bundle, loadScenario } from './k6.ts'

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

it.each([
  ['browse         [   5% ] 01/20 VUs  0.4s/8s  10.00 iters/s', 400],
  ['manage-todos   [  99% ] 04/16 VUs  1h02m03.5s/1h30m0s  8.00 iters/s', 3_723_500],
  ['browse         [   0% ]', undefined],
  ['Init           [  98% ] 39/40 VUs initialized', undefined],
  ['running (0m01.0s), 05/40 VUs, 4 complete and 0 interrupted iterations', undefined],
])('knows from "%s" when the load began', (line, elapsed) => {
  expect(beginOf(line, 10_000_000)).toBe(elapsed === undefined ? undefined : 10_000_000 - elapsed)
})
