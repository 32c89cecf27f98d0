import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readRun } from '../reports/json.ts'
import { type Mistake, mistakes, type Site } from './first-mistakes/mistakes.ts'
import { type Called, Project, root } from './harness.ts'

/** Each mistake is made for real, against one stack that a config names as somebody's own. */
let project: Project
let site: Site
const guard = createServer((_, response) => response.writeHead(401).end())
/** What muster said, by the mistake's name. */
const said = new Map<string, string>()

beforeAll(async () => {
  project = await Project.make()
  const up = await project.call(['up'])
  expect(up.code, up.stderr).toBe(0)
  site = { urls: (await project.state()).urls, guarded: `http://127.0.0.1:${await portOf(guard)}` }
}, 180_000)

afterAll(async () => {
  guard.close()
  await project?.remove()
})

async function portOf(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** A folder of its own with a config without mistakes, but for these settings. */
async function newcomer(name: string, settings = ''): Promise<string> {
  const folder = join(project.folder, name)
  await mkdir(folder)
  const { gateway, prometheus, loki, jaeger } = site.urls
  const sample = pathToFileURL(join(root, 'muster.config.ts')).href
  await writeFile(
    join(folder, 'muster.config.mts'),
    `import sample from ${JSON.stringify(sample)}
const base = {
  ...sample,
  target: { url: '${gateway}' },
  backends: { prometheus: { url: '${prometheus}' }, loki: { url: '${loki}' }, jaeger: { url: '${jaeger}' } },
  scenarios: [{ file: ${JSON.stringify(join(root, 'scenarios/basic.ts'))}, rate: 10, duration: '3s' }],
  alerts: [],
  slos: [],
  freshness: undefined,
}
export default { ...base, ${settings} }
`,
  )
  await writeFile(join(folder, 'muster.config.json'), '{}\n')
  return folder
}

async function muster(folder: string, args: readonly string[], env = {}): Promise<Called> {
  const config = args.includes('--config') ? [] : ['--config', 'muster.config.mts']
  const { exitCode, stdout, stderr } = await execa(join(root, 'muster'), [...args, ...config], {
    cwd: folder,
    env,
    reject: false,
    stdin: 'ignore',
    timeout: 170_000,
  })
  return { code: exitCode, stdout, stderr }
}

it('without a mistake the run passes, and doctor finds nothing to change', async () => {
  const folder = await newcomer('sound')
  const run = await muster(folder, ['run'])
  expect(run.code, run.stdout).toBe(0)
  const doctor = await muster(folder, ['doctor'])
  expect([doctor.code, doctor.stdout]).toEqual([0, expect.not.stringContaining('✗')])
})

it('without a config muster says how to get one, and shows no stack trace', async () => {
  const { exitCode, stderr } = await execa(join(root, 'muster'), ['run'], { cwd: project.folder, reject: false })
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining('have muster init write one')])
  said.set('There is no config', normalised(stderr, project.folder))
})

it.for(mistakes)('$name', async (mistake) => {
  const folder = await newcomer(String(mistakes.indexOf(mistake)), mistake.config?.(site))
  const called = await muster(folder, mistake.args, mistake.env?.(folder))
  const all = `${called.stdout}\n${called.stderr}`
  expect(called.code, all).toBe(mistake.code)
  expect(all).not.toMatch(/^\s+at .+:\d+:\d+\)?$|muster itself failed/m)
  const sentence = await told(mistake, folder, called)
  for (const name of mistake.names) expect(sentence).toMatch(name)
  said.set(mistake.name, normalised(sentence, folder))
})

/** Where the mistake's own sentence stands. */
async function told({ check, args }: Mistake, folder: string, { stdout, stderr }: Called): Promise<string> {
  if (args[0] === 'doctor') return stdout.split(/^What to change.*$/m)[1]?.trim() ?? stdout
  if (check === undefined) return stderr.trim()
  const { checks } = await readRun(join(folder, 'reports', 'out', 'latest'))
  const red = checks.find(({ id, verdict }) => id === check && verdict !== 'passed')
  // What the terminal shows of it is what a newcomer sees.
  expect(stdout).toContain(check)
  return red?.reason ?? `${check} holds`
}

/** Without what differs from one machine, and one run, to the next. */
function normalised(text: string, folder: string): string {
  const { urls, guarded } = site
  const usual = [
    [urls.gateway, '8080'],
    [urls.prometheus, '9090'],
    [urls.loki, '3100'],
    [urls.jaeger, '16686'],
    [guarded, '9090'],
  ] as const
  const places = [
    [folder, '/home/you/shop'],
    [root.replace(/\/$/, ''), '/home/you/muster'],
  ] as const
  const known = usual.reduce((told, [url, port]) => told.replaceAll(`:${new URL(url).port}`, `:${port}`), text)
  return places
    .reduce((told, [from, to]) => told.replaceAll(from, to), known)
    .replace(/\d+ ×/g, 'n ×')
    .replace(/(\/)[\da-f]{8}(?=:)/g, '$1<run id>')
    .trim()
}

it('docs/first-mistakes.md says of each what muster said', async () => {
  const path = join(root, 'docs', 'first-mistakes.md')
  const rows = [...said].map(([name, text]) => {
    const { args = ['run'], code = 2 } = mistakes.find((one) => one.name === name) ?? {}
    return `| ${name} | \`${args.join(' ')}\` | ${code} | ${cell(text)} |`
  })
  expect(rows).toHaveLength(mistakes.length + 1)
  const page = `# First mistakes, and what muster says

The likeliest mistakes of the first day. Each is made by \`tests/first-mistakes.test.ts\` against real backends; this page is what was said,
with usual ports and paths. \`MUSTER_WRITE_DOCS=1 npx vitest run --project system tests/first-mistakes.test.ts\` writes it anew. Exit codes:
2 is a mistake in what was written or typed, 3 something that cannot be asked, 1 and 4 a run that fails or does not count.

| mistake | \`muster …\` | exit | what muster says |
| --- | --- | --- | --- |
${rows.join('\n')}
`
  if (process.env.MUSTER_WRITE_DOCS) await writeFile(path, page)
  expect(await readFile(path, 'utf8')).toBe(page)
})

/** A line for each line, which Markdown and HTML take for text. */
function cell(text: string): string {
  const lines = text.split('\n').map((line) => line.trim().replace(/\s{2,}/g, ' '))
  return lines
    .filter((line) => line !== '')
    .map((line) => `\`${line.replaceAll('`', "'").replaceAll('|', '\\|')}\``)
    .join('<br>')
}
