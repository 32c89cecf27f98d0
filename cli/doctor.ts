import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { execa } from 'execa'
import { formatDuration } from '../lib/duration.ts'
import { EnvironmentError, type ExitCode, exitCodes } from '../lib/errors.ts'
import { oneLine } from '../reports/text.ts'
import { cacheFolder, cacheSize } from '../stack/cache.ts'
import { findBinary } from '../stack/obtain.ts'
import { type BinaryName, binaryNames, recipes } from '../stack/recipes.ts'
import { readState } from '../stack/state.ts'
import { loadConfig } from '../validators/config.ts'
import type { Facts } from '../validators/context.ts'
import { type Advice, diagnose, lineOf } from '../validators/diagnosis.ts'
import { connect, type Finding, preflight } from '../validators/preflight.ts'
import { durationOf, planScenarios } from '../validators/scenarios.ts'
import { endpointsOf } from './environment.ts'
import type { Flags } from './flags.ts'
import { interruptible } from './interrupt.ts'

/**
 * `muster doctor`: is everything here and reachable, in what versions, how far are clocks off; and what in the config will make
 * checks red, with the line to change. Exit code 3 if something does not answer, 1 if something must be changed.
 */
export async function doctorCommand(flags: Flags): Promise<ExitCode> {
  const signal = interruptible()
  const config = await loadConfig(flags.config, process.cwd())
  const findings: Finding[] = [{ what: 'node', ok: true, text: `Node.js ${process.version}` }]
  const missing: BinaryName[] = []
  const advice: Advice[] = []
  for (const name of binaryNames) {
    const path = await findBinary(name)
    if (path) findings.push({ what: name, ok: true, text: `${name} ${recipes[name].version} at ${path}` })
    else missing.push(name)
  }
  const wanted = config.backends ? missing.filter((name) => name === 'k6') : missing
  const go = await execa('go', ['version'], { reject: false, timeout: 5000 })
  if (wanted.length > 0) {
    const ok = go.exitCode === 0
    const remedy = ok ? 'muster setup builds it' : 'install Go 1.26 or newer, or set its path'
    for (const name of wanted)
      findings.push({
        what: name,
        ok,
        text: `${name} ${recipes[name].version} is not here yet: ${remedy} (MUSTER_${name.toUpperCase()})`,
      })
  }
  findings.push({
    what: 'cache',
    ok: true,
    text: `cache ${cacheFolder()}: ${Math.round((await cacheSize()) / 1024 / 1024)} MiB`,
  })
  const up = config.backends ? undefined : await readState(config.folder)
  const endpoints = config.backends ?? (up ? endpointsOf(up.urls) : undefined)
  const target = config.target?.url ?? up?.urls.gateway
  if (endpoints && target) {
    const backends = connect(endpoints, config.queries)
    const facts = await preflight(config, backends, target, signal, findings).catch((error: unknown) => {
      if (!(error instanceof EnvironmentError)) throw error
    })
    if (facts) {
      const planned = await planScenarios(config, [], {})
      const scenarios = new Map(planned.map((one) => [one.scenario.name, durationOf(one)]))
      if (facts.scrapeMs > 0) findings.push({ what: 'scrape', ok: true, text: scrapeWords(facts, scenarios) })
      advice.push(...(await diagnose({ config, backends, facts, scenarios, signal })))
    }
  } else {
    findings.push({ what: 'stack', ok: true, text: 'no stack is up: a run boots its own' })
  }
  // What is gone is asked several things, and says the same each time.
  const lines = new Set(findings.map(({ ok, absent, text }) => `${absent ? '-' : ok ? '✓' : '✗'} ${oneLine(text)}\n`))
  for (const line of lines) process.stdout.write(line)
  const text = advice.length === 0 ? '' : await readFile(config.file, 'utf8')
  if (advice.length > 0) process.stdout.write('\nWhat to change, likeliest first:\n')
  // Two services may have the same wrong in one place.
  for (const said of new Set(advice.map((one) => adviceText(one, config.file, text)))) process.stdout.write(said)
  if (findings.some(({ ok }) => !ok)) return exitCodes.environment
  return advice.some(({ rank }) => rank < 2) ? exitCodes.failed : exitCodes.passed
}

function scrapeWords({ scrapeMs, evaluationMs }: Facts, scenarios: ReadonlyMap<string, number>): string {
  const shortest = Math.min(...scenarios.values())
  return `services are scraped every ${formatDuration(scrapeMs)}, rules evaluated every ${formatDuration(evaluationMs)}; the shortest scenario lasts ${formatDuration(shortest)}`
}

function adviceText({ rank, text, path, write }: Advice, file: string, config: string): string {
  const line = lineOf(config, path)
  const place = `${basename(file)}${line === undefined ? '' : `:${line}`}  ${path.join('.')}`
  const change = write === undefined ? '' : `\n      write  ${oneLine(write)}`
  return `  ${rank < 2 ? '✗' : '!'} ${oneLine(text)}\n      at     ${oneLine(place)}${change}\n`
}
