import { mkdir, mkdtemp, readdir, readlink, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { UsageError } from '../lib/errors.ts'
import { openReportFolder } from './folder.ts'

let base: string
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'muster-folder-'))
})
afterEach(async () => {
  await rm(base, { recursive: true, force: true })
})

it('makes the folder with logs, and the link to the latest', async () => {
  const folder = await openReportFolder(join(base, 'reports/out'), 'run-1')
  expect(folder.path).toBe(join(base, 'reports/out/run-1'))
  expect(folder.junit).toBe(join(folder.path, 'junit.xml'))
  expect((await stat(folder.logs)).isDirectory()).toBe(true)
  expect(await readlink(join(base, 'reports/out/latest'))).toBe('run-1')
  await openReportFolder(join(base, 'reports/out'), 'run-2')
  expect(await readlink(join(base, 'reports/out/latest'))).toBe('run-2')
})

it('serves many runs at once and leaves nothing behind', async () => {
  const ids = Array.from({ length: 20 }, (_, n) => `run-${n}`)
  await Promise.all(ids.map((id) => openReportFolder(base, id)))
  expect((await readdir(base)).sort()).toEqual([...ids, 'latest'].sort())
  expect(ids).toContain(await readlink(join(base, 'latest')))
})

it('names the folder and the remedy where it cannot write', async () => {
  await writeFile(join(base, 'file'), '')
  const opening = openReportFolder(join(base, 'file'), 'run-1')
  await expect(opening).rejects.toThrow(UsageError)
  await expect(opening).rejects.toThrow(join(base, 'file', 'run-1'))
  await expect(opening).rejects.toThrow(/a part of the path is a file; choose another folder with --out/)
  await expect(opening).rejects.toMatchObject({ exitCode: 2 })
})

it('mixes no two reports', async () => {
  await openReportFolder(base, 'run-1')
  await expect(openReportFolder(base, 'run-1')).rejects.toThrow(/exists already/)
  await expect(openReportFolder(base, '../elsewhere')).rejects.toThrow(UsageError)
})

it('says what is wrong with a folder in the place of the link', async () => {
  await mkdir(join(base, 'latest'))
  await expect(openReportFolder(base, 'run-1')).rejects.toThrow(/"latest" beside it is a folder/)
  expect((await readdir(base)).sort()).toEqual(['latest', 'run-1'])
})
