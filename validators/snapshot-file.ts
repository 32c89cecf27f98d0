import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { UsageError } from '../lib/errors.ts'

/**
 * The text of a file that muster writes on its first run and compares with on later ones. Undefined if there is none yet.
 * @throws UsageError if it cannot be read
 */
export async function readSnapshotFile(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new UsageError(`${path} cannot be read (${why(error)}): make it readable, or name another file.`)
  }
}

/** Replaces the file in one step, so that an interrupted run leaves a whole one. @throws UsageError if that is not allowed */
export async function writeSnapshotFile(path: string, text: string): Promise<void> {
  const draft = `${path}.${process.pid}.tmp`
  try {
    await writeFile(draft, text)
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {})
    throw new UsageError(`${path} cannot be written (${why(error)}): name a file that can be.`)
  }
}

function why(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
