import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { UsageError } from '../lib/errors.ts'
import { readRun } from './json.ts'
import type { Run } from './run-schema.ts'

/** A run whose report can be read. */
export interface ListedRun {
  readonly folder: string
  readonly run: Run
}

/** The runs under a reports folder, and the checks under each run, the newest first; what is no run is left out. */
export async function listRuns(base: string): Promise<ListedRun[]> {
  const names = await foldersOf(base)
  const nested = await Promise.all(names.map(async (name) => [name, ...(await checksOf(base, name))]))
  const runs = await Promise.all(
    nested.flat().map(async (name) => {
      const folder = join(base, name)
      const run = await readRun(folder).catch((error: unknown) => {
        if (error instanceof UsageError) return undefined
        throw error
      })
      return run === undefined ? [] : [{ folder, run }]
    }),
  )
  return runs.flat().sort((a, b) => begin(b.run) - begin(a.run))
}

/** When it began; a run that never did is as old as its file. */
export function begin({ startedAt, end, writtenAt }: Run): number {
  return end?.startedAt ?? startedAt ?? writtenAt
}

async function checksOf(base: string, name: string): Promise<string[]> {
  const folders = await foldersOf(join(base, name))
  return folders.filter((folder) => folder.startsWith('check-')).map((folder) => join(name, folder))
}

/** Links are left out: `latest` is another name of a run that is there. */
async function foldersOf(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => [])
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
}
