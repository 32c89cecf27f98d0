import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { RunEvent } from '../lib/event.ts'
import { openReporters, type ReporterSetting } from './reporters.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-reporters-'))
})
afterEach(async () => {
  vi.restoreAllMocks()
  await rm(folder, { recursive: true, force: true })
})

function open(reporter: readonly string[] | undefined, more: Partial<ReporterSetting> = {}) {
  return openReporters({
    flags: reporter ? { reporter } : {},
    config: { file: join(folder, 'muster.config.ts'), folder, reporters: undefined },
    positionOf: () => undefined,
    environment: {},
    ...more,
  })
}

const namesOf = async (opened: ReturnType<typeof open>) => (await opened).map(({ name }) => name)

it.each([
  ['nowhere in particular', {}, ['terminal']],
  ['GitHub Actions', { GITHUB_ACTIONS: 'true' }, ['terminal', 'github']],
  ['GitLab CI', { GITLAB_CI: 'true' }, ['terminal', 'gitlab']],
  ['another CI', { CI: 'true' }, ['terminal']],
])('on %s the right ones are used by themselves', async (_where, environment, expected) => {
  vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  expect(await namesOf(open(undefined, { environment }))).toEqual(expected)
})

it('those of the command line win over those of the config, and these over what is detected', async () => {
  const config = { file: join(folder, 'muster.config.ts'), folder, reporters: ['terminal', 'ndjson:events.ndjson'] }
  const environment = { GITLAB_CI: 'true' }
  expect(await namesOf(open(undefined, { config, environment }))).toEqual(['terminal', 'ndjson'])
  expect(await namesOf(open(['ndjson'], { config, environment }))).toEqual(['ndjson'])
})

it.each([
  ['githbu', /There is no reporter "githbu": name terminal, junit, ndjson, github, gitlab, or the path of a module/],
  ['terminal:x', /only junit and ndjson take a file/],
  ['ndjson:', /only junit and ndjson take a file/],
  ['junit', /needs a file, as in junit:junit\.xml/],
  ['./missing.ts', /The reporter \.\/missing\.ts cannot be loaded from .*missing\.ts/],
])('refuses "%s" with the remedy', async (name, message) => {
  await expect(open([name])).rejects.toThrow(message)
})

it('refuses two that would mix on standard output', async () => {
  await expect(open(['terminal', 'ndjson'])).rejects.toThrow(/ndjson and terminal would mix on standard output/)
  await expect(open(['terminal', `ndjson:${join(folder, 'x')}`])).resolves.toHaveLength(2)
})

it("hands copies of the events to a user's own module, which keeps its state in this", async () => {
  const config = { file: join(folder, 'muster.config.ts'), folder, reporters: ['./mine.mjs'] }
  await writeFile(
    join(folder, 'mine.mjs'),
    `class Mine {
  name = 'mine'
  seen = []
  on(event) { this.seen.push(event.text); event.text = 'mine now' }
  close() { globalThis.seenByMine = this.seen }
}
export default new Mine()
`,
  )
  const [mine] = await open(undefined, { config })
  const event: RunEvent = { type: 'phase', at: 1, text: 'preflight' }
  await mine?.on(event)
  await mine?.close?.()
  expect(event.text).toBe('preflight')
  expect(Reflect.get(globalThis, 'seenByMine')).toEqual(['preflight'])
})

it.each([
  ['nothing', ''],
  ['an object without on', "export default { name: 'x' }"],
  ['a function', 'export default () => {}'],
  ['a name that is none', 'export default { name: 7, on() {} }'],
])('refuses a module that exports %s', async (_what, text) => {
  const file = join(folder, 'mine.mjs')
  await writeFile(file, text)
  await expect(open([file])).rejects.toThrow(/must default-export an object with a name and a function on\(event\)/)
})
