import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { Project, root } from '../tests/harness.ts'

/**
 * How long the roll call takes, and what it costs: a load of so many requests, each of eight spans over three services, then
 * `muster check` of it, when all has long been queryable. A stack of its own for each size.
 * Usage: node --import tsx bench/roll-call.ts [requests…, 10000 and 100000 by default]
 */
const sizes = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [10_000, 100_000]
const requestsPerIteration = 3
const rate = 110
const scenario = join(root, 'bench/scenarios/changes.ts')

const rows: string[][] = []
for (const size of sizes) rows.push(await measure(size))
const head = [
  'requests',
  'spans',
  'roll call s',
  'in the run: logs s',
  'traces s',
  'muster MB',
  'Jaeger MB before',
  'peak',
  'Loki MB before',
  'peak',
  'exit',
]
console.log(`| ${head.join(' | ')} |\n|${' ---: |'.repeat(head.length)}`)
for (const row of rows) console.log(`| ${row.join(' | ')} |`)

async function measure(size: number): Promise<string[]> {
  const seconds = Math.ceil(size / requestsPerIteration / rate)
  const project = await Project.make(
    `{ scenarios: [{ file: ${JSON.stringify(scenario)}, rate: ${rate}, duration: '${seconds}s' }], alerts: [] }`,
  )
  try {
    const up = await project.call(['up'])
    if (up.code !== 0) throw new Error(up.stderr)
    const run = await watched(['run', '--quiet'], project.config)
    if (run.code !== 0) console.error(`the run ended with ${run.code}:\n${run.stdout}`)
    const { processes } = await project.state()
    const pidOf = (name: string) => processes.find((one) => one.name === name)?.pid ?? 0
    const [jaeger, loki] = [pidOf('jaeger'), pidOf('loki')]
    const before = [await memory(jaeger, 'VmRSS'), await memory(loki, 'VmRSS')]
    await Promise.all([jaeger, loki].map(forgetPeak))
    const check = await watched(['check', '--quiet'], project.config)
    if (check.code !== 0) console.error(`the check ended with ${check.code}:\n${check.stdout}`)
    const after = [await memory(jaeger, 'VmHWM'), await memory(loki, 'VmHWM')]
    const checks = await project.checks()
    const elapsed = (id: string) => (checks.find((one) => one.id === id)?.evidence.elapsedMs ?? Number.NaN) / 1000
    const sent = /(\d+) requests/.exec(checks.find(({ id }) => id === 'load.books')?.evidence.actual ?? '')?.[1] ?? '?'
    return [
      sent,
      String(Number(sent) * 8),
      check.seconds.toFixed(1),
      Math.max(...['gateway', 'todos', 'webhooks'].map((name) => elapsed(`logs.ids.${name}`))).toFixed(1),
      elapsed('traces.tree').toFixed(1),
      `${check.peakMb} (run: ${run.peakMb})`,
      String(before[0]),
      String(after[0]),
      String(before[1]),
      String(after[1]),
      `${run.code}, ${check.code}`,
    ]
  } finally {
    await project.remove()
  }
}

/** Runs muster's command line and follows its memory. */
async function watched(args: readonly string[], config: string) {
  const began = performance.now()
  const child = execa(process.execPath, ['--import', 'tsx', join(root, 'cli/main.ts'), ...args, '--config', config], {
    cwd: root,
    reject: false,
    stdin: 'ignore',
  })
  let peakMb = 0
  const timer = setInterval(() => {
    void memory(child.pid ?? 0, 'VmHWM').then((mb) => {
      peakMb = Math.max(peakMb, mb)
    })
  }, 100)
  const { exitCode, stdout } = await child
  clearInterval(timer)
  return { code: exitCode, stdout, peakMb, seconds: (performance.now() - began) / 1000 }
}

/** MiB, from Linux' own books. */
async function memory(pid: number, field: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Math.round(Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024)
}

/** Sets VmHWM back to the present. */
async function forgetPeak(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, '5').catch(() => undefined)
}
