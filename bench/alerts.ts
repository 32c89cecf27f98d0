import { join } from 'node:path'
import { execa } from 'execa'
import type { CheckResult } from '../lib/verdict.ts'
import { Project, redIds, root } from '../tests/harness.ts'

/**
 * Live runs with a fault in a row against one stack, each a process of its own: are the verdicts the same, and how far is
 * an observed delivery above its derived lower bound?
 * Usage: node --import tsx bench/alerts.ts [runs, 10 by default]
 */
const runs = Number(process.argv[2] ?? 10)
const smoke = JSON.stringify(join(root, 'scenarios/smoke.ts'))
const project = await Project.make(`{
  scenarios: [{ file: ${smoke}, duration: '2s' }],
  freshness: undefined,
  alerts: base.alerts.slice(0, 1).map((trial) => ({ ...trial, load: { ...trial.load, scenario: ${smoke} } })),
}`)
const verdicts = new Set<string>()
const ratios: number[] = []
try {
  const up = await project.call(['up'])
  if (up.code !== 0) throw new Error(up.stderr)
  console.log(
    '| run | exit | checks | red | receiver | delivered after s | earliest s | latest s | delivered / earliest |',
  )
  console.log('| ---: | ---: | ---: | --- | --- | ---: | ---: | ---: | ---: |')
  for (let n = 1; n <= runs; n += 1) {
    const { code, stderr } = await project.call(['run', '--quiet', '--only', 'alerts'])
    const checks = await project.checks()
    if (checks.length === 0) throw new Error(stderr)
    verdicts.add(
      checks
        .map(({ id, verdict }) => `${id} ${verdict}`)
        .sort()
        .join('\n'),
    )
    const red = redIds(checks).join(' ') || 'none'
    for (const { id, evidence } of checks) {
      const receiver = /^alerts\.delivered\.[^.]+\.(.+)$/.exec(id)?.[1]
      if (receiver === undefined) continue
      const { after, earliest, latest } = figures(evidence)
      // Where an older group may have been joined the lower bound is shorter, and says so.
      ratios.push(after / earliest)
      console.log(
        `| ${[n, code, checks.length, red, receiver, after, earliest, latest, (after / earliest).toFixed(2)].join(' | ')} |`,
      )
    }
  }
} finally {
  await project.remove()
}
const { stdout: commit } = await execa('git', ['rev-parse', '--short', 'HEAD'], { cwd: root })
const sorted = ratios.toSorted((a, b) => a - b)
console.log(
  `${runs} runs, ${verdicts.size} different sets of verdicts; delivered / earliest: least ${at(0)}, median ${at(0.5)}, greatest ${at(1)}, at commit ${commit}`,
)
process.exitCode = verdicts.size === 1 && ratios.length > 0 ? 0 : 1

function at(quantile: number): string {
  return (sorted[Math.round(quantile * (sorted.length - 1))] ?? Number.NaN).toFixed(2)
}

/** Seconds out of `after 4 s to 9.67 s` and `after 5.4 s`. */
function figures({ expected, actual }: CheckResult['evidence']): Record<'after' | 'earliest' | 'latest', number> {
  const [, earliest, latest] = /after ([\d.]+) s to ([\d.]+) s/.exec(expected) ?? []
  const [, amount, unit] = /after ([\d.]+) (ms|s)/.exec(actual) ?? []
  return {
    after: Number(amount) / (unit === 'ms' ? 1000 : 1),
    earliest: Number(earliest),
    latest: Number(latest),
  }
}
