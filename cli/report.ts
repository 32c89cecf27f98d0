import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { formatDuration } from '../lib/duration.ts'
import { type ExitCode, exitCodes, UsageError } from '../lib/errors.ts'
import { isRed } from '../lib/verdict.ts'
import { reportFiles } from '../reports/folder.ts'
import { bundleAssets } from '../reports/html/assets.ts'
import { moment } from '../reports/html/figures.ts'
import { renderPage } from '../reports/html/page.ts'
import { readRun } from '../reports/json.ts'
import { begin, listRuns } from '../reports/list.ts'
import { table } from '../reports/table.ts'
import { oneLine } from '../reports/text.ts'
import { loadConfig } from '../validators/config.ts'
import { type Flags, reportsFolder } from './flags.ts'

/**
 * Renders `report.html` beside a run.json again, with this version of muster.
 * @throws UsageError if there is no such run
 */
export async function reportCommand(run: string | undefined, flags: Flags & { open?: boolean }): Promise<ExitCode> {
  const folder = await folderOf(run, flags)
  const { html } = reportFiles(folder)
  const page = renderPage(await readRun(folder), await bundleAssets())
  await writeFile(html, page).catch((error: unknown) => {
    throw new UsageError(
      `Cannot write ${html} (${error instanceof Error ? error.message : String(error)}): make the folder writable.`,
    )
  })
  process.stdout.write(`Report  ${html}\n`)
  if (flags.open) await open(html)
  return exitCodes.passed
}

/** A run by its path, else by its id among the reports. */
async function folderOf(run: string | undefined, flags: Flags): Promise<string> {
  if (run !== undefined && /[/\\.]/.test(run)) return resolve(run).replace(/[/\\](run\.json|report\.html)$/, '')
  return resolve(await reportsOf(flags), run ?? 'latest')
}

async function reportsOf(flags: Flags): Promise<string> {
  // Reports that are named need no config.
  if (flags.out) return resolve(flags.out)
  return reportsFolder(flags, await loadConfig(flags.config, process.cwd()))
}

/** `muster report list`: a row for each run. @throws UsageError if there is none */
export async function reportListCommand(flags: Flags): Promise<ExitCode> {
  const base = await reportsOf(flags)
  const runs = await listRuns(base)
  if (runs.length === 0)
    throw new UsageError(`There is no run in ${base}: make one with muster run, or name the folder with --out.`)
  const rows = runs.map(({ folder, run }) => [
    oneLine(folder.slice(base.length + 1)),
    `${moment(begin(run))} UTC`,
    run.end === null ? '?' : formatDuration(run.end.endedAt - run.end.startedAt),
    run.end === null ? 'cut off' : run.end.exitCode === exitCodes.passed ? 'passed' : `exit ${run.end.exitCode}`,
    String(run.checks.length),
    String(run.checks.filter(isRed).length),
  ])
  const columns = [
    { title: 'Run' },
    { title: 'When' },
    { title: 'Lasted', figures: true },
    { title: 'Verdict' },
    { title: 'Checks', figures: true },
    { title: 'Red', figures: true },
  ]
  process.stdout.write(`${table(columns, rows, process.stdout.columns ?? 80).join('\n')}\n`)
  return exitCodes.passed
}

const openers: Readonly<Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>>> = {
  darwin: ['open'],
  win32: ['explorer'],
}

/** Hands the file to the system's opener, and does not wait for the browser. @throws UsageError if there is no opener */
async function open(file: string): Promise<void> {
  const [program, ...rest] = openers[process.platform] ?? ['xdg-open']
  await new Promise<void>((done, fail) => {
    const child = spawn(program, [...rest, file], { stdio: 'ignore', detached: true })
    child.once('error', () =>
      fail(new UsageError(`There is no ${program} to open ${file} with: open it in a browser yourself.`)),
    )
    child.once('spawn', () => {
      child.unref()
      done()
    })
  })
}
