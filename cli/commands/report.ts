import { Command } from 'commander'
import type { ExitCode } from '../../lib/errors.ts'
import { type Flags, withFlags } from '../flags.ts'

/** Adds `muster report [run]` and `muster report list`. */
export function withReportCommand(program: Command, done: (exitCode: ExitCode) => void): void {
  const report = program
    .command('report')
    .description('render the HTML report of a past run again')
    .argument('[run]', 'its folder or its id; the latest by default')
    .option('--open', 'open it in the browser')
  withFlags(report, 'config', 'out').action(async (run: string | undefined, flags: Flags & { open?: boolean }) => {
    done(await (await import('../report.ts')).reportCommand(run, flags))
  })
  const list = new Command('list').description('the runs that have a report, the newest first')
  withFlags(list, 'config', 'out').action(async (_, command: Command) => {
    done(await (await import('../report.ts')).reportListCommand(command.optsWithGlobals<Flags>()))
  })
  report.addCommand(list)
}
