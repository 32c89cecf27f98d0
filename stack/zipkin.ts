import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { access, mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { EnvironmentError } from '../lib/errors.ts'
import { cacheFolder } from './cache.ts'
import { freePorts } from './ports.ts'
import { answers } from './probe.ts'
import { PortTakenError, Supervisor } from './supervisor.ts'
import { startWatchdog } from './watchdog-client.ts'

const version = '3.6.1'
const jarUrl = `https://repo1.maven.org/maven2/io/zipkin/zipkin-server/${version}/zipkin-server-${version}-exec.jar`
const sha256 = 'd8326e0ed4f43855dba81228f688554706e52578a7c782d9a90b73f8680654a1'
const leastJava = 17
/** Its 135 MB within; a slow line has some 1.2 MB/s. */
const downloadWithinMs = 120_000
const readyWithinMs = 60_000
const attempts = 3

/** Why Zipkin cannot run here; undefined if it can. */
export async function zipkinLacks(): Promise<string | undefined> {
  const said = await promisify(execFile)('java', ['-version'], { timeout: 10_000 }).then(
    ({ stderr }) => stderr,
    () => undefined,
  )
  if (said === undefined) return `Java ${leastJava} is missing: there is no java in PATH`
  const found = Number(/version "(\d+)/.exec(said)?.[1] ?? 0)
  return found >= leastJava ? undefined : `Java ${leastJava} is missing: java in PATH is version ${found}`
}

/**
 * The path of Zipkin's server as a jar, from the cache or from Maven Central; its checksum is pinned here.
 * @throws EnvironmentError if it can be had neither way, or is not the one that is expected
 */
async function obtainZipkin(signal?: AbortSignal): Promise<string> {
  const path = join(cacheFolder(), 'jars', `zipkin-server-${version}.jar`)
  if (await exists(path)) return path
  await mkdir(dirname(path), { recursive: true })
  const unfinished = `${path}.${process.pid}`
  try {
    const within = AbortSignal.timeout(downloadWithinMs)
    const response = await fetch(jarUrl, { signal: signal ? AbortSignal.any([signal, within]) : within })
    if (!response.ok || !response.body) throw new Error(`it answered ${response.status}`)
    await pipeline(Readable.fromWeb(response.body), createWriteStream(unfinished))
    const found = await digestOf(unfinished)
    if (found !== sha256) throw new Error(`its SHA-256 is ${found} instead of ${sha256}`)
    // Whole or not at all, also if two do this at once.
    await rename(unfinished, path)
    return path
  } catch (error) {
    signal?.throwIfAborted()
    const why =
      error instanceof Error ? (error.cause instanceof Error ? error.cause.message : error.message) : String(error)
    throw new EnvironmentError(
      `Zipkin could not be had from ${jarUrl} (${why}): see whether the machine reaches it, or put that file at ${path}.`,
    )
  } finally {
    await rm(unfinished, { force: true })
  }
}

/** A Zipkin server that keeps its spans in memory. */
export interface ZipkinServer {
  /** Base URL; spans are posted to `/api/v2/spans`. */
  readonly url: string
  /** Ends it. May be called twice. */
  stop(): Promise<void>
}

/**
 * Starts Zipkin on a free port of 127.0.0.1, resolves when it answers; it ends with this process at the latest.
 * @param options.folder where its log is written
 * @param options.maxSpans kept in memory, some 1.5 kB of heap each; older ones are let go
 * @throws EnvironmentError if Java is missing, or with the end of its log if it does not start
 */
export async function startZipkin(options: {
  readonly folder: string
  readonly signal?: AbortSignal
  readonly maxSpans?: number
}): Promise<ZipkinServer> {
  const lacks = await zipkinLacks()
  if (lacks) throw new EnvironmentError(`${lacks}; install it to start Zipkin.`)
  const jar = await obtainZipkin(options.signal)
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(jar, options)
    } catch (error) {
      if (!(error instanceof PortTakenError) || attempt === attempts) throw error
    }
  }
}

async function startOnce(
  jar: string,
  { folder, signal, maxSpans = 500_000 }: Parameters<typeof startZipkin>[0],
): Promise<ZipkinServer> {
  const [port = 0] = await freePorts(1)
  const watchdog = startWatchdog()
  const supervisor = new Supervisor({ logs: folder, onStart: ({ pid }) => watchdog.add(pid, 'process') })
  const stop = async () => {
    await supervisor.stop()
    await watchdog.bye()
  }
  try {
    supervisor.start({
      name: 'zipkin',
      file: 'java',
      args: [
        `-Xmx${256 + Math.ceil((maxSpans * 1.5) / 1024)}m`,
        '-jar',
        jar,
        '--armeria.ports[0].ip=127.0.0.1',
        `--armeria.ports[0].port=${port}`,
        '--armeria.ports[0].protocols[0]=http',
        '--zipkin.storage.type=mem',
        `--zipkin.storage.mem.max-spans=${maxSpans}`,
      ],
    })
    const url = `http://127.0.0.1:${port}`
    await supervisor.ready('zipkin', () => answers(`${url}/health`), { withinMs: readyWithinMs, signal })
    return { url, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}
