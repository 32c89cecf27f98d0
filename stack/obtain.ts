import { execFile, spawn } from 'node:child_process'
import { access, constants, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path'
import { formatDuration } from '../lib/duration.ts'
import { EnvironmentError } from '../lib/errors.ts'
import { buildCacheFolder, buildLockPath, cachedPath, cacheFolder, removePrograms } from './cache.ts'
import { identify, signalProcess } from './identity.ts'
import { takeLock } from './lock.ts'
import {
  type BinaryName,
  binaryNames,
  buildArguments,
  moduleFolder,
  type Recipe,
  recipes,
  versionFits,
  versionIn,
} from './recipes.ts'
import { startWatchdog, type Watchdog } from './watchdog-client.ts'

/** What a call of `obtain` is doing; said about once a second while it builds or waits. */
export interface ObtainProgress {
  readonly binary: BinaryName
  readonly phase: 'building' | 'waiting' | 'built'
  /** Which (from 1) of how many are to be built in this call. */
  readonly number: number
  readonly of: number
  /** Milliseconds since this build began. */
  readonly elapsedMs: number
  /** Milliseconds that it takes on 2 cores with nothing cached; only a hint. */
  readonly estimatedMs: number
  /** One line for people. */
  readonly text: string
}

export interface ObtainOptions {
  readonly onProgress?: ((progress: ObtainProgress) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Finds each program, or builds it: environment variable, PATH, cache, build from its pinned Go module.
 * Resolves to absolute paths. Throws EnvironmentError if a named program does not fit, Go is missing, or a build fails;
 * the signal's reason when aborted.
 */
export async function obtain<Name extends BinaryName>(
  names: readonly Name[],
  options: ObtainOptions = {},
): Promise<Record<Name, string>> {
  const found = new Map<BinaryName, string>()
  const missing: Recipe[] = []
  await Promise.all(
    names.map(async (name) => {
      const path = await findBinary(name)
      if (path) found.set(name, path)
    }),
  )
  // In the recipes' order, whatever the caller's: two calls then do not wait for each other crosswise.
  for (const name of binaryNames) {
    if (names.some((wanted) => wanted === name) && !found.has(name)) missing.push(recipes[name])
  }
  if (missing.length > 0) {
    for (const [name, path] of await buildAll(missing, options)) found.set(name, path)
  }
  const paths: Partial<Record<Name, string>> = {}
  for (const name of names) {
    const path = found.get(name)
    if (path === undefined) throw new Error(`${name} was neither found nor built`)
    paths[name] = path
  }
  return paths as Record<Name, string>
}

/**
 * The absolute path of a program that is here without a build, or undefined.
 * Throws EnvironmentError if its environment variable names one that does not fit.
 */
export async function findBinary(name: BinaryName): Promise<string | undefined> {
  const recipe = recipes[name]
  const named = process.env[recipe.variable]
  if (named) return checkNamed(recipe, resolve(named))
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name)
    if (!isAbsolute(folder) || !(await executable(path))) continue
    const version = await versionOf(recipe, path)
    if (version && versionFits(recipe, version)) return path
  }
  const cached = cachedPath(name)
  return (await executable(cached)) ? cached : undefined
}

async function checkNamed(recipe: Recipe, path: string): Promise<string> {
  const remedy = `set ${recipe.variable} to ${recipe.title} ${acceptedVersions(recipe)}, or unset it`
  if (!(await executable(path))) {
    throw new EnvironmentError(`${recipe.variable} names ${path}, which is no executable file: ${remedy}.`)
  }
  const version = await versionOf(recipe, path)
  if (!version) throw new EnvironmentError(`${path} does not say that it is ${recipe.title}: ${remedy}.`)
  if (!versionFits(recipe, version)) {
    throw new EnvironmentError(`${path} is ${recipe.title} ${version}, which does not fit: ${remedy}.`)
  }
  return path
}

function acceptedVersions(recipe: Recipe): string {
  return `>= ${recipe.accepts.from.join('.')} and < ${recipe.accepts.belowMajor}.0`
}

/** The version that a program says it has; undefined if it does not answer like it. */
function versionOf(recipe: Recipe, path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(path, [...recipe.versionArguments], { timeout: 10_000 }, (_, stdout, stderr) =>
      resolve(versionIn(recipe, `${stdout}\n${stderr}`)),
    )
  })
}

function executable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}

/** @throws EnvironmentError if programs cannot be kept */
async function requireCache(): Promise<void> {
  const folder = cacheFolder()
  try {
    await mkdir(folder, { recursive: true })
    await access(folder, constants.W_OK)
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    throw new EnvironmentError(
      `The cache ${folder} cannot be written (${why}): make it writable, or name another folder by XDG_CACHE_HOME.`,
    )
  }
}

async function buildAll(missing: readonly Recipe[], options: ObtainOptions): Promise<Map<BinaryName, string>> {
  await requireGo(missing)
  await requireCache()
  const built = new Map<BinaryName, string>()
  const watchdog = startWatchdog()
  try {
    for (const [index, recipe] of missing.entries()) {
      const say = progressOf(recipe, index + 1, missing.length, options)
      await mkdir(dirname(cachedPath(recipe.name)), { recursive: true })
      // One lock for all programs, since a build uses every core and they share Go's build cache.
      const unlock = await takeLock(buildLockPath(), { signal: options.signal, onWait: () => say('waiting') })
      try {
        // Whoever held the lock may have built it.
        if (!(await executable(cachedPath(recipe.name)))) await build(recipe, say, watchdog, options.signal)
      } finally {
        await unlock()
      }
      say('built', true)
      built.set(recipe.name, cachedPath(recipe.name))
    }
    await dropBuildCache(options)
  } finally {
    await watchdog.bye()
  }
  return built
}

/**
 * Builds have a Go build cache of their own, because it can then go when all is built: it takes 4.7 GB for programs of
 * 0.4 GB, which the user's own cache would keep for days. After a failure it stays, so that the next try is short.
 */
async function dropBuildCache(options: ObtainOptions): Promise<void> {
  const unlock = await takeLock(buildLockPath(), { signal: options.signal })
  try {
    await rm(buildCacheFolder(), { recursive: true, force: true })
  } finally {
    await unlock()
  }
}

/**
 * Removes from the cache what no current recipe needs (with `all`: everything). Waits for builds that go on.
 * Resolves to the names of the removed programs' folders.
 */
export async function pruneCache(options: { readonly all?: boolean; readonly signal?: AbortSignal } = {}) {
  const unlock = await takeLock(buildLockPath(), { signal: options.signal })
  try {
    await rm(buildCacheFolder(), { recursive: true, force: true })
    return await removePrograms(options.all ?? false)
  } finally {
    await unlock()
  }
}

type Say = (phase: ObtainProgress['phase'], always?: boolean) => void

function progressOf(recipe: Recipe, number: number, of: number, options: ObtainOptions): Say {
  const began = performance.now()
  let saidAt = Number.NEGATIVE_INFINITY
  return (phase, always = false) => {
    const now = performance.now()
    if (!always && now - saidAt < 900) return
    saidAt = now
    const [elapsedMs, estimatedMs] = [now - began, recipe.coldSeconds * 1000]
    const doing = { building: 'building', waiting: 'waiting for another build before', built: 'built' }[phase]
    const estimate = phase === 'built' ? '' : ` of about ${formatDuration(estimatedMs)}`
    const text = `${doing} ${recipe.title} ${recipe.version} (${number} of ${of}), ${formatDuration(elapsedMs)}${estimate}`
    options.onProgress?.({ binary: recipe.name, phase, number, of, elapsedMs, estimatedMs, text })
  }
}

async function requireGo(missing: readonly Recipe[]): Promise<void> {
  const titles = missing.map((recipe) => recipe.title).join(', ')
  const remedy =
    `install Go 1.26 or newer (https://go.dev/dl/), name your own programs by ` +
    `${missing.map((recipe) => recipe.variable).join(', ')}, or name your own stack's URLs in the config`
  const output = await new Promise<string | undefined>((resolve) => {
    execFile('go', ['env', 'GOVERSION'], { timeout: 10_000, cwd: '/' }, (error, out) =>
      resolve(error ? undefined : out),
    )
  })
  if (output === undefined) throw new EnvironmentError(`Go is needed to build ${titles}, and is not here: ${remedy}.`)
  const [, major = 0, minor = 0] = (/go(\d+)\.(\d+)/.exec(output) ?? []).map(Number)
  if (major < 1 || (major === 1 && minor < 26)) {
    throw new EnvironmentError(`Go ${output.trim().replace('go', '')} is too old to build ${titles}: ${remedy}.`)
  }
}

async function build(recipe: Recipe, say: Say, watchdog: Watchdog, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted()
  const target = cachedPath(recipe.name)
  await removeLeftOver(dirname(target))
  // Under another name first: a program in the cache is complete. Builders hold the lock, so one name does.
  const unfinished = `${target}.unfinished`
  say('building', true)
  const { code, lastLines } = await runGo(recipe, unfinished, say, watchdog, signal)
  signal?.throwIfAborted()
  if (code !== 0) {
    throw new EnvironmentError(
      `${recipe.title} ${recipe.version} could not be built; go's last lines:\n${lastLines}\n` +
        `Try again when the module proxy can be reached and ${cachedPath(recipe.name)} can be written ` +
        `(5 GB of space are needed), or set ${recipe.variable} to a ${recipe.title} of your own.`,
    )
  }
  await rename(unfinished, target)
}

async function removeLeftOver(folder: string): Promise<void> {
  for (const name of await readdir(folder)) await rm(join(folder, name), { force: true })
}

interface GoEnd {
  readonly code: number | null
  readonly lastLines: string
}

async function runGo(
  recipe: Recipe,
  output: string,
  say: Say,
  watchdog: Watchdog,
  signal: AbortSignal | undefined,
): Promise<GoEnd> {
  // A group of its own, so that the compilers end with it. What the user set for proxies and certificates stays.
  const child = spawn('go', buildArguments(recipe, output), {
    cwd: moduleFolder(recipe.name),
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, CGO_ENABLED: '0', GOCACHE: buildCacheFolder(), GOWORK: 'off', GOFLAGS: '' },
  })
  const identity = child.pid === undefined ? undefined : identify(child.pid)
  if (identity) watchdog.add(identity.pid, 'process')
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4000)
    })
  }
  const end = () => {
    if (identity) signalProcess(identity, 'SIGKILL')
  }
  signal?.addEventListener('abort', end)
  const ticker = setInterval(() => say('building'), 1000)
  try {
    return await new Promise<GoEnd>((resolve) => {
      child.once('error', (error) => resolve({ code: null, lastLines: error.message }))
      child.once('close', (code) => resolve({ code, lastLines: said.trimEnd().split('\n').slice(-12).join('\n') }))
    })
  } finally {
    clearInterval(ticker)
    signal?.removeEventListener('abort', end)
  }
}
