import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { z } from 'zod'
import { median, quantile } from '../lib/statistics.ts'
import { testPassword } from '../scenarios/journeys/test-secret.ts'
import { Project, root } from '../tests/harness.ts'

/**
 * Does the service get slower while muster asks the backends? A steady 100 requests/s through two services, in turns while
 * nobody asks and while `muster check` calls the roll of some 10,000 requests; p95 of each turn, and the ratio.
 * Usage: node --import tsx bench/asking.ts [turns, 5 by default]
 */
const turns = Number(process.argv[2] ?? 5)
const scenario = join(root, 'bench/scenarios/changes.ts')
const project = await Project.make(
  `{ scenarios: [{ file: ${JSON.stringify(scenario)}, rate: 100, duration: '34s' }], alerts: [] }`,
)
try {
  const up = await project.call(['up'])
  if (up.code !== 0) throw new Error(up.stderr)
  await project.call(['run', '--quiet'])
  const { urls } = await project.state()
  const headers = { authorization: `Bearer ${await login(urls.gateway)}` }
  const ask = async () => {
    const began = performance.now()
    await (await fetch(`${urls.gateway}/todos`, { headers })).arrayBuffer()
    return performance.now() - began
  }
  await steady(ask, wait(3000))
  console.log('| turn | nobody asks: p95 ms | the roll is called: p95 ms | ratio | roll call s |')
  console.log('| ---: | ---: | ---: | ---: | ---: |')
  const ratios: number[] = []
  for (let turn = 1; turn <= turns; turn += 1) {
    const calm = p95(await steady(ask, wait(6000)))
    const began = performance.now()
    const asked = p95(await steady(ask, project.call(['check', '--quiet', '--only', 'traces.ids'])))
    const seconds = (performance.now() - began) / 1000
    ratios.push(asked / calm)
    console.log(
      `| ${turn} | ${calm.toFixed(1)} | ${asked.toFixed(1)} | ${(asked / calm).toFixed(2)} | ${seconds.toFixed(1)} |`,
    )
  }
  console.log(`median ratio ${(median(ratios) ?? Number.NaN).toFixed(2)}`)
} finally {
  await project.remove()
}

/** Sends a request every 10 ms, whether or not earlier ones were answered, until `over` settles. */
async function steady(ask: () => Promise<number>, over: Promise<unknown>): Promise<number[]> {
  let done = false
  void over.then(() => {
    done = true
  })
  const answers: Promise<number>[] = []
  const began = performance.now()
  while (!done) {
    answers.push(ask())
    await wait(Math.max(0, began + 10 * answers.length - performance.now()))
  }
  return Promise.all(answers)
}

function p95(latencies: readonly number[]): number {
  return quantile(latencies, 0.95) ?? Number.NaN
}

async function login(gateway: string): Promise<string> {
  const answer = await fetch(`${gateway}/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user: 'bench', password: testPassword }),
  })
  return z.object({ token: z.string() }).parse(await answer.json()).token
}
