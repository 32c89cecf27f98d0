import { readFile, writeFile } from 'node:fs/promises'
import { relative, resolve } from 'node:path'
import { type ExitCode, exitCodes, UsageError } from '../lib/errors.ts'
import type { CheckResult } from '../lib/verdict.ts'
import { obtain } from '../stack/obtain.ts'
import { loadConfig } from '../validators/config.ts'
import { readSlos } from '../validators/slo/file.ts'
import { proveSlo } from '../validators/slo/proof.ts'
import { burnRules, sloRules } from '../validators/slo/rules.ts'
import { type Slo, sloId } from '../validators/slo/slo.ts'
import type { Flags } from './flags.ts'
import { interruptible } from './interrupt.ts'
import { type Judged, reportVerdicts } from './verdicts.ts'

export interface SloFlags extends Flags {
  readonly slo?: string
  readonly rules?: string
  /** Milliseconds. */
  readonly interval?: number
  readonly incidents: number
  readonly seed: number
  readonly minAccuracy: number
}

/** `muster slo rules`: prints the rules, or writes them to a file. */
export async function sloRulesCommand(flags: SloFlags): Promise<ExitCode> {
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

/** `muster slo prove`: the rules of each objective, played through in simulated time. */
export async function sloProveCommand(flags: SloFlags): Promise<ExitCode> {
  const { file, slos } = await slosOf(flags)
  return reportVerdicts(file, flags, () => proveSlos(slos, flags))
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
