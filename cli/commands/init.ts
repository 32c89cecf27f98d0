import { type Command, InvalidArgumentError, Option } from 'commander'
import type { ExitCode } from '../../lib/errors.ts'
import type { InitFlags } from '../init/init.ts'

/** Adds `muster init`. */
export function withInitCommand(program: Command, done: (code: ExitCode) => void): void {
  program
    .command('init')
    .description('write a config and a first journey for your own service, from what is found there')
    .addOption(
      new Option('--url <url>', 'the base URL of the service; harmless requests are sent there').env('MUSTER_INIT_URL'),
    )
    .addOption(new Option('--prometheus <url>', 'Prometheus, which scrapes the service'))
    .addOption(new Option('--loki <url>', 'Loki, which holds its log lines'))
    .addOption(new Option('--jaeger <url>', "Jaeger's query API, which holds its traces").conflicts('zipkin'))
    .addOption(new Option('--zipkin <url>', 'Zipkin, which holds its traces'))
    .addOption(new Option('--alertmanager <url>', 'Alertmanager'))
    .addOption(new Option('--openapi <file or url>', 'an OpenAPI or Swagger document, for the steps').conflicts('har'))
    .addOption(new Option('--har <file>', "a browser's recording (HAR 1.2), for the steps"))
    .addOption(
      new Option(
        '--header <name=VARIABLE>',
        'a header of every request, and the environment variable with its value',
      ).argParser(headerOf),
    )
    .addOption(new Option('--yes', 'ask nothing: what has no flag is not there'))
    .action(async (flags: InitFlags) => {
      done(await (await import('../init/init.ts')).initCommand(flags))
    })
}

function headerOf(text: string, before: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const [, name, variable] = /^([\w-]+)=([A-Za-z_]\w*)$/.exec(text) ?? []
  if (name === undefined || variable === undefined)
    throw new InvalidArgumentError('It must be name=VARIABLE; the value stands in the environment variable alone.')
  return { ...before, [name]: variable }
}
