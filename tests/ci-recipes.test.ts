import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readRun } from '../reports/json.ts'
import { Project, root } from './harness.ts'
import { blocksOf, commandsOf, pathWithNpx } from './markdown.ts'

const text = await readFile(join(root, 'docs', 'ci.md'), 'utf8')
const commands = commandsOf(text)

const basic = JSON.stringify(join(root, 'scenarios/basic.ts'))

let project: Project
let path: string

beforeAll(async () => {
  project = await Project.make(
    `{ scenarios: [{ file: ${basic}, rate: 15, duration: '4s' }], alerts: [], slos: [], maxDropped: 1000 }`,
  )
  for (const { code } of blocksOf(text)) {
    const [, name] = /^\/\/ (\S+\.mjs)\n/.exec(code) ?? []
    if (name) await project.write(name, code)
  }
  path = await pathWithNpx(project.folder)
  const { code, stderr } = await project.call(['up'])
  expect(code, stderr).toBe(0)
})

afterAll(async () => {
  await project?.remove()
})

test('docs/ci.md has commands', () => {
  expect(commands.length).toBeGreaterThan(5)
})

test.each(commands)('docs/ci.md: %s', async (command) => {
  const begun = Date.now()
  const [program = '', ...args] = command.split(' ')
  const { exitCode, stdout, stderr } = await execa(program, args, {
    cwd: project.folder,
    env: { PATH: path, ...(command.includes('setup') ? {} : { MUSTER_CONFIG: project.config }) },
    preferLocal: false,
    reject: false,
    stdin: 'ignore',
  })
  // What is tried is the command: it did what it says, whatever the verdict on this machine. 2 is a mistake in the command.
  const said = `${stdout}\n${stderr}`
  if (command.includes(' run ')) {
    const { end, startedAt } = await readRun(join(project.folder, 'reports', 'out', 'latest'))
    expect(startedAt, said).toBeGreaterThan(begun)
    expect(exitCode, said).toBe(end?.exitCode)
    if (!/slowest|ndjson/.test(command)) expect(stdout).toContain(end?.verdict ?? 'an end')
  } else if (command.includes(' check ')) expect(stdout, said).toMatch(/^(✓ PASSED|✗ FAILED) /m)
  else expect(exitCode, said).toBe(0)
  expect([0, 1, 3, 4], said).toContain(exitCode)
  expect(stderr).not.toContain('report fails')
  if (command.includes('--quiet') && exitCode === 0) expect(stdout.trim().split('\n')).toHaveLength(1)
  if (command.includes('junit:'))
    expect(await readFile(join(project.folder, 'junit.xml'), 'utf8')).toContain('<testsuites')
  if (command.includes('slowest')) expect(stdout).toMatch(/^\d+ ms {2}[a-z]+\.\S+\n\d+ ms {2}\S+\n\d+ ms {2}\S+$/)
  if (command.startsWith('node')) {
    const { end } = await readRun(join(project.folder, 'reports', 'out', 'latest'))
    expect(stdout.split('\n').at(-1)).toBe(end?.verdict)
  }
})
