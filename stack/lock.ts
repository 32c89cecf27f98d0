import { link, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { alive, type Identity, identify } from './identity.ts'

const owner = z.object({ pid: z.number().int().positive(), startTime: z.string() })

export interface LockOptions {
  readonly signal?: AbortSignal | undefined
  /** Called at every look while another process holds the lock. */
  readonly onWait?: (holder: Identity) => void
  /** Milliseconds between two looks. */
  readonly intervalMs?: number
}

/**
 * Takes a lock that survives a crash; one whose owner is gone is taken over. Waits for a living owner. Resolves to the
 * function that gives the lock back; rejects when aborted.
 *
 * The lock is a row of files `<path>.<n>`, each naming an owner by pid and start time; the highest number counts. Who
 * finds its owner gone makes the next number, which only one can. A single file would have to be removed when stale,
 * and whoever is slow to do so would remove the file of the next owner.
 */
export async function takeLock(path: string, options: LockOptions = {}): Promise<() => Promise<void>> {
  await mkdir(dirname(path), { recursive: true })
  const self = identify(process.pid)
  if (!self) throw new Error('cannot read my own start time')
  const mine = `${path}-${process.pid}-${Math.random().toString(36).slice(2)}`
  await writeFile(mine, JSON.stringify(self))
  try {
    for (;;) {
      options.signal?.throwIfAborted()
      const last = (await generations(path)).at(-1) ?? 0
      const holder = await ownerOf(`${path}.${last}`)
      if (holder && alive(holder)) {
        options.onWait?.(holder)
        await sleep(options.intervalMs ?? 250, undefined, options.signal ? { signal: options.signal } : {})
      } else if (await claim(path, last + 1, mine)) {
        return () => release(`${path}.${last + 1}`)
      }
    }
  } finally {
    await rm(mine, { force: true })
  }
}

async function claim(path: string, generation: number, mine: string): Promise<boolean> {
  // link() fails if the file exists, and the file is complete from its first moment.
  const linked = await link(mine, `${path}.${generation}`).then(
    () => true,
    () => false,
  )
  if (!linked) return false
  const all = await generations(path)
  if (all.at(-1) !== generation) {
    // While we hesitated others came and went, and our number was free again because it is past.
    await rm(`${path}.${generation}`, { force: true })
    return false
  }
  for (const past of all.slice(0, -1)) await rm(`${path}.${past}`, { force: true })
  return true
}

/** The number must stay used until the next owner has a higher one, so the file is emptied, not removed. */
function release(file: string): Promise<void> {
  return writeFile(file, '')
}

async function generations(path: string): Promise<number[]> {
  const prefix = `${basename(path)}.`
  const names = (await readdir(dirname(path))).filter((name) => name.startsWith(prefix))
  return names
    .map((name) => Number(name.slice(prefix.length)))
    .filter(Number.isSafeInteger)
    .sort((a, b) => a - b)
}

/** Undefined if the file is gone, emptied or damaged: nobody's. */
async function ownerOf(file: string): Promise<Identity | undefined> {
  try {
    return owner.safeParse(JSON.parse(await readFile(file, 'utf8'))).data
  } catch {
    return undefined
  }
}
