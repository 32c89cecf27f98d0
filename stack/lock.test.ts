import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { takeLock } from './lock.ts'

let folder = ''
let path = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-lock-'))
  path = join(folder, 'build.lock')
})
afterEach(() => rm(folder, { recursive: true }))

test('one holder at a time, and one empty file is left behind', async () => {
  let holders = 0
  let most = 0
  const hold = async () => {
    const unlock = await takeLock(path, { intervalMs: 1 })
    most = Math.max(most, ++holders)
    await new Promise((done) => setTimeout(done, 5))
    holders--
    await unlock()
  }
  await Promise.all([hold(), hold(), hold(), hold()])
  expect(most).toBe(1)
  expect(await readdir(folder)).toHaveLength(1)
})

test.each([
  ['a process that is gone', '{"pid":4194304,"startTime":"1"}'],
  ['an earlier process with a pid that is in use again', `{"pid":${process.pid},"startTime":"1"}`],
  ['nobody, being cut off', '{"pid":'],
])('a lock of %s is taken over, by one only', async (_, content) => {
  await writeFile(`${path}.7`, content)
  let holders = 0
  const hold = async () => {
    const unlock = await takeLock(path, { intervalMs: 1 })
    expect(++holders).toBe(1)
    await new Promise((done) => setTimeout(done, 2))
    holders--
    await unlock()
  }
  await Promise.all([hold(), hold(), hold()])
  expect(await readdir(folder)).toHaveLength(1)
})

test('waiting says so and can be aborted', async () => {
  const unlock = await takeLock(path)
  const controller = new AbortController()
  const waiting = takeLock(path, { signal: controller.signal, onWait: () => controller.abort() })
  await expect(waiting).rejects.toThrow()
  await unlock()
  expect(await readdir(folder)).toHaveLength(1)
})
