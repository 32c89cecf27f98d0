import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { bundle, loadScenario } from './k6.ts'

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
