import { Command, Option } from 'commander'
import type { ExitCode } from '../lib/errors.ts'
import { withRouteCommand } from './alerts-route.ts'
import { withRulesCommand } from './alerts-rules.ts'
import { checkCommand } from './check.ts'
import { doctorCommand } from './doctor.ts'
import { withExplainCommand } from './explain.ts'
import { type Flags, withFlags } from './flags.ts'
import { withInitCommand } from './init/init.ts'
import { withReportCommand } from './report.ts'
import { runCommand } from './run.ts'
import { setupCommand } from './setup.ts'
import { withSloCommands } from './slo.ts'
import { downCommand, statusCommand, upCommand } from './stack.ts'
import { version } from './version.ts'

/**
 * The command line: every command with its arguments and flags, from which the reference is made, too.
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
      done(await runCommand(scenarios, flags))
    },
  )

  const check = program
    .command('check')
    .description('judge a past run again, or live traffic, without load')
    .argument('[run]', 'its report folder; the latest by default')
  withFlags(check, 'config', 'since', 'until', 'out', 'only', 'reporter', 'quiet', 'verbose').action(
    async (folder: string | undefined, flags: Flags) => {
      done(await checkCommand(folder, flags))
    },
  )

  withReportCommand(program, done)
  withExplainCommand(program, done)

  const alerts = program.command('alerts').description('prove rules and routes, without load and without waking anyone')
  withRulesCommand(alerts, done)
  withRouteCommand(alerts, done)

  withInitCommand(program, done)

  withSloCommands(program.command('slo').description('make and prove rules for service level objectives'), done)

  program
    .command('setup')
    .description('get k6 and the backends ahead of time')
    .addOption(new Option('--prune', 'remove what this version does not use from the cache').env('MUSTER_PRUNE'))
    .action(async (flags: { prune?: boolean }) => {
      done(await setupCommand(flags))
    })

  for (const [name, description, command] of [
    ['up', 'start the stack alone, for exploring', upCommand],
    ['down', 'end the stack that up or run --keep left', downCommand],
    ['status', 'every URL of the stack that is up', statusCommand],
    ['doctor', 'is everything here and reachable, in what versions, how far are clocks off', doctorCommand],
  ] as const) {
    withFlags(program.command(name).description(description), 'config').action(async (flags: Flags) => {
      done(await command(flags))
    })
  }

  return program
}
