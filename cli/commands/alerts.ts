import { type Command, Option } from 'commander'
import type { ExitCode } from '../../lib/errors.ts'
import type { RouteFlags } from '../alerts-route.ts'
import type { RulesFlags } from '../alerts-rules.ts'
import { interval, share } from '../arguments.ts'
import { withFlags } from '../flags.ts'

/** Adds `rules` and `route` to the command `alerts`. */
export function withAlertsCommands(alerts: Command, done: (exitCode: ExitCode) => void): void {
  withRulesCommand(alerts, done)
  withRouteCommand(alerts, done)
}

function withRulesCommand(alerts: Command, done: (exitCode: ExitCode) => void): void {
  const rules = alerts
    .command('rules')
    .description('prove rule files: lint, behaviour in simulated time, how good their tests are, live series')
    .addOption(
      new Option('--rules <pattern...>', "rule files, such as 'rules/*.yml'").env('MUSTER_RULES').makeOptionMandatory(),
    )
    .addOption(new Option('--tests <pattern...>', 'your own test files for promtool, to be scored').env('MUSTER_TESTS'))
    .addOption(
      new Option('--prometheus <url>', 'look at live series and evaluations there').env('MUSTER_PROMETHEUS_URL'),
    )
    .addOption(new Option('--snapshot <file>', 'where behaviour is kept; else beside the rules').env('MUSTER_SNAPSHOT'))
    .addOption(new Option('--update', 'take what is seen now for right').env('MUSTER_UPDATE'))
    .addOption(
      new Option('--interval <duration>', 'of groups that name none; asked of --prometheus, else 1m')
        .env('MUSTER_INTERVAL')
        .argParser(interval),
    )
    .addOption(
      new Option('--min-score <share>', 'the least share of mutants that tests must notice, 0 to 1')
        .env('MUSTER_MIN_SCORE')
        .argParser(share),
    )
  withFlags(rules, 'config', 'verdictsOut', 'reporter', 'quiet', 'verbose').action(async (flags: RulesFlags) => {
    done(await (await import('../alerts-rules.ts')).alertsRulesCommand(flags))
  })
}

function withRouteCommand(alerts: Command, done: (exitCode: ExitCode) => void): void {
  const route = alerts
    .command('route')
    .description('prove an Alertmanager file: who is told of what, tried in a real Alertmanager that can tell nobody')
    .addOption(
      new Option('--config <file>', "Alertmanager's file").env('MUSTER_ALERTMANAGER_FILE').makeOptionMandatory(),
    )
    .addOption(
      new Option(
        '--expect <file>',
        'who must be told of which alert; else beside the file, written on the first run',
      ).env('MUSTER_EXPECT'),
    )
    .addOption(
      new Option('--rules <pattern...>', "rule files, such as 'rules/*.yml', whose alerts are routed, too").env(
        'MUSTER_RULES',
      ),
    )
    .addOption(new Option('--update', 'take what is seen now for right').env('MUSTER_UPDATE'))
  withFlags(route, 'verdictsOut', 'reporter', 'quiet', 'verbose').action(async (flags: RouteFlags) => {
    done(await (await import('../alerts-route.ts')).alertsRouteCommand(flags))
  })
}
