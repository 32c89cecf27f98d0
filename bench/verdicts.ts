import { join } from 'node:path'
import { Project, redIds, root } from '../tests/harness.ts'
import { readRecording } from '../validators/recording.ts'

/**
 * How long after the load the verdicts are there: 10 s at some 500 requests/s, against how long the slowest signal itself
 * takes to become visible (the sentinels' longest), and against 1.5 times that plus 1 s.
 * Usage: node --import tsx bench/verdicts.ts [runs, 3 by default]
 */
const runs = Number(process.argv[2] ?? 3)
// 3.9 requests an iteration.
const scenario = `{ file: ${JSON.stringify(join(root, 'scenarios/basic.ts'))}, rate: 128, duration: '10s' }`
const project = await Project.make(`{ scenarios: [${scenario}], alerts: [] }`)
try {
  const up = await project.call(['up'])
  if (up.code !== 0) throw new Error(up.stderr)
  console.log('| run | requests | slowest signal visible after s | allowed s | verdicts after s | red |')
  console.log('| ---: | ---: | ---: | ---: | ---: | --- |')
  for (let n = 1; n <= runs; n += 1) {
    await project.call(['run', '--quiet'])
    const checks = await project.checks()
    const [driven] = (await readRecording(join(project.folder, 'reports/out/latest'))).scenarios
    if (!driven) throw new Error('nothing was driven')
    const latest = (id: string) => longest(checks.find((check) => check.id === id)?.evidence.actual ?? '')
    const slowest = Math.max(...['metrics', 'logs', 'traces'].map((signal) => latest(`${signal}.freshness`)))
    const books = checks.find(({ id }) => id === 'load.books')?.evidence.actual ?? ''
    const cells = [
      n,
      /(\d+) requests/.exec(books)?.[1] ?? '?',
      (slowest / 1000).toFixed(2),
      (1.5 * (slowest / 1000) + 1).toFixed(2),
      ((driven.judgedAt - driven.window.to) / 1000).toFixed(2),
      redIds(checks).join(' ') || 'none',
    ]
    console.log(`| ${cells.join(' | ')} |`)
  }
} finally {
  await project.remove()
}

/** The longest of a freshness check's figures, in milliseconds. */
function longest(actual: string): number {
  const [, figure = '', unit] = /max ([\d.]+) (ms|s)/.exec(actual) ?? []
  return Number(figure) * (unit === 's' ? 1000 : 1)
}
