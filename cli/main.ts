import { Command, CommanderError, Option } from 'commander'
import { type ExitCode, exitCodes, MusterError } from '../lib/errors.ts'
import { withRouteCommand } from './alerts-route.ts'
import { withRulesCommand } from './alerts-rules.ts'
import { checkCommand } from './check.ts'
import { doctorCommand } from './doctor.ts'
import { type Flags, withFlags } from './flags.ts'
import { withInitCommand } from './init/init.ts'
import { withReportCommand } from './report.ts'
import { runCommand } from './run.ts'
import { setupCommand } from './setup.ts'
import { withSloCommands } from './slo.ts'
import { downCommand, statusCommand, upCommand } from './stack.ts'
import { version } from './version.ts'

const program = new Command('muster')
  .description('Proves, under load, that a service and its observability can be trusted.')
  .version(version)
  .exitOverride()
  .showHelpAfterError('(muster --help lists the commands)')

// CI systems hand on what was not filled in as an empty text.
for (const [name, value] of Object.entries(process.env))
  if (name.startsWith('MUSTER_') && value === '') delete process.env[name]

let exitCode: ExitCode = exitCodes.passed

const run = program
  .command('run')
  .description('drive scenarios, judge every signal, write the report')
  .argument('[scenario...]', 'names; all of the config by default')
withFlags(run, 'config', 'rate', 'duration', 'out', 'only', 'reporter', 'quiet', 'verbose', 'keep').action(
  async (scenarios: string[], flags: Flags) => {
    exitCode = await runCommand(scenarios, flags)
  },
)

const check = program
  .command('check')
  .description('judge a past run again, or live traffic, without load')
  .argument('[run]', 'its report folder; the latest by default')
withFlags(check, 'config', 'since', 'until', 'out', 'only', 'reporter', 'quiet', 'verbose').action(
  async (folder: string | undefined, flags: Flags) => {
    exitCode = await checkCommand(folder, flags)
  },
)

withReportCommand(program, (code) => {
  exitCode = code
})

const alerts = program.command('alerts').description('prove rules and routes, without load and without waking anyone')
withRulesCommand(alerts, (code) => {
  exitCode = code
})
withRouteCommand(alerts, (code) => {
  exitCode = code
})

withInitCommand(program, (code) => {
  exitCode = code
})

withSloCommands(program.command('slo').description('make and prove rules for service level objectives'), (code) => {
  exitCode = code
})

program
  .command('setup')
  .description('get k6 and the backends ahead of time')
  .addOption(new Option('--prune', 'remove what this version does not use from the cache').env('MUSTER_PRUNE'))
  .action(async (flags: { prune?: boolean }) => {
    exitCode = await setupCommand(flags)
  })

for (const [name, description, command] of [
  ['up', 'start the stack alone, for exploring', upCommand],
  ['down', 'end the stack that up or run --keep left', downCommand],
  ['status', 'every URL of the stack that is up', statusCommand],
  ['doctor', 'is everything here and reachable, in what versions, how far are clocks off', doctorCommand],
] as const) {
  withFlags(program.command(name).description(description), 'config').action(async (flags: Flags) => {
    exitCode = await command(flags)
  })
}

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) exitCode = error.exitCode === 0 ? exitCodes.passed : exitCodes.usage
  else if (error instanceof MusterError) {
    process.stderr.write(`${error.message}\n`)
    exitCode = error.exitCode
  } else throw error
}
process.exitCode = exitCode
