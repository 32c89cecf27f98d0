import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { bundleAssets } from './html/assets.ts'
import { renderPage } from './html/page.ts'
import { htmlReporter } from './html.ts'
import { jsonReporter, readRun } from './json.ts'
import { greenEnding, redEnding, sampleBeginning, sampleRunId } from './sample-run.test-data.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-html-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const shared = { runId: sampleRunId, config: null }

it('writes the page that run.json gives when it is rendered again', async () => {
  const path = join(folder, 'report.html')
  const reporters = [
    await htmlReporter({ path, ...shared }),
    jsonReporter({ path: join(folder, 'run.json'), ...shared }),
  ]
  for (const event of [...sampleBeginning(), ...redEnding()]) for (const reporter of reporters) reporter.on(event)
  for (const reporter of reporters) await reporter.close?.()
  expect(await readFile(path, 'utf8')).toBe(renderPage(await readRun(folder), await bundleAssets()))
})

it('leaves a page that says so when the run is cut off, and is green only for a green end', async () => {
  const path = join(folder, 'cut-off.html')
  const reporter = await htmlReporter({ path, ...shared, intervalMs: 0 })
  for (const event of sampleBeginning()) reporter.on(event)
  expect(await readFile(path, 'utf8')).toContain('<span id="verdict">Cut off</span>')
  for (const event of greenEnding()) reporter.on(event)
  await reporter.close?.()
  const page = await readFile(path, 'utf8')
  expect(page).toContain('<span id="verdict">Passed</span>')
  expect(page).toContain('class="top green"')
})

it('carries its own script and style, fetches nothing and lets nobody else in', async () => {
  const path = join(folder, 'alone.html')
  const reporter = await htmlReporter({ path, ...shared })
  for (const event of [...sampleBeginning(), ...greenEnding()]) reporter.on(event)
  await reporter.close?.()
  const page = await readFile(path, 'utf8')
  expect(page).toMatch(/Content-Security-Policy" content="default-src &#39;none&#39;; script-src &#39;sha256-/)
  expect(page).not.toMatch(/<(link|img|iframe)\b|<script[^>]+src=|@import|url\(/)
})
