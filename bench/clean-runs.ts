import { join } from 'node:path'
import { execa } from 'execa'
import { Project, redIds, root } from '../tests/harness.ts'

/**
 * Clean runs in a row against one stack, of alternating profiles and sizes, each a process of its own: how often does a check
 * fail that should not? Without a failure in n runs the rate of false alarms is, with 95 % confidence, at most 3/n (the rule
 * of three).
 * Usage: node --import tsx bench/clean-runs.ts [runs, 30 by default]
 */
const runs = Number(process.argv[2] ?? 30)
const variants = [
  ['basic', 20, '5s'],
  ['stress', 40, '8s'],
  ['basic', 100, '10s'],
  ['spike', 40, '10s'],
  ['smoke', 5, '4s'],
  ['basic', 60, '8s'],
] as const
const files = [...new Set(variants.map(([name]) => join(root, `scenarios/${name}.ts`)))]
const project = await Project.make(`{ scenarios: ${JSON.stringify(files)}, alerts: [] }`)
let failed = 0
try {
  const up = await project.call(['up'])
  if (up.code !== 0) throw new Error(up.stderr)
  console.log('run  scenario  exit  checks  red  requests  seconds')
  for (let n = 1; n <= runs; n += 1) {
    const [name, rate, duration] = variants[(n - 1) % variants.length] ?? variants[0]
    const began = performance.now()
    const { code } = await project.call(['run', name, '--quiet', '--rate', String(rate), '--duration', duration])
    const checks = await project.checks()
    const red = redIds(checks)
    const requests =
      /(\d+) requests/.exec(checks.find(({ id }) => id === 'load.books')?.evidence.actual ?? '')?.[1] ?? '?'
    if (code !== 0) failed += 1
    const cells = [
      String(n).padStart(3),
      name.padEnd(8),
      String(code).padStart(5),
      String(checks.length).padStart(7),
      String(red.length).padStart(4),
      requests.padStart(9),
      ((performance.now() - began) / 1000).toFixed(1).padStart(8),
    ]
    console.log(`${cells.join(' ')}  ${red.join(' ')}`)
  }
} finally {
  await project.remove()
}
const { stdout: commit } = await execa('git', ['rev-parse', '--short', 'HEAD'], { cwd: root })
const bound = failed === 0 ? `; the rate of false alarms is at most ${((3 / runs) * 100).toFixed(0)} % (3/${runs})` : ''
console.log(`${runs - failed} of ${runs} runs without a failed check, at commit ${commit}${bound}`)
process.exitCode = failed === 0 ? 0 : 1
