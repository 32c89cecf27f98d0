import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { expect } from 'vitest'
import { z } from 'zod'
import { readRun } from '../reports/json.ts'

const counts = z.object({ testsuites: z.object({ tests: z.coerce.number() }) })

/** Reads the report of a run and expects both files to be whole and of one mind; gives what run.json says. */
export async function validReport(folder: string): Promise<Awaited<ReturnType<typeof readRun>>> {
  const run = await readRun(folder)
  const xml = await readFile(join(folder, 'junit.xml'), 'utf8')
  expect(XMLValidator.validate(xml)).toBe(true)
  const { testsuites } = counts.parse(new XMLParser({ ignoreAttributes: false, attributeNamePrefix: '' }).parse(xml))
  expect(testsuites.tests).toBeGreaterThanOrEqual(run.checks.length)
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
    if (answer !== undefined && answer !== false) return answer
    if (performance.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
