import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, normalize } from 'node:path'
import type { Command } from 'commander'
import { execa } from 'execa'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { anchorOf } from '../cli/docs/check-pages.ts'
import { makeProgram } from '../cli/program.ts'
import { parseConfig } from '../validators/config.ts'
import { readAlertmanagerFile } from '../validators/routes/alertmanager-file.ts'
import { readExpectations } from '../validators/routes/expectation.ts'
import { readSlos } from '../validators/slo/file.ts'
import { Project, root } from './harness.ts'
import { blocksOf, commandsOf, pages, pathWithNpx } from './markdown.ts'

const texts = await pages()

describe('links', () => {
  const anchorsOf = (text: string) =>
    text
      .replace(/^```[\s\S]*?^```$/gm, '')
      .split('\n')
      .flatMap((line) => {
        const [, heading] = /^#+ (.*)$/.exec(line) ?? []
        return heading === undefined ? [] : [anchorOf(heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1'))]
      })

  test.each([...texts.keys()])('those of %s lead to files and headings that are there', (page) => {
    const text = (texts.get(page) ?? '').replace(/^```[\s\S]*?^```$/gm, '').replace(/`[^`\n]*`/g, '')
    const dead = [...text.matchAll(/\]\((?!https?:)([^)\s]*)\)/g)].flatMap(([, target = '']) => {
      const [file = '', anchor] = target.split('#')
      const path = file === '' ? page : normalize(join(dirname(page), file))
      if (!existsSync(join(root, path))) return [target]
      if (anchor === undefined) return []
      return anchorsOf(readFileSync(join(root, path), 'utf8')).includes(anchor) ? [] : [target]
    })
    expect(dead).toEqual([])
  })
})

interface Snippet {
  readonly page: string
  /** Absolute; where the snippet would stand, so that its imports lead somewhere. */
  readonly file: string
  readonly code: string
  readonly isModule: boolean
}

/** A snippet that is part of a config becomes the whole of one, as far as types go. */
const part = (code: string) => {
  const trials = code.split(/^(?=fault: )/m)
  const type = /^fault: /.test(code)
    ? "Pick<NonNullable<ConfigInput['alerts']>[number], 'fault'>"
    : 'Partial<ConfigInput>'
  const parts = trials.map((one, n) => `export const part${n}: ${type} = {\n${one.trimEnd().replace(/,$/, '')},\n}`)
  return `import type { ConfigInput } from '${join(root, 'validators/config.ts')}'\n${parts.join('\n')}\n`
}

const snippets = [...texts].flatMap(([page, text]) =>
  blocksOf(text)
    .filter(({ language }) => language === 'ts')
    .map(({ code }, n): Snippet => {
      const [, place = ''] = /^\/\/ (\S+\.ts)\n/.exec(code) ?? []
      const folder = place.includes('/') ? dirname(place) : 'docs'
      const isModule = /^(import|export) /m.test(code)
      const whole = isModule ? code.replace(/'(\.\.\/muster|passmuster)\//g, `'${root}`) : part(code)
      return { page, file: join(root, folder, `snippet-${page.replace(/\W/g, '-')}-${n}.ts`), code: whole, isModule }
    }),
)

describe('snippets', () => {
  test('all of them have the types that they should', () => {
    expect(snippets.length).toBeGreaterThan(10)
    const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
    const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, root)
    const lax = { ...options, noUnusedLocals: false, noUnusedParameters: false }
    const host = ts.createCompilerHost(lax)
    const virtual = new Map(snippets.map(({ file, code }) => [file, code]))
    const { readFile, fileExists } = host
    host.readFile = (file) => virtual.get(file) ?? readFile(file)
    host.fileExists = (file) => virtual.has(file) || fileExists(file)
    const program = ts.createProgram([...virtual.keys()], lax, host)
    const problems = snippets.flatMap(({ page, file }) => {
      const source = program.getSourceFile(file)
      const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
      return found.map(({ messageText }) => `${page}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`)
    })
    expect(problems).toEqual([])
  })

  const configs = snippets.filter(({ code }) => code.includes('defineConfig('))

  test.each(configs.map(({ page, code }) => ({ page, code })))(
    'the config of $page is one that muster takes',
    async ({ page, code }) => {
      const folder = await mkdtemp(join(tmpdir(), 'muster-docs-'))
      try {
        const file = join(folder, 'muster.config.mts')
        await writeFile(file, code)
        const { default: config }: { default: unknown } = await import(file)
        expect(() => parseConfig(config, page)).not.toThrow()
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    },
  )
})

/** What reads a YAML file that begins so; a part of a file is made whole first. */
const yamlReaders: readonly (readonly [
  begin: RegExp,
  whole: (code: string) => string,
  read: (file: string) => unknown,
])[] = [
  [/^slos:/, (code) => code, readSlos],
  [/^- alert:/, (code) => code, readExpectations],
  [/^receivers:/, (code) => `route: { receiver: pager }\n${code}`, readAlertmanagerFile],
  [
    /^ {4}# muster allow /,
    (code) =>
      `time_intervals: [{ name: office, time_intervals: [{ weekdays: ['monday:friday'] }] }]
receivers: [{ name: pager }, { name: batch }]
route:
  receiver: pager
  routes:
${code}`,
    readAlertmanagerFile,
  ],
]
const yamls = [...texts].flatMap(([page, text]) =>
  blocksOf(text)
    .filter(({ language }) => language === 'yaml')
    .map(({ code }, n) => ({ page, n: n + 1, code })),
)

test.each(yamls)('YAML snippet $n of $page is one that muster reads', async ({ code }) => {
  const [, whole, read] = yamlReaders.find(([begin]) => begin.test(code)) ?? []
  if (!whole || !read) throw new Error(`no reader is known for what begins with ${code.slice(0, 40)}`)
  const folder = await mkdtemp(join(tmpdir(), 'muster-docs-'))
  try {
    const file = join(folder, 'snippet.yml')
    await writeFile(file, whole(code))
    expect(await read(file)).toBeTruthy()
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

/** Commands of a page: lines of `sh` blocks, and indented ones; what follows two blanks is prose. */
function musterCommands(text: string): string[] {
  const plain = text.replace(/^```[\s\S]*?^```$/gm, '').replaceAll('\\\n', ' ')
  const indented = [...plain.matchAll(/^ {4}(.*)$/gm)].flatMap(
    ([, line = '']) => line.trim().split(/\s{2,}(?!-)/)[0] ?? '',
  )
  return [...commandsOf(text), ...indented].filter((line) => /^(\S*muster|npx passmuster) /.test(line))
}

function wordsOf(command: string): string[] {
  const words = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')
  return words.slice(words[0] === 'npx' ? 2 : 1)
}

/** The command that the first words name, and the words that are left. */
function found(program: Command, words: readonly string[]): { command: Command; rest: readonly string[] } {
  const [first, ...rest] = words
  const inner = program.commands.find((one) => one.name() === first)
  return inner === undefined ? { command: program, rest: words } : found(inner, rest)
}

describe('commands', () => {
  // What is made of the definitions themselves has placeholders.
  const written = [...texts].filter(([page]) => page !== 'docs/commands.md')
  const all = written.flatMap(([page, text]) => musterCommands(text).map((command) => ({ page, command })))

  test('there are many', () => {
    expect(all.length).toBeGreaterThan(30)
  })

  test.each([...new Map(all.map((one) => [one.command, one])).values()])(
    '$page: $command exists, with its flags',
    ({ command }) => {
      const program = makeProgram(() => {})
      const { command: called, rest } = found(program, wordsOf(command))
      expect(called, 'no such command').not.toBe(program)
      const { operands, unknown } = called.parseOptions([...rest])
      expect(unknown).toEqual([])
      const most = called.registeredArguments.some(({ variadic }) => variadic) ? 100 : called.registeredArguments.length
      expect(operands.length).toBeLessThanOrEqual(most)
      for (const option of called.options.filter(({ mandatory }) => mandatory))
        expect(called.opts()[option.attributeName()], `${option.flags} is missing`).toBeDefined()
    },
  )

  const explained = [...new Set(all.map(({ command }) => command))].filter((command) => command.includes(' explain '))
  test.each(explained)('%s prints the page', async (command) => {
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
    const codes: number[] = []
    try {
      await makeProgram((code) => codes.push(code)).parseAsync(wordsOf(command), { from: 'user' })
      expect(codes).toEqual([0])
      expect(write.mock.calls.join('')).toContain('**What red means.**')
    } finally {
      write.mockRestore()
    }
  })
})

test('docs/existing-stack.md names every endpoint that a backend is asked, and no other', () => {
  const folder = join(root, 'validators', 'backends')
  const sources = readdirSync(folder)
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
  const asked = sources.flatMap((text) =>
    [...text.matchAll(/['`](\/(?:api|loki\/api|config|metrics)\b[^'`]*)['`]/g)].map(([, path = '']) =>
      path.replace(/\$\{.*?\}(?=\/|$)/g, '<>'),
    ),
  )
  const [, reading = ''] = (texts.get('docs/existing-stack.md') ?? '').split(/^## /m)
  const named = [...reading.matchAll(/`(\/[^`]*)`/g)].map(([, path = '']) => path.replace(/<\w+>/g, '<>'))
  expect([...new Set(named)].sort()).toEqual([...new Set(asked)].sort())
  const methods = sources.flatMap((text) =>
    [...text.matchAll(/'((?:Get|Find)[A-Z]\w+)'/g)].map(([, name = '']) => name),
  )
  for (const method of methods) expect(reading).toContain(`\`${method}\``)
})

describe('docs/first-service.md, command by command', () => {
  const commands = commandsOf(texts.get('docs/first-service.md') ?? '')
  const document = `openapi: 3.1.0
info: { title: gateway, version: '1' }
paths:
  /todos:
    get: { operationId: listTodos, security: [{ bearer: [] }], responses: { '200': { description: todos } } }
`
  let stack: Project
  let folder = ''
  let path = ''
  let token = ''
  let urls: Awaited<ReturnType<Project['state']>>['urls']

  beforeAll(async () => {
    stack = await Project.make('{ alerts: [] }')
    const up = await stack.call(['up'])
    expect(up.code, up.stderr).toBe(0)
    urls = (await stack.state()).urls
    folder = await mkdtemp(join(tmpdir(), 'muster-first-'))
    await writeFile(join(folder, 'openapi.yaml'), document)
    path = await pathWithNpx(folder)
    const response = await fetch(`${urls.gateway}/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ user: 'docs', password: 'correct horse' }),
    })
    token = `Bearer ${/"token":"([^"]+)"/.exec(await response.text())?.[1]}`
  }, 240_000)
  afterAll(async () => {
    await stack?.remove()
    if (folder !== '') await rm(folder, { recursive: true, force: true })
  })

  test('begins with init and comes to a run', () => {
    expect(commands.map((command) => command.split(' ')[2])).toEqual([
      'init',
      'doctor',
      'run',
      'explain',
      'check',
      'report',
    ])
  })

  // In the page's order: each rests on what the ones before it left.
  test.each(commands)('%s', async (command) => {
    const real = command
      .replace('http://127.0.0.1:8080', urls.gateway)
      .replace('http://127.0.0.1:9090', urls.prometheus)
      .replace('http://127.0.0.1:3100', urls.loki)
      .replace('http://127.0.0.1:16686', urls.jaeger)
    const [program = '', ...args] = real.split(' ')
    const { exitCode, stdout, stderr } = await execa(program, args, {
      cwd: folder,
      env: { PATH: path, SHOP_TOKEN: token },
      preferLocal: false,
      reject: false,
      stdin: 'ignore',
      timeout: 170_000,
    })
    const said = `${stdout}\n${stderr}`
    // What is tried is the command, whatever the verdict on this machine; 2 is a mistake in the command, 3 in the set-up.
    expect([0, 1, 4], said).toContain(exitCode)
    if (/ (init|explain|report) /.test(command)) expect(exitCode, said).toBe(0)
    if (/ (run|check)( |$)/.test(command)) expect(stdout, said).toMatch(/^(✓ PASSED|✗ (FAILED|INVALID)) /m)
  })
})
