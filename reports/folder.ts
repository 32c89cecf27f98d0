import { randomUUID } from 'node:crypto'
import { mkdir, rename, rm, symlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { UsageError } from '../lib/errors.ts'

/** Where one run's report lies; all paths are absolute. */
export interface ReportFolder {
  readonly path: string
  readonly logs: string
  readonly junit: string
  readonly json: string
  readonly html: string
}

/** The files of a report's folder. */
export function reportFiles(path: string): ReportFolder {
  return {
    path,
    logs: join(path, 'logs'),
    junit: join(path, 'junit.xml'),
    json: join(path, 'run.json'),
    html: join(path, 'report.html'),
  }
}

/**
 * Makes `<base>/<run id>/` with `logs/`, and points the link `<base>/latest` at it. Several runs may do so at once: each
 * has its own folder, and the link names the one that started last. What is no run leaves the link as it is.
 * @throws UsageError if the folder can't be made or written to, or exists already
 */
export async function openReportFolder(base: string, runId: string, isRun = true): Promise<ReportFolder> {
  if (!/^[\w][\w.-]*$/.test(runId))
    throw new UsageError(`The run id "${runId}" must be usable as the name of a folder.`)
  const path = resolve(base, runId)
  try {
    await mkdir(resolve(base), { recursive: true })
    await mkdir(path)
    await mkdir(join(path, 'logs'))
    if (isRun) await pointLatest(resolve(base), runId)
  } catch (error) {
    throw new UsageError(`Cannot write the report to ${path}: ${remedy(error, resolve(base))}`, { cause: error })
  }
  return reportFiles(path)
}

/** A link is made aside and moved into place, for replacing it directly would leave a moment without any. */
async function pointLatest(base: string, runId: string): Promise<void> {
  const temporary = join(base, `.latest-${randomUUID()}`)
  try {
    await symlink(runId, temporary)
  } catch (error) {
    // Some file systems and users may not have links; the report is complete without.
    if (['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP'].includes(codeOf(error))) return
    throw error
  }
  try {
    await rename(temporary, join(base, 'latest'))
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

/** @param base the folder of all reports */
function remedy(error: unknown, base: string): string {
  const isFile = codeOf(error) === 'EEXIST' && error instanceof Error && 'path' in error && error.path === base
  switch (isFile ? 'ENOTDIR' : codeOf(error)) {
    case 'EACCES':
    case 'EPERM':
      return 'permission is denied; make the folder writable or choose another one with --out.'
    case 'EROFS':
      return 'the file system is read-only; choose another folder with --out.'
    case 'ENOSPC':
    case 'EDQUOT':
      return 'there is no space left; make room or choose another folder with --out.'
    case 'ENOTDIR':
      return 'a part of the path is a file; choose another folder with --out.'
    case 'EEXIST':
      return 'it exists already, and reports are not mixed; move it away or choose another folder with --out.'
    case 'EISDIR':
      return '"latest" beside it is a folder where a link belongs; move it away or choose another folder with --out.'
    default:
      return `${error instanceof Error ? error.message : String(error)}; choose another folder with --out.`
  }
}
