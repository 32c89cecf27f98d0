import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { execa } from 'execa'
import { z } from 'zod'
import type { CheckResult } from '../lib/verdict.ts'
import { readRun } from '../reports/json.ts'
import { readState, type StackState } from '../stack/state.ts'

export const root = fileURLToPath(new URL('..', import.meta.url))

/** What one call of the command line came to. */
export interface Called {
  readonly code: number | undefined
  readonly stdout: string
  readonly stderr: string
}

/** A folder of its own with a config, as a user has it; removed at the end. */
export class Project {
  readonly folder: string
  readonly config: string

  private constructor(folder: string) {
    this.folder = folder
    this.config = join(folder, 'muster.config.mts')
  }

  /**
   * @param overrides TypeScript of an object that is spread over the sample's config, which it may name as `base`
   */
  static async make(overrides = '{}'): Promise<Project> {
    const project = new Project(await mkdtemp(join(tmpdir(), 'muster-test-')))
    await project.configure(overrides)
    return project
  }

  async configure(overrides: string): Promise<void> {
    const base = pathToFileURL(join(root, 'muster.config.ts')).href
    await writeFile(
      this.config,
      `import base from ${JSON.stringify(base)}\nexport default { ...base, ...(${overrides}) }\n`,
    )
  }

  /** Writes a file beside the config and gives its path. */
  async write(name: string, text: string): Promise<string> {
    const path = join(this.folder, name)
    await writeFile(path, text)
    return path
  }

  /** Starts `./muster …` with this config; from another folder, without a terminal. */
  start(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const [command = 'run', ...rest] = args
    return execa(join(root, 'muster'), [command, ...(command === 'setup' ? [] : ['--config', this.config]), ...rest], {
      cwd: this.folder,
      env,
      reject: false,
      stdin: 'ignore',
      timeout: 170_000,
    })
  }

  async call(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Called> {
    const { exitCode, stdout, stderr } = await this.start(args, env)
    return { code: exitCode, stdout, stderr }
  }

  /** The checks of the latest run, from its run.json. */
  async checks(): Promise<readonly CheckResult[]> {
    return (await readRun(join(this.folder, 'reports', 'out', 'latest'))).checks as readonly CheckResult[]
  }

  async state(): Promise<StackState> {
    const state = await readState(this.folder)
    if (!state) throw new Error('no stack is up')
    return state
  }

  async remove(): Promise<void> {
    await this.call(['down'])
    await rm(this.folder, { recursive: true, force: true })
  }
}

/** A short basic run without alerts: enough requests for every check, some 10 s in all. */
export const shortBasic = `{ scenarios: [{ file: ${JSON.stringify(join(root, 'scenarios/basic.ts'))}, rate: 20, duration: '5s' }], alerts: [] }`

const granted = z.object({ id: z.string() })

/** Plants a fault or a sabotage in a service; returns how to lift it. */
export async function plant(
  faultUrl: string,
  request: { fault: string; ratio?: number; ms?: number; level?: string; ttlMs?: number },
): Promise<() => Promise<void>> {
  const response = await fetch(`${faultUrl}/leases`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ttlMs: 120_000, ...request }),
  })
  if (response.status !== 201) throw new Error(`${request.fault} was not granted: ${await response.text()}`)
  const { id } = granted.parse(await response.json())
  return async () => {
    await fetch(`${faultUrl}/leases/${id}`, { method: 'DELETE' })
  }
}

/** Ids of the checks that are neither passed, accepted nor skipped. */
export function redIds(checks: readonly CheckResult[]): string[] {
  return checks
    .filter(({ verdict }) => verdict !== 'passed' && verdict !== 'skipped' && verdict !== 'accepted')
    .map(({ id }) => id)
}

/** Command lines of the processes whose command line holds `text`. Linux only, as the whole-system tests are. */
export async function processesWith(text: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')))
  return lines.filter((line) => line.includes(text)).map((line) => line.replaceAll('\0', ' '))
}
