import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { filesMatching, readRuleFiles } from './files.ts'

let folder: string
const rule = (name: string, expr: string) =>
  `groups:\n  - name: g\n    rules:\n      - alert: ${name}\n        expr: ${expr}\n`

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-files-'))
  await mkdir(join(folder, 'rules/team (a)'), { recursive: true })
  await mkdir(join(folder, 'rules/.hidden'))
  await writeFile(join(folder, 'rules/b.yml'), rule('B', 'up == 0'))
  await writeFile(join(folder, 'rules/a.yml'), rule('A', 'up == 0'))
  await writeFile(join(folder, 'rules/a.yaml'), 'groups: []')
  await writeFile(join(folder, 'rules/.c.yml'), rule('C', 'up == 0'))
  await writeFile(join(folder, 'rules/.hidden/d.yml'), rule('D', 'up == 0'))
  await writeFile(join(folder, 'rules/team (a)/e.yml'), rule('E', 'up =='))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

test.each<[readonly string[], readonly string[]]>([
  [['rules/*.yml'], ['rules/a.yml', 'rules/b.yml']],
  [
    ['rules/b.yml', 'rules/*.yml'],
    ['rules/b.yml', 'rules/a.yml'],
  ],
  [['rules/?.y*ml'], ['rules/a.yaml', 'rules/a.yml', 'rules/b.yml']],
  [['**/*.yml'], ['rules/a.yml', 'rules/b.yml', 'rules/team (a)/e.yml']],
  [['rules/**/e.yml'], ['rules/team (a)/e.yml']],
  [['rules/team (a)/*'], ['rules/team (a)/e.yml']],
])('%j matches %j', async (patterns, files) => {
  expect(await filesMatching(patterns, folder, '--rules')).toEqual(files)
})

test.each(['rules', 'rules/z.yml', 'none/*.yml', 'rules/*.json'])(
  '%s matches no file, and is said to',
  async (pattern) => {
    await expect(filesMatching([pattern], folder, '--rules')).rejects.toThrow(`--rules ${pattern} matches no file`)
  },
)

test('all that is wrong with several files is told at once, each with its place', async () => {
  await expect(readRuleFiles(['rules/team (a)/e.yml', 'gone.yml'], folder)).rejects.toThrow(
    /^gone\.yml cannot be read.*\nrules\/team \(a\)\/e\.yml:5:20: the expression of E is no PromQL/,
  )
  await expect(readRuleFiles(['rules/a.yaml'], folder)).rejects.toThrow('holds no rule')
})
