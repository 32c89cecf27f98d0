import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { expect } from 'vitest'
import { z } from 'zod'
import { readRun } from '../reports/json.ts'

const counts = z.object({ testsuites: z.object({ testsuite: z.array(z.object({ tests: z.coerce.number() })) }) })

/** Reads the report of a run and expects both files to be whole and of one mind; gives what run.json says. */
export async function validReport(folder: string): Promise<Awaited<ReturnType<typeof readRun>>> {
  const run = await readRun(folder)
  const xml = await readFile(join(folder, 'junit.xml'), 'utf8')
  expect(XMLValidator.validate(xml)).toBe(true)
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '',
    isArray: (name) => name === 'testsuite',
  })
  const { testsuites } = counts.parse(parser.parse(xml))
  const tests = testsuites.testsuite.reduce((sum, suite) => sum + suite.tests, 0)
  expect(tests).toBeGreaterThanOrEqual(run.checks.length)
  return run
}

/** Asks every 50 ms until there is an answer. @throws Error naming what was waited for */
export async function until<T>(
  what: string,
  withinMs: number,
  ask: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const deadline = performance.now() + withinMs
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (performance.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** A process of a project: its number and its command line. */
export interface Seen {
  readonly pid: number
  readonly command: string
}

/**
 * The processes that have the folder in their command line or environment, this one left out. Linux only. Muster must
 * have been started with the folder in its environment for its watchdog to be among them.
 */
export async function processesOf(folder: string): Promise<Seen[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
  const read = (path: string) => readFile(path, 'utf8').catch(() => '')
  const seen = await Promise.all(
    pids.map(async (pid) => {
      const [command, environment] = await Promise.all([read(`/proc/${pid}/cmdline`), read(`/proc/${pid}/environ`)])
      return {
        pid: Number(pid),
        command: command.replaceAll('\0', ' '),
        mine: (command + environment).includes(folder),
      }
    }),
  )
  return seen.filter(({ mine }) => mine).map(({ pid, command }) => ({ pid, command }))
}

/** Expects that nothing of the project runs any more, within 15 s. */
export async function allGone(folder: string): Promise<void> {
  await expect.poll(() => processesOf(folder), { timeout: 15_000, interval: 100 }).toEqual([])
}

/** Waits until k6 has completed so many iterations of a scenario in the project's latest run; gives k6's process number. */
export function underLoad(project: string, scenario: string, iterations = 1): Promise<number> {
  const output = join(project, 'reports', 'out', 'latest', 'logs', 'k6', scenario, 'k6.out')
  return until(`iterations of ${scenario}`, 60_000, async () => {
    const text = await readFile(output, 'utf8').catch(() => '')
    const completed = [...text.matchAll(/^running .* (\d+) complete/gm)].map(([, count]) => Number(count))
    if (Math.max(0, ...completed) < iterations) return undefined
    return (await processesOf(project)).find(({ command }) => /\bk6 run /.test(command))?.pid
  })
}
