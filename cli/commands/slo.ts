import { type Command, Option } from 'commander'
import type { ExitCode } from '../../lib/errors.ts'
import { interval, share, whole } from '../arguments.ts'
import { withFlags } from '../flags.ts'
import type { SloFlags } from '../slo.ts'

const source = () =>
  new Option('--slo <file>', "SLOs as in the config's slos, or OpenSLO v1, instead of the config")
    .env('MUSTER_SLO')
    .conflicts('config')

/** Adds `rules` and `prove` to the command `slo`. */
export function withSloCommands(slo: Command, done: (exitCode: ExitCode) => void): void {
  const rules = slo
    .command('rules')
    .description('print the recording and alerting rules of the SLOs for Prometheus')
    .addOption(source())
    .addOption(new Option('--out <file>', 'write them there').env('MUSTER_SLO_RULES'))
  withFlags(rules, 'config').action(async (flags: SloFlags) =>
    done(await (await import('../slo.ts')).sloRulesCommand(flags)),
  )

  const prove = slo
    .command('prove')
    .description('prove in simulated time that the burn-rate alerts fire and reset as the mathematics says')
    .addOption(source())
    .addOption(
      new Option('--rules <file>', 'the rule file to prove; else what muster slo rules prints').env('MUSTER_SLO_RULES'),
    )
    .addOption(
      new Option('--interval <duration>', 'between scrapes, and between evaluations; else 1m, or less if windows ask')
        .env('MUSTER_INTERVAL')
        .argParser(interval),
    )
    .addOption(
      new Option('--incidents <number>', 'generated incidents for precision and recall')
        .env('MUSTER_SLO_INCIDENTS')
        .default(200)
        .argParser(whole(1, 100_000)),
    )
    .addOption(
      new Option('--seed <number>', 'which incidents are generated')
        .env('MUSTER_SLO_SEED')
        .default(1)
        .argParser(whole(0, 2 ** 32 - 1)),
    )
    .addOption(
      new Option('--min-accuracy <share>', 'what precision and recall must reach, 0 to 1')
        .env('MUSTER_SLO_MIN_ACCURACY')
        .default(0.95)
        .argParser(share),
    )
  withFlags(prove, 'config', 'verdictsOut', 'reporter', 'quiet', 'verbose').action(async (flags: SloFlags) => {
    done(await (await import('../slo.ts')).sloProveCommand(flags))
  })
}
