import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { root } from './harness.ts'

/** A fenced block of a page. */
export interface Block {
  readonly language: string
  readonly code: string
}

/** The fenced blocks of a page, in order. */
export function blocksOf(text: string): Block[] {
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = '', code = '']) => ({ language, code }))
}

/** The lines of its `sh` blocks: one command each. */
export function commandsOf(text: string): string[] {
  return blocksOf(text)
    .filter(({ language }) => language === 'sh')
    .flatMap(({ code }) => code.trim().split('\n'))
}

/** Every page that people read, by its path from the root of the repository. */
export async function pages(): Promise<ReadonlyMap<string, string>> {
  const docs = (await readdir(join(root, 'docs'), { recursive: true })).map((path) => `docs/${path}`)
  const paths = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...docs.filter((path) => path.endsWith('.md'))]
  return new Map(
    await Promise.all(
      paths.map(async (path): Promise<[string, string]> => [path, await readFile(join(root, path), 'utf8')]),
    ),
  )
}

/**
 * The package is not installed here: an npx that hands on to the command line of this clone, as an installed package's would.
 * @returns the PATH with it
 */
export async function pathWithNpx(folder: string): Promise<string> {
  const bin = join(folder, 'bin')
  await mkdir(bin)
  await writeFile(
    join(bin, 'npx'),
    `#!/bin/sh\n[ "$1" = passmuster ] && shift && exec ${JSON.stringify(join(root, 'muster'))} "$@"\nexit 64\n`,
  )
  await chmod(join(bin, 'npx'), 0o755)
  return `${bin}${delimiter}${process.env.PATH ?? ''}`
}
