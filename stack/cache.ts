import { readdir, rm, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { type BinaryName, binaryNames, cacheName } from './recipes.ts'

/** Where muster keeps what it built: `$XDG_CACHE_HOME/muster`, or the platform's place. */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  // The XDG specification: a relative path is to be ignored.
  if (environment.XDG_CACHE_HOME?.startsWith('/')) return join(environment.XDG_CACHE_HOME, 'muster')
  return process.platform === 'darwin' ? join(homedir(), 'Library/Caches/muster') : join(homedir(), '.cache/muster')
}

/** Where a built program lies, or will lie. */
export function cachedPath(name: BinaryName): string {
  return join(cacheFolder(), 'bin', cacheName(name), name)
}

/** Go's own build cache during a build. */
export function buildCacheFolder(): string {
  return join(cacheFolder(), 'go-build')
}

/** Held by who builds, and by who removes what builds use. */
export function buildLockPath(): string {
  return join(cacheFolder(), 'build.lock')
}

/** Bytes that the cache takes on the disk's books (sum of file sizes); 0 if there is none. */
export async function cacheSize(folder = cacheFolder()): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  let bytes = 0
  for (const entry of entries) {
    if (!entry.isFile()) continue
    bytes += (await stat(join(entry.parentPath, entry.name)).catch(() => undefined))?.size ?? 0
  }
  return bytes
}

/**
 * Removes programs of recipes that are no longer current (with `all`: all of them). The caller holds the build lock.
 * Resolves to the names of the folders removed.
 */
export async function removePrograms(all: boolean): Promise<string[]> {
  const folder = join(cacheFolder(), 'bin')
  const current = new Set(all ? [] : binaryNames.map(cacheName))
  const removed = (await readdir(folder).catch(() => [])).filter((name) => !current.has(name))
  for (const name of removed) await rm(join(folder, name), { recursive: true, force: true })
  return removed
}
