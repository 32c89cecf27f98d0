import { createWriteStream } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { execa } from 'execa'
import { z } from 'zod'
import { parseDuration } from '../lib/duration.ts'
import { EnvironmentError, UsageError } from '../lib/errors.ts'
import type { LoadProgress } from '../lib/event.ts'
import { profileNames } from '../lib/load-profile.ts'
import { type DrivePlan, drivenJourneys, type Scenario } from '../lib/scenario.ts'
import { type OddLine, parseOdd, type Summary } from '../lib/summary.ts'
import { parseThresholds } from '../lib/threshold.ts'
import { freePort, LiveLook } from './k6-live.ts'

export interface K6Options {
  readonly k6Path: string
  /** A module that default-exports a scenario. */
  readonly scenarioFile: string
  /** What k6 is told; where it writes its summary is decided here. */
  readonly plan: Omit<DrivePlan, 'summaryFile'>
  /** Receives script.js, plan.json, summary.json, k6.log and k6.out; made if missing. */
  readonly folder: string
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: LoadProgress) => void
  /** Called once k6 runs, so that a watchdog can end it. */
  readonly onSpawn?: (pid: number) => void
  /** Milliseconds that k6 has after SIGINT before SIGKILL; 5000 unless told otherwise. */
  readonly killAfterMs?: number
}

export interface K6Result {
  /** Undefined if a signal ended k6. */
  readonly exitCode: number | undefined
  /** One sentence, with k6's own words if the exit was unexpected. */
  readonly exitMeaning: string
  /** True for 0 and 99 (thresholds): k6 did what it was told. */
  readonly regular: boolean
  /** Epoch milliseconds around the process. */
  readonly startedAt: number
  readonly endedAt: number
  /** Undefined if k6 wrote none, or one that cannot be read. */
  readonly summary: Summary | undefined
  readonly oddLines: readonly OddLine[]
  /** The last lines of k6's log, without odd lines. */
  readonly logTail: readonly string[]
  /** The last lines on stderr that were not log lines, e.g. of a crash. */
  readonly stderrTail: readonly string[]
}

const isJourney = z.looseObject({ name: z.string(), steps: z.record(z.string(), z.unknown()) })
const isScenario = z.looseObject({
  name: z.string(),
  profile: z.enum(profileNames),
  timeoutMs: z.number(),
  journeys: z.array(z.looseObject({ share: z.number(), journey: isJourney })).min(1),
})

/**
 * Imports the declaration that a scenario file default-exports.
 * @throws UsageError if the file is missing, throws, or exports something else
 */
export async function loadScenario(scenarioFile: string): Promise<Scenario> {
  let module: { readonly default?: unknown }
  try {
    module = await import(pathToFileURL(resolve(scenarioFile)).href)
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(`Scenario file ${scenarioFile} cannot be loaded: ${messageOf(error)}`, { cause: error })
  }
  const { default: declared } = module
  if (!declaresScenario(declared)) {
    throw new UsageError(
      `Scenario file ${scenarioFile} must default-export what scenario() of lib/scenario.ts returns.`,
    )
  }
  return declared
}

function declaresScenario(value: unknown): value is Scenario {
  return isScenario.safeParse(value).success
}

const driveFile = fileURLToPath(new URL('../scenarios/drive.ts', import.meta.url))

/** The script that k6 starts with: k6 wants every function it calls as a named export. */
function entryText(scenarioFile: string, journeyCount: number): string {
  const lines = Array.from({ length: journeyCount }, (_, n) => `export const journey_${n} = driven.exec[${n}]`)
  return [
    `import scenario from ${JSON.stringify(resolve(scenarioFile))}`,
    `import { drive } from ${JSON.stringify(driveFile)}`,
    'const driven = drive(scenario)',
    'export const { options, setup, teardown, handleSummary } = driven',
    ...lines,
  ].join('\n')
}

const isBuildFailure = z.looseObject({
  errors: z.array(
    z.looseObject({ text: z.string(), location: z.looseObject({ file: z.string(), line: z.number() }).nullish() }),
  ),
})

/**
 * Bundles a scenario for k6.
 * @throws UsageError with esbuild's own errors and their places
 */
export async function bundle(scenarioFile: string, journeyCount: number, outfile: string): Promise<void> {
  try {
    await build({
      stdin: {
        contents: entryText(scenarioFile, journeyCount),
        resolveDir: dirname(driveFile),
        loader: 'ts',
        sourcefile: 'entry.ts',
      },
      outfile,
      bundle: true,
      format: 'esm',
      target: 'es2023',
      platform: 'neutral',
      mainFields: ['module', 'main'],
      external: ['k6', 'k6/*'],
      sourcemap: 'inline',
      logLevel: 'silent',
    })
  } catch (error) {
    const failure = isBuildFailure.safeParse(error)
    const errors = failure.success
      ? failure.data.errors.map(({ text, location }) =>
          location ? `${location.file}:${location.line}: ${text}` : text,
        )
      : [messageOf(error)]
    throw new UsageError(`Scenario file ${scenarioFile} cannot be bundled: ${errors.join('; ')}`, { cause: error })
  }
}

/**
 * Runs one scenario in a k6 process of its own and gathers what it says of itself. A run that goes wrong is a result, too.
 * @throws UsageError for a bad scenario file or threshold, before anything is started
 * @throws EnvironmentError if k6 cannot be started
 */
export async function runK6(options: K6Options): Promise<K6Result> {
  const { scenarioFile, folder, signal } = options
  const scenario = await loadScenario(scenarioFile)
  const driven = drivenJourneys(scenario, options.plan)
  const { problems } = parseThresholds(options.plan.thresholds)
  if (problems.length > 0) throw new UsageError(`Thresholds of ${scenario.name}: ${problems.join('; ')}.`)
  const file = (name: string) => resolve(join(folder, name))
  await mkdir(folder, { recursive: true })
  // An old summary would look like a result.
  await rm(file('summary.json'), { force: true })
  await bundle(scenarioFile, driven.length, file('script.js'))
  const plan: DrivePlan = { ...options.plan, summaryFile: file('summary.json') }
  await writeFile(file('plan.json'), JSON.stringify(plan, undefined, 2))
  await writeFile(file('k6-config.json'), '{}')

  const startedAt = Date.now()
  const told = { scenario: scenario.name, durationMs: driven[0]?.load.durationMs ?? 0, startedAt }
  const first = await once(options, file, told, await freePort())
  // Somebody took the port in between; nothing was sent yet. The load matters more than its live figures.
  const { exitCode, signalName, listen } =
    first.exitCode === portTaken && !signal?.aborted ? await once(options, file, told, undefined) : first
  return {
    exitCode,
    exitMeaning: meaningOf(exitCode, signalName, listen.words()),
    regular: exitCode === 0 || exitCode === 99,
    startedAt,
    endedAt: Date.now(),
    summary: await readSummary(file('summary.json')),
    oddLines: listen.oddLines,
    logTail: listen.logTail,
    stderrTail: listen.stderrTail,
  }
}

/** How k6 ends when it cannot listen for its REST interface, which it tries before anything else. */
const portTaken = 106

/** One process of k6, from its start to its end. */
async function once(
  { k6Path, signal, onSpawn, onProgress, killAfterMs }: K6Options,
  file: (name: string) => string,
  told: { readonly scenario: string; readonly durationMs: number; readonly startedAt: number },
  port: number | undefined,
) {
  const address = port === undefined ? '' : `127.0.0.1:${port}`
  // biome-ignore format: one flag a line reads worse
  const k6 = execa(k6Path, ['run', '--config', file('k6-config.json'), '--no-usage-report', '--no-color', '--address', address, '--log-format', 'json',
    '--log-output', 'stderr', '-e', `MUSTER_PLAN=${file('plan.json')}`, file('script.js')], {
    stdin: 'ignore', buffer: false, reject: false, cleanup: true, extendEnv: false, env: environment(),
  })
  if (k6.pid !== undefined) onSpawn?.(k6.pid)
  const look = port === undefined ? undefined : new LiveLook(port)
  let killer: NodeJS.Timeout | undefined
  const interrupt = () => {
    k6.kill('SIGINT')
    killer = setTimeout(() => k6.kill('SIGKILL'), killAfterMs ?? 5_000)
  }
  if (signal?.aborted) interrupt()
  else signal?.addEventListener('abort', interrupt, { once: true })
  try {
    const listen = new Listener()
    const { startedAt, ...progress } = told
    let begunAt: number | undefined
    const [ended] = await Promise.all([
      k6,
      eachLine(k6.iterable({ from: 'stderr' }), file('k6.log'), (line) => listen.stderr(line)),
      eachLine(k6.iterable({ from: 'stdout' }), file('k6.out'), (line) => {
        begunAt ??= beginOf(line, Date.now())
        const text = /^running .*iterations/.exec(line)?.[0]
        const iterations = Number(/(\d+) complete/.exec(line)?.[1] ?? 0)
        const live = look?.latest
        if (text !== undefined)
          onProgress?.({
            ...progress,
            elapsedMs: Date.now() - startedAt,
            iterations,
            text,
            ...(live === undefined ? {} : { live }),
            ...(begunAt === undefined ? {} : { begunAt }),
          })
      }),
    ])
    if (k6.pid === undefined)
      throw new EnvironmentError(`k6 cannot be started from ${k6Path}: ${ended.originalMessage ?? 'unknown error'}`)
    return { exitCode: ended.exitCode, signalName: ended.signal, listen }
  } finally {
    look?.end()
    clearTimeout(killer)
    signal?.removeEventListener('abort', interrupt)
  }
}

/** The caller's environment without k6's own variables, which would change the run behind the plan's back. */
/** When a journey's arrivals began, by its line of progress: `browse  [  5% ] 01/20 VUs  0.4s/8s  10.00 iters/s`. */
export function beginOf(line: string, now: number): number | undefined {
  const [, elapsed] = /^\S+ +\[ *\d+% \] \d+\/\d+ VUs +((?:\d+h)?(?:\d+m)?[\d.]+s)\//.exec(line) ?? []
  const ms = parseDuration(elapsed ?? '')
  return ms ? now - ms : undefined
}

function environment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('K6_') && !name.startsWith('MUSTER_'))
  return { ...Object.fromEntries(kept), K6_AUTO_EXTENSION_RESOLUTION: 'false', K6_NO_USAGE_REPORT: 'true' }
}

async function eachLine(lines: AsyncIterable<unknown>, copy: string, each: (line: string) => void): Promise<void> {
  const file = createWriteStream(copy)
  // A full disk must not end the run; the lines are read all the same.
  file.on('error', () => {})
  try {
    for await (const line of lines) {
      if (typeof line !== 'string') continue
      file.write(`${line}\n`)
      each(line)
    }
  } finally {
    await new Promise<void>((done) => file.end(() => done()))
  }
}

const isLogLine = z.looseObject({ msg: z.string(), level: z.string().default('info'), error: z.string().optional() })

/** Sorts what k6 writes on stderr: odd lines, its log, and the rest. */
class Listener {
  readonly oddLines: OddLine[] = []
  readonly logTail: string[] = []
  readonly stderrTail: string[] = []
  #error = ''

  stderr(line: string): void {
    const entry = isLogLine.safeParse(parseJson(line))
    if (!entry.success) {
      keep(this.stderrTail, line)
      return
    }
    const { msg, level, error } = entry.data
    const odd = parseOdd(msg)
    if (odd !== undefined) {
      this.oddLines.push(odd)
      return
    }
    const text = error === undefined ? msg : `${msg}: ${error}`
    keep(this.logTail, `${level}: ${text}`)
    if (level === 'error' || level === 'fatal') this.#error = text
  }

  /** k6's own words on why it ended. */
  words(): string {
    return this.#error || this.stderrTail.at(-1) || ''
  }
}

function keep(tail: string[], line: string): void {
  tail.push(line)
  if (tail.length > 40) tail.shift()
}

const exitWords: Readonly<Record<number, string>> = {
  97: 'k6 could not start its cloud run',
  99: 'k6 found thresholds crossed',
  100: 'k6 ran into the time-out of setup',
  101: 'k6 ran into the time-out of teardown',
  102: 'k6 ran into a time-out',
  103: 'k6 was stopped over its REST interface',
  104: 'k6 refused its configuration',
  105: 'k6 was interrupted',
  106: 'k6 could not serve its REST interface',
  107: 'the script threw while it was loaded or in setup',
  108: 'the script aborted the test',
  109: 'k6 crashed',
  110: 'the script marked the test as failed',
}

function meaningOf(exitCode: number | undefined, signal: string | undefined, words: string): string {
  if (exitCode === 0) return 'k6 ended by itself'
  const what =
    exitCode === undefined
      ? `k6 was ended by ${signal ?? 'an unknown signal'}`
      : (exitWords[exitCode] ?? `k6 ended with the unexpected code ${exitCode}`)
  // The frames of a script's stack stand in the details.
  const [said = ''] = words.split(/\s+at (?=file:|\S+ \()/)
  return said === '' || exitCode === 99 ? what : `${what}: ${said.replace(/\s+/g, ' ').slice(0, 500)}`
}

const isSummary = z.object({
  metrics: z.record(
    z.string(),
    z.object({
      type: z.enum(['counter', 'gauge', 'rate', 'trend']),
      values: z.record(z.string(), z.number()),
      thresholds: z.record(z.string(), z.object({ ok: z.boolean() })).optional(),
    }),
  ),
  checks: z.array(z.object({ name: z.string(), passes: z.number(), fails: z.number() })),
  testRunDurationMs: z.number(),
})

/** Undefined if there is none, or it is not what the journey runtime writes. */
async function readSummary(path: string): Promise<Summary | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '')
  return isSummary.safeParse(parseJson(text)).data
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
