import { Command, Option } from 'commander'
import type { ExitCode } from '../lib/errors.ts'
import { withAlertsCommands } from './commands/alerts.ts'
import { withInitCommand } from './commands/init.ts'
import { withReportCommand } from './commands/report.ts'
import { withSloCommands } from './commands/slo.ts'
import { type Flags, withFlags } from './flags.ts'
import { version } from './version.ts'

/**
 * The command line: every command with its arguments and flags, from which the reference is made, too. What a command needs
 * is loaded when it is called: help and a mistyped flag are answered at once.
 * @param done is told with what code the command ended
 */
export function makeProgram(done: (exitCode: ExitCode) => void): Command {
  const program = new Command('muster')
    .description('Proves, under load, that a service and its observability can be trusted.')
    .version(version)
    .exitOverride()
    .showHelpAfterError('(muster --help lists the commands)')

  const run = program
    .command('run')
    .description('drive scenarios, judge every signal, write the report')
    .argument('[scenario...]', 'names; all of the config by default')
  withFlags(run, 'config', 'rate', 'duration', 'out', 'only', 'reporter', 'quiet', 'verbose', 'keep').action(
    async (scenarios: string[], flags: Flags) => {
      done(await (await import('./run.ts')).runCommand(scenarios, flags))
    },
  )

  const check = program
    .command('check')
    .description('judge a past run again, or live traffic, without load')
    .argument('[run]', 'its report folder; the latest by default')
  withFlags(check, 'config', 'since', 'until', 'out', 'only', 'reporter', 'quiet', 'verbose').action(
    async (folder: string | undefined, flags: Flags) => {
      done(await (await import('./check.ts')).checkCommand(folder, flags))
    },
  )

  withReportCommand(program, done)
  program
    .command('explain')
    .description('what a check asks, how it judges, what red means and where to look first')
    .argument('[check]', 'its id, such as metrics.request-count.todos, or the beginning of ids; all by default')
    .action(async (id: string | undefined) => {
      done(await (await import('./explain.ts')).explainCommand(id ?? ''))
    })

  const alerts = program.command('alerts').description('prove rules and routes, without load and without waking anyone')
  withAlertsCommands(alerts, done)

  withInitCommand(program, done)

  withSloCommands(program.command('slo').description('make and prove rules for service level objectives'), done)

  program
    .command('setup')
    .description('get k6 and the backends ahead of time')
    .addOption(new Option('--prune', 'remove what this version does not use from the cache').env('MUSTER_PRUNE'))
    .action(async (flags: { prune?: boolean }) => {
      done(await (await import('./setup.ts')).setupCommand(flags))
    })

  for (const [name, description, load] of [
    ['up', 'start the stack alone, for exploring', async () => (await import('./stack.ts')).upCommand],
    ['down', 'end the stack that up or run --keep left', async () => (await import('./stack.ts')).downCommand],
    ['status', 'every URL of the stack that is up', async () => (await import('./stack.ts')).statusCommand],
    [
      'doctor',
      'is everything here and reachable, in what versions, how far are clocks off',
      async () => (await import('./doctor.ts')).doctorCommand,
    ],
  ] as const) {
    withFlags(program.command(name).description(description), 'config').action(async (flags: Flags) => {
      done(await (await load())(flags))
    })
  }

  return program
}
