import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import { UsageError } from '../lib/errors.ts'
import type { Reporter } from '../lib/event.ts'
import type { PositionFinder } from '../lib/position.ts'
import { githubReporter } from '../reports/github.ts'
import { gitlabReporter } from '../reports/gitlab.ts'
import { junitReporter } from '../reports/junit.ts'
import { multiplex } from '../reports/multiplexer.ts'
import { ndjsonReporter } from '../reports/ndjson.ts'
import { terminalReporter } from '../reports/terminal.ts'
import type { Config } from '../validators/config.ts'
import { type Flags, verbosityOf } from './flags.ts'
import { type ReporterName, reporterNames } from './reporter-names.ts'

/** What reporters of any kind are made of. */
export interface ReporterSetting {
  /** `reporter` wins over the config's, relative to the working directory; those of the config are relative to it. */
  readonly flags: Pick<Flags, 'reporter' | 'quiet' | 'verbose'>
  readonly config: Pick<Config, 'file' | 'folder' | 'reporters'>
  /** Shown at the end. */
  readonly reportFolder?: string
  readonly positionOf: PositionFinder
  /** The process's own unless given. */
  readonly environment?: Environment
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Opens the reporters that the command line names, else those that the config names, else the terminal and the one of the CI
 * system that muster runs in.
 * @throws UsageError for a name that is none, a module that will not do, and two that would mix on standard output
 */
export async function openReporters(setting: ReporterSetting): Promise<Reporter[]> {
  const { flags, config, environment = process.env } = setting
  const from = flags.reporter ? process.cwd() : config.folder
  const names = flags.reporter ?? config.reporters ?? ['terminal', ...detected(environment)]
  const wanted = [...new Set(names)].map(parse)
  refuseMixture(wanted)
  // The user's modules first: what is wrong with them is told before any reporter begins to write.
  const loaded = new Map<Wanted, Reporter>()
  for (const one of wanted) if (one.name === undefined) loaded.set(one, await own(one.file, from))
  return wanted.flatMap((one) => loaded.get(one) ?? (one.name ? [builtIn(one, from, { ...setting, environment })] : []))
}

/** All of them as one; what goes wrong with one is told on stderr. */
export function multiplexed(reporters: readonly Reporter[]): Reporter {
  return multiplex(reporters, (who, error) =>
    process.stderr.write(`The ${who} report fails: ${error instanceof Error ? error.message : String(error)}\n`),
  )
}

/** CI systems whose reporter is used unless others are named. */
function detected({ GITHUB_ACTIONS, GITLAB_CI }: Environment): ReporterName[] {
  return [
    ...(GITHUB_ACTIONS === 'true' ? ['github' as const] : []),
    ...(GITLAB_CI === 'true' ? ['gitlab' as const] : []),
  ]
}

/** A reporter of muster's own and where it writes; without a name, the file is the user's module. */
type Wanted =
  | { readonly name: ReporterName; readonly file?: string }
  | { readonly name?: undefined; readonly file: string }

const writesFile: readonly ReporterName[] = ['junit', 'ndjson']

function parse(text: string): Wanted {
  const colon = text.indexOf(':')
  const [word, file] = colon < 0 ? [text] : [text.slice(0, colon), text.slice(colon + 1)]
  const name = reporterNames.find((one) => one === word)
  if (name === undefined) {
    if (/^\.{0,2}\/|[\\/]|\.[cm]?[jt]s$/.test(text)) return { file: text }
    throw new UsageError(
      `There is no reporter "${text}": name ${reporterNames.join(', ')}, or the path of a module such as ./my-reporter.ts.`,
    )
  }
  if (file !== undefined && (file === '' || !writesFile.includes(name)))
    throw new UsageError(
      `The reporter "${text}" will not do: only ${writesFile.join(' and ')} take a file, as in ndjson:events.ndjson.`,
    )
  if (name === 'junit' && file === undefined)
    throw new UsageError(
      'The reporter junit needs a file, as in junit:junit.xml: that of the report folder is always written.',
    )
  return { name, ...(file === undefined ? {} : { file }) }
}

function refuseMixture(wanted: readonly Wanted[]): void {
  const lines = wanted.some(({ name, file }) => name === 'ndjson' && file === undefined)
  const other = wanted.find(({ name }) => name === 'terminal' || name === 'github')
  if (lines && other)
    throw new UsageError(
      `The reporters ndjson and ${other.name} would mix on standard output: give one a file, as in ndjson:events.ndjson.`,
    )
}

function builtIn(
  { name, file }: Extract<Wanted, { name: ReporterName }>,
  from: string,
  {
    flags,
    config,
    reportFolder,
    positionOf,
    environment,
  }: Required<Pick<ReporterSetting, 'environment'>> & ReporterSetting,
): Reporter {
  const path = file === undefined ? undefined : resolve(from, file)
  switch (name) {
    case 'terminal':
      return terminalReporter({
        stream: process.stdout,
        verbosity: verbosityOf(flags),
        ...(reportFolder === undefined ? {} : { reportFolder }),
      })
    case 'junit':
      return junitReporter({ path: path ?? '' })
    case 'ndjson':
      return ndjsonReporter(path ?? process.stdout)
    case 'github':
      return githubReporter({ stream: process.stdout, environment, positionOf })
    case 'gitlab':
      return gitlabReporter({ folder: environment.CI_PROJECT_DIR ?? process.cwd(), positionOf, config: config.file })
  }
}

const reporterShape = z.looseObject({
  name: z.string(),
  on: z.custom<Reporter['on']>((value) => typeof value === 'function'),
  close: z.custom<Reporter['close']>((value) => value === undefined || typeof value === 'function').optional(),
})

function isReporter(value: unknown): value is Reporter {
  return reporterShape.safeParse(value).success
}

/** The user's own reporter. It gets copies: what it does to an event is seen by no other. */
async function own(written: string, from: string): Promise<Reporter> {
  const file = resolve(from, written)
  let module: { readonly default?: unknown }
  try {
    module = await import(pathToFileURL(file).href)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new UsageError(`The reporter ${written} cannot be loaded from ${file}: ${why}`, { cause: error })
  }
  const { default: reporter } = module
  if (!isReporter(reporter))
    throw new UsageError(
      `The reporter ${written} must default-export an object with a name and a function on(event), as Reporter in lib/event.ts.`,
    )
  return {
    name: reporter.name,
    on: (event) => reporter.on(structuredClone(event)),
    close: () => reporter.close?.(),
  }
}
