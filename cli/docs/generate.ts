import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { docsFolder } from '../../reports/check-docs.ts'
import { documents } from './documents.ts'

const checks = new URL('checks/', docsFolder)
await mkdir(checks, { recursive: true })
const written = documents()
for (const name of await readdir(checks)) if (!written.has(`checks/${name}`)) await rm(new URL(name, checks))
for (const [path, text] of written) await writeFile(new URL(path, docsFolder), text)
process.stdout.write(`${written.size} files written\n`)
