import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser } from 'playwright-core'
import { z } from 'zod'
import { bundleAssets } from '../reports/html/assets.ts'
import { renderPage } from '../reports/html/page.ts'
import { readRun } from '../reports/json.ts'
import { openBrowser } from '../tests/browser.ts'
import { enlarged } from '../tests/report/generated.ts'

/**
 * How soon a report of 2,000 checks and half an hour of load is read: bytes, time to the verdict painted, to all pictures drawn,
 * to the last check in the list; in both themes, beside an empty page in the same browser, since the machine may be busy with other things.
 * Checks and series are those of a real run, repeated.
 * Usage: node --import tsx bench/report-open.ts <run folder>
 */
const size = { checks: 2000, minutes: 30 }
const rounds = 5
const themes = ['light', 'dark'] as const

const [given] = process.argv.slice(2)
if (given === undefined) throw new Error('name the folder of a run with a course, such as reports/out/latest')

const timing = z.object({
  paintedMs: z.number().positive(),
  drawnMs: z.number().positive(),
  loadedMs: z.number().positive(),
  pictures: z.number(),
})
type Timing = z.infer<typeof timing>

const folder = await mkdtemp(join(tmpdir(), 'muster-open-'))
const browser = await openBrowser()
try {
  const assets = await bundleAssets()
  const html = renderPage(enlarged(await readRun(given), size), assets)
  const report = await written('report.html', html)
  const empty = await written('empty.html', '<!doctype html><html lang="en"><title>empty</title><p>Empty')
  const kB = (text: string) => `${Math.round(Buffer.byteLength(text) / 1000).toLocaleString('en-US')} kB`
  console.log(
    `${size.checks} checks, ${size.minutes} min: ${kB(html)}, of which script and style ${kB(assets.script + assets.style)}`,
  )
  console.log(`median of ${rounds}, ms      verdict painted   pictures drawn   list complete`)
  for (const theme of themes) {
    const [own, bare]: [Timing[], Timing[]] = [[], []]
    for (let round = 0; round < rounds; round += 1) {
      bare.push(await opened(browser, empty, theme))
      own.push(await opened(browser, report, theme))
    }
    const columns = ['paintedMs', 'drawnMs', 'loadedMs'] as const
    const [times, empties] = [own, bare].map((all) => columns.map((column) => median(all, column)))
    row(`${theme}, ${own[0]?.pictures} pictures`, times ?? [])
    row('an empty page', empties ?? [])
    row(
      'ratio',
      (times ?? []).map((time, column) => time / (empties?.[column] ?? Number.NaN)),
    )
  }
} finally {
  await browser.close()
  await rm(folder, { recursive: true, force: true })
}

async function written(name: string, text: string): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, text)
  return pathToFileURL(path).href
}

/** A window of its own, so that nothing is known from the time before. */
async function opened(browser: Browser, url: string, colorScheme: (typeof themes)[number]): Promise<Timing> {
  const context = await browser.newContext({ viewport: { width: 1200, height: 1000 }, colorScheme })
  try {
    const page = await context.newPage()
    await page.goto(url)
    await page.waitForFunction(`performance.getEntriesByName('first-contentful-paint').length > 0`)
    return timing.parse(
      await page.evaluate(`({
        paintedMs: performance.getEntriesByName('first-contentful-paint')[0].startTime,
        drawnMs: performance.getEntriesByName('drawn')[0]?.startTime ?? performance.getEntriesByType('navigation')[0].loadEventEnd,
        loadedMs: performance.getEntriesByType('navigation')[0].loadEventEnd,
        pictures: document.querySelectorAll('.plot canvas').length,
      })`),
    )
  } finally {
    await context.close()
  }
}

function median(all: readonly Timing[], of: 'paintedMs' | 'drawnMs' | 'loadedMs'): number {
  const sorted = all.map((one) => one[of]).sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

function row(name: string, figures: readonly number[]): void {
  const words = figures.map((value) => (value < 10 ? value.toFixed(1) : value.toFixed(0)).padStart(16))
  console.log(`${name.padEnd(22)}${words.join(' ')}`)
}
