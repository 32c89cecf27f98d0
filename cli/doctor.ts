import { execa } from 'execa'
import { EnvironmentError, type ExitCode, exitCodes } from '../lib/errors.ts'
import { cacheFolder, cacheSize } from '../stack/cache.ts'
import { findBinary } from '../stack/obtain.ts'
import { type BinaryName, binaryNames, recipes } from '../stack/recipes.ts'
import { readState } from '../stack/state.ts'
import { loadConfig } from '../validators/config.ts'
import { connect, type Finding, preflight } from '../validators/preflight.ts'
import { endpointsOf } from './environment.ts'
import type { Flags } from './flags.ts'
import { interruptible } from './interrupt.ts'

/** `muster doctor`: is everything here, is everything reachable, in what versions, how far are clocks off. */
export async function doctorCommand(flags: Flags): Promise<ExitCode> {
  const signal = interruptible()
  const config = await loadConfig(flags.config, process.cwd())
  const findings: Finding[] = [{ what: 'node', ok: true, text: `Node.js ${process.version}` }]
  const missing: BinaryName[] = []
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
    await preflight(config, connect(endpoints, config.queries), target, signal, findings).catch((error: unknown) => {
      if (!(error instanceof EnvironmentError)) throw error
    })
  } else {
    findings.push({ what: 'stack', ok: true, text: 'no stack is up: a run boots its own' })
  }
  // What is gone is asked several things, and says the same each time.
  const lines = new Set(findings.map(({ ok, text }) => `${ok ? '✓' : '✗'} ${text}\n`))
  for (const line of lines) process.stdout.write(line)
  return findings.every(({ ok }) => ok) ? exitCodes.passed : exitCodes.environment
}
