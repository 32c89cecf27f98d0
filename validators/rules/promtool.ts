import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { EnvironmentError } from '../../lib/errors.ts'
import type { Labels } from './evaluator/series.ts'
import type { DumpedSeries } from './trial.ts'

/** What `promtool test rules` said of some files. */
export interface PromtoolAnswer {
  /** What each test group's storage held at its end; absent for groups that ended early. */
  readonly dumps: ReadonlyMap<string, readonly DumpedSeries[]>
  /** Complaints, by the number of the file. */
  readonly complaints: ReadonlyMap<number, readonly string[]>
}

/** A test file and what it needs beside it. */
export interface TestFile {
  readonly files: Readonly<Record<string, string>>
  /** The one to run. */
  readonly test: string
  /** Roughly how long it takes, in any unit, so that work can be shared out evenly. */
  readonly cost: number
}

export interface PromtoolOptions {
  /** Path of the program. */
  readonly promtool: string
  readonly signal: AbortSignal
  /** How many files are done. */
  readonly onProgress?: ((done: number) => void) | undefined
  /** True: what each group's storage held is wanted. */
  readonly dump: boolean
}

const limitMs = 300_000

/**
 * Runs test files in as many processes as there are processors, in a temporary folder that is removed afterwards.
 * @throws EnvironmentError if promtool can't be started or doesn't end within 5 minutes
 */
export async function runPromtool(tests: readonly TestFile[], options: PromtoolOptions): Promise<PromtoolAnswer> {
  const dumps = new Map<string, readonly DumpedSeries[]>()
  const complaints = new Map<number, string[]>()
  if (tests.length === 0) return { dumps, complaints }
  const folder = await mkdtemp(join(tmpdir(), 'muster-rules-'))
  let done = 0
  try {
    await Promise.all(
      tests.map(async ({ files }, index) => {
        const own = join(folder, String(index))
        await mkdir(own)
        await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(own, name), text)))
      }),
    )
    // Small shares, handed out as processes become free: a process costs 0.1 s, a bad division seconds.
    const shares = divided(tests, availableParallelism() * 3)
    const next = shares.values()
    const work = async () => {
      for (const share of next) {
        await runOne(folder, share, tests, options, { dumps, complaints })
        done += share.length
        options.onProgress?.(done)
      }
    }
    await Promise.all(Array.from({ length: Math.min(shares.length, availableParallelism()) }, work))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  return { dumps, complaints }
}

/** The files' numbers in lists of like cost. */
function divided(tests: readonly TestFile[], parts: number): number[][] {
  const lists = Array.from({ length: Math.min(parts, tests.length) }, () => ({ cost: 0, files: [] as number[] }))
  const byCost = [...tests.keys()].sort((a, b) => (tests[b]?.cost ?? 0) - (tests[a]?.cost ?? 0))
  for (const index of byCost) {
    const least = lists.reduce((best, list) => (list.cost < best.cost ? list : best))
    least.files.push(index)
    least.cost += tests[index]?.cost ?? 0
  }
  return lists.map(({ files }) => files)
}

interface Found {
  readonly dumps: Map<string, readonly DumpedSeries[]>
  readonly complaints: Map<number, string[]>
}

async function runOne(
  folder: string,
  share: readonly number[],
  tests: readonly TestFile[],
  { promtool, signal, dump }: PromtoolOptions,
  found: Found,
): Promise<void> {
  signal.throwIfAborted()
  const paths = share.map((index) => join(folder, String(index), tests[index]?.test ?? ''))
  const junit = join(folder, `junit-${share[0]}.xml`)
  const how = dump ? ['--debug'] : [`--junit=${junit}`]
  const child = spawn(promtool, ['test', 'rules', ...how, ...paths], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // promtool's storages go to the temporary folder, too, so that nothing is left if it is killed.
    env: { PATH: process.env.PATH ?? '', TMPDIR: folder, GOGC: '400' },
    signal: AbortSignal.any([signal, AbortSignal.timeout(limitMs)]),
    killSignal: 'SIGKILL',
  })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  // Awaited below, after its output; a failure in between must not count as unhandled.
  ended.catch(() => undefined)
  const reader = new AnswerReader(share[0] ?? 0, found)
  for await (const line of createInterface({ input: child.stderr, crlfDelay: Number.POSITIVE_INFINITY }))
    reader.line(line)
  try {
    const code = await ended
    if (code !== 0 && code !== 1) throw new Error(`it ended with ${code}; its last words: ${reader.last}`)
    if (!dump)
      for (const [index, failures] of failuresIn(await readFile(junit, 'utf8')).entries()) {
        const file = share[index]
        if (file !== undefined && failures.length > 0) found.complaints.set(file, failures)
      }
  } catch (error) {
    signal.throwIfAborted()
    const why =
      error instanceof Error && error.name === 'AbortError' ? 'it did not end within 5 minutes' : String(error)
    throw new EnvironmentError(
      `promtool (${promtool}) could not test the rules: ${why}; set MUSTER_PROMTOOL to a promtool 3.`,
    )
  }
}

/** What promtool's JUnit file says of each test file, in their order: one text for each failure. */
function failuresIn(xml: string): string[][] {
  return [...xml.matchAll(/<testsuite [^>]*?failures="(\d+)" errors="(\d+)"[^>]*>([\s\S]*?)<\/testsuite>/g)].map(
    ([, failures, errors, inner = '']) => {
      if (Number(failures) + Number(errors) === 0) return []
      const texts = [...inner.matchAll(/<(failure|error)>([\s\S]*?)<\/\1>/g)].map(([, , text = '']) => oneLine(text))
      return texts.filter((text) => text !== '').length > 0 ? texts.filter((text) => text !== '') : ['it fails']
    },
  )
}

function oneLine(xml: string): string {
  return xml
    .replace(/&#x([0-9A-Fa-f]+);/g, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)))
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .replace(/\s+/g, ' ')
    .trim()
}

/** Reads what `promtool test rules --debug` writes to its error output, line by line. */
class AnswerReader {
  readonly #found: Found
  #file: number
  #group: string | undefined
  #series: { labels: Labels; points: [number, string][] }[] | undefined
  #complaining = false
  last = ''

  /** @param first the number of the first file */
  constructor(first: number, found: Found) {
    this.#file = first
    this.#found = found
  }

  line(text: string): void {
    if (text !== '') this.last = text.trim()
    const started = /^DEBUG: Starting test (.*)$/.exec(text)
    if (started) {
      this.#begin(started[1] ?? '')
      return
    }
    if (text.startsWith('DEBUG: Dump of all data')) {
      this.#series = []
      return
    }
    if (text.startsWith('DEBUG: Test ')) {
      if (this.#group !== undefined && this.#series) this.#found.dumps.set(this.#group, this.#series)
      this.#series = undefined
      return
    }
    if (this.#series) this.#dumped(text, this.#series)
    else if (text === '  FAILED:') this.#complaining = true
    else if (this.#complaining && text !== '') this.#complain(text)
  }

  #begin(group: string): void {
    this.#complaining = false
    this.#group = group
    this.#file = Number(/^t(\d+)\./.exec(group)?.[1] ?? this.#file)
  }

  #dumped(text: string, series: { labels: Labels; points: [number, string][] }[]): void {
    const point = /^(\S+) @\[(-?\d+)\]$/.exec(text)
    if (point) series.at(-1)?.points.push([Number(point[2]), point[1] ?? ''])
    else if (text.endsWith(' =>')) series.push({ labels: labelsIn(text), points: [] })
  }

  #complain(text: string): void {
    const own = this.#found.complaints.get(this.#file) ?? []
    own.push(text.trim())
    this.#found.complaints.set(this.#file, own)
  }
}

/** The labels of `{__name__="up", job="a"} =>`. */
function labelsIn(text: string): Labels {
  const labels: Record<string, string> = {}
  for (const [, quoted, plain, value] of text.matchAll(
    /(?:"((?:[^"\\]|\\.)*)"|([A-Za-z_][\w.:]*))="((?:[^"\\]|\\.)*)"/g,
  )) {
    labels[quoted ?? plain ?? ''] = unquoted(value ?? '')
  }
  return labels
}

/** What Go's strconv.Quote wrote, without its quotes. */
function unquoted(text: string): string {
  return text.replace(
    /\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(.))/g,
    (_, x?: string, u?: string, wide?: string, one?: string) => {
      const hex = x ?? u ?? wide
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16))
      return { n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v' }[one ?? ''] ?? one ?? ''
    },
  )
}
