import { execa } from 'execa'
import { Project, redIds, root, shortBasic } from '../tests/harness.ts'

/**
 * Clean `basic` runs in a row against one stack, each a process of its own: how often does a check fail that should not?
 * Usage: node --import tsx bench/clean-runs.ts [runs, 10 by default]
 */
const runs = Number(process.argv[2] ?? 10)
const project = await Project.make(shortBasic)
let failed = 0
try {
  const up = await project.call(['up'])
  if (up.code !== 0) throw new Error(up.stderr)
  console.log('run  exit  checks  red  requests  seconds')
  for (let n = 1; n <= runs; n += 1) {
    const began = performance.now()
    const { code } = await project.call(['run', '--quiet', '--rate', '40', '--duration', '15s'])
    const checks = await project.checks()
    const red = redIds(checks)
    const requests =
      /(\d+) requests/.exec(checks.find(({ id }) => id === 'load.books')?.evidence.actual ?? '')?.[1] ?? '?'
    if (code !== 0) failed += 1
    const cells = [
      String(n).padStart(3),
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
console.log(`${runs - failed} of ${runs} runs without a failed check, at commit ${commit}`)
process.exitCode = failed === 0 ? 0 : 1
