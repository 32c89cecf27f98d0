import { readFile, writeFile } from 'node:fs/promises'
import { relative, resolve } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { type ExitCode, exitCodes, UsageError } from '../lib/errors.ts'
import { parsePrometheusDuration } from '../lib/prometheus-duration.ts'
import type { CheckResult } from '../lib/verdict.ts'
import { obtain } from '../stack/obtain.ts'
import { loadConfig } from '../validators/config.ts'
import { readSlos } from '../validators/slo/file.ts'
import { proveSlo } from '../validators/slo/proof.ts'
import { burnRules, sloRules } from '../validators/slo/rules.ts'
import { type Slo, sloId } from '../validators/slo/slo.ts'
import { type Flags, withFlags } from './flags.ts'
import { interruptible } from './interrupt.ts'
import { type Judged, reportVerdicts } from './verdicts.ts'

interface SloFlags extends Flags {
  readonly slo?: string
  readonly rules?: string
  /** Milliseconds. */
  readonly interval?: number
  readonly incidents: number
  readonly seed: number
  readonly minAccuracy: number
}

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
  withFlags(rules, 'config').action(async (flags: SloFlags) => done(await rulesCommand(flags)))

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
    const { file, slos } = await slosOf(flags)
    done(await reportVerdicts(file, flags, () => proveSlos(slos, flags)))
  })
}

async function rulesCommand(flags: SloFlags): Promise<ExitCode> {
  const text = sloRules((await slosOf(flags)).slos)
  if (flags.out === undefined) {
    process.stdout.write(text)
    return exitCodes.passed
  }
  const file = resolve(flags.out)
  try {
    await writeFile(file, text)
  } catch (error) {
    throw new UsageError(`${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`)
  }
  process.stdout.write(`Rules   ${file}\n`)
  return exitCodes.passed
}

async function proveSlos(slos: readonly Slo[], flags: SloFlags): Promise<Judged> {
  const signal = interruptible()
  const given = flags.rules === undefined ? undefined : await textOf(flags.rules)
  const say = (text: string) => process.stderr.write(`${text}\n`)
  const { promtool } = await obtain(['promtool'], { signal })
  const results: CheckResult[] = []
  for (const slo of slos) {
    say(`proving ${sloId(slo)} in simulated time`)
    const options = {
      promtool,
      rules: given ?? burnRules(slo),
      intervalMs: flags.interval,
      incidents: flags.incidents,
      seed: flags.seed,
      accuracy: flags.minAccuracy,
      signal,
    }
    results.push(...(await proveSlo(slo, options)))
  }
  return { results, sentence: 'The burn-rate alerts fire and reset as the mathematics says.' }
}

/** The objectives and the file that states them. @throws UsageError if there is none */
async function slosOf(flags: SloFlags): Promise<{ readonly file: string; readonly slos: readonly Slo[] }> {
  if (flags.slo !== undefined) return { file: flags.slo, slos: await readSlos(resolve(flags.slo)) }
  const config = await loadConfig(flags.config, process.cwd())
  if (config.slos.length > 0) return config
  throw new UsageError(`${relative(process.cwd(), config.file)} has no slos: add some, or name a file with --slo.`)
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(resolve(file), 'utf8')
  } catch (error) {
    throw new UsageError(`--rules ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function interval(text: string): number {
  const ms = parsePrometheusDuration(text) ?? 0
  if (ms > 0) return ms
  throw new InvalidArgumentError('It must be a duration of Prometheus such as 15s or 1m.')
}

function share(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && value >= 0 && value <= 1) return value
  throw new InvalidArgumentError('It must be a number from 0 to 1.')
}

function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (text.trim() !== '' && Number.isInteger(value) && value >= least && value <= most) return value
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`)
  }
}
