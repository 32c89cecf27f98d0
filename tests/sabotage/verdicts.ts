import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { CheckResult } from '../../lib/verdict.ts'
import { type Called, type Project, redIds } from '../harness.ts'
import { underLoad } from '../observe.ts'

/** What a sabotage does to the checks; everything that is not named stays green. */
export interface Consequence {
  /** Ids of checks that go red. */
  readonly must: readonly string[]
  /** Ids, or beginnings of ids up to a dot, of checks that may go red besides. */
  readonly may?: readonly string[]
  /** 1 unless told otherwise. */
  readonly code?: number
  /** Done while k6 is under way. */
  readonly meanwhile?: (project: Project) => Promise<void>
}

/**
 * Calls `muster run` and holds its checks against the consequence.
 * @returns one line for each red check, as evidence
 */
export async function expectConsequence(
  project: Project,
  { must, may = [], code = 1, meanwhile }: Consequence,
): Promise<string[]> {
  const { called, checks } = await callRun(project, meanwhile)
  const reds = redIds(checks)
  const allowed = [...must, ...may]
  const says = (ids: readonly string[]) => inWords(checks.filter(({ id }) => ids.includes(id))).join('\n')
  const missed = must.filter((id) => !reds.includes(id))
  expect(missed, `these had to see it:\n${says(missed)}`).toEqual([])
  const innocent = reds.filter((id) => !allowed.some((one) => id === one || id.startsWith(`${one}.`)))
  expect(innocent, `these had nothing to see:\n${says(innocent)}`).toEqual([])
  // "Could not ask" is red too, but no proof that the check sees anything.
  const unasked = checks.filter(({ id, verdict }) => must.includes(id) && verdict === 'errored').map(({ id }) => id)
  expect(unasked, `these could not ask:\n${says(unasked)}`).toEqual([])
  expect(called.code, `${called.stdout}\n${called.stderr}`).toBe(code)
  return inWords(checks.filter(({ id }) => reds.includes(id)))
}

/** Calls `muster run`, which must be green on the strength of many checks. */
export async function expectClean(project: Project): Promise<void> {
  const { called, checks } = await callRun(project)
  expect(inWords(checks.filter(({ id }) => redIds(checks).includes(id)))).toEqual([])
  expect(called.code, `${called.stdout}\n${called.stderr}`).toBe(0)
  expect(checks.filter(({ verdict }) => verdict === 'passed').length).toBeGreaterThan(20)
}

async function callRun(
  project: Project,
  meanwhile?: Consequence['meanwhile'],
): Promise<{ called: Called; checks: readonly CheckResult[] }> {
  // A run that breaks off before its report is there must not be judged by the report of the one before.
  await rm(join(project.folder, 'reports', 'out', 'latest'), { force: true })
  const calling = project.call(['run', '--quiet'], { MUSTER_TEST_PROJECT: project.folder })
  if (meanwhile) {
    await underLoad(project.folder, 'basic')
    await meanwhile(project)
  }
  const called = await calling
  const checks = await project.checks().catch(() => [])
  expect(checks.length, `no check was put:\n${called.stdout}\n${called.stderr}`).toBeGreaterThan(0)
  return { called, checks }
}

function inWords(checks: readonly CheckResult[]): string[] {
  return checks.map(({ id, verdict, reason, evidence }) => `${id} ${verdict}: ${reason ?? evidence.actual}`)
}
