import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import type { Verbosity } from '../reports/terminal.ts'
import type { Config } from '../validators/config.ts'

/** Flags that several commands share; each has an environment variable. */
export interface Flags {
  readonly config?: string
  readonly out?: string
  readonly only?: string
  readonly quiet?: boolean
  readonly verbose?: boolean
  readonly keep?: boolean
}

const flags = {
  config: () =>
    new Option('--config <file>', 'the config; else muster.config.ts or .yaml, upward from here').env('MUSTER_CONFIG'),
  out: () => new Option('--out <folder>', 'where reports go; else reports/out beside the config').env('MUSTER_OUT'),
  only: () =>
    new Option('--only <signal or check id>', 'put only these checks, such as traces or metrics.request-count').env(
      'MUSTER_ONLY',
    ),
  quiet: () => new Option('--quiet', 'print failures and the verdict only').env('MUSTER_QUIET').conflicts('verbose'),
  verbose: () => new Option('--verbose', 'print every check with its evidence').env('MUSTER_VERBOSE'),
  keep: () =>
    new Option('--keep', 'leave the stack up, so that links and commands in the report work').env('MUSTER_KEEP'),
} as const

/** Adds flags to a command. */
export function withFlags(command: Command, ...names: readonly (keyof typeof flags)[]): Command {
  for (const name of names) command.addOption(flags[name]())
  return command
}

export function verbosityOf({ quiet, verbose }: Flags): Verbosity {
  if (quiet) return 'quiet'
  return verbose ? 'verbose' : 'normal'
}

/** The folder under which each run has its own. */
export function reportsFolder(flags: Flags, config: Config): string {
  return flags.out ? resolve(flags.out) : resolve(config.folder, 'reports', 'out')
}
