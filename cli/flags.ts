import { resolve } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { parseDuration } from '../lib/duration.ts'
import { signals } from '../lib/verdict.ts'
import type { Verbosity } from '../reports/terminal.ts'
import type { Config } from '../validators/config.ts'
import type { Sizes } from '../validators/scenarios.ts'
import { reporterNames } from './reporter-names.ts'

/** Flags that several commands share; each has an environment variable. */
export interface Flags {
  readonly config?: string
  readonly out?: string
  readonly only?: string
  readonly quiet?: boolean
  readonly verbose?: boolean
  readonly keep?: boolean
  readonly rate?: number
  readonly duration?: string
  readonly since?: string
  readonly until?: string
  readonly reporter?: readonly string[]
}

const flags = {
  config: () =>
    new Option('--config <file>', 'the config; else muster.config.ts or .yaml, upward from here').env('MUSTER_CONFIG'),
  out: () => new Option('--out <folder>', 'where reports go; else reports/out beside the config').env('MUSTER_OUT'),
  verdictsOut: () =>
    new Option('--out <folder>', 'write <folder>/<run id>/junit.xml; else there is no file').env('MUSTER_OUT'),
  only: () =>
    new Option('--only <signal or check id>', 'put only these checks, such as traces or metrics.request-count')
      .env('MUSTER_ONLY')
      .argParser(signalOrCheck),
  quiet: () => new Option('--quiet', 'print failures and the verdict only').env('MUSTER_QUIET').conflicts('verbose'),
  verbose: () => new Option('--verbose', 'print every check with its evidence').env('MUSTER_VERBOSE'),
  keep: () =>
    new Option('--keep', 'leave the stack up, so that links and commands in the report work').env('MUSTER_KEEP'),
  rate: () =>
    new Option('--rate <number>', 'iterations per second at the highest, for every scenario')
      .env('MUSTER_RATE')
      .argParser(positive),
  duration: () =>
    new Option('--duration <duration>', 'how long every scenario lasts, such as 30s or 2m')
      .env('MUSTER_DURATION')
      .argParser(lasting),
  since: () =>
    new Option(
      '--since <time>',
      'judge live traffic from then on: back from now (5m), an ISO time or epoch seconds',
    ).env('MUSTER_SINCE'),
  reporter: () =>
    new Option(
      '--reporter <name or path>',
      `who else is told, again for several: ${reporterNames.join(', ')} (name:file for a file), or your own module`,
    )
      .env('MUSTER_REPORTER')
      .argParser(several),
  until: () => new Option('--until <time>', 'the end of the live traffic; now by default').env('MUSTER_UNTIL'),
} as const

function positive(text: string): number {
  const value = Number(text)
  if (!(value > 0) || !Number.isFinite(value)) throw new InvalidArgumentError('It must be a number above 0.')
  return value
}

function lasting(text: string): string {
  if (!(parseDuration(text) ?? 0)) throw new InvalidArgumentError('It must be a duration such as 30s or 2m.')
  return text
}

/** Repeated, or with commas between, as the environment variable has them. */
function several(text: string, before: readonly string[] | undefined): readonly string[] {
  const named = text.split(',').map((one) => one.trim())
  if (named.includes('')) throw new InvalidArgumentError('It must be a name or a path.')
  return [...(before ?? []), ...named]
}

/** Check ids begin with their signal, but for those of live traffic. */
function signalOrCheck(value: string): string {
  const [signal] = value.split('.')
  if ([...signals, 'live'].some((known) => known === signal)) return value
  throw new InvalidArgumentError(`It must be one of ${signals.join(', ')}, or a check such as metrics.request-count.`)
}

/** Adds flags to a command. */
export function withFlags(command: Command, ...names: readonly (keyof typeof flags)[]): Command {
  for (const name of names) command.addOption(flags[name]())
  return command
}

export function verbosityOf({ quiet, verbose }: Flags): Verbosity {
  if (quiet) return 'quiet'
  return verbose ? 'verbose' : 'normal'
}

/** Sizes of the load that win over the config's. */
export function sizesOf({ rate, duration }: Flags): Sizes {
  return { rate, duration }
}

/** The folder under which each run has its own. */
export function reportsFolder(flags: Flags, config: Config): string {
  return flags.out ? resolve(flags.out) : resolve(config.folder, 'reports', 'out')
}
