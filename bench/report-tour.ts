import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { openBrowser } from '../tests/browser.ts'
import { root } from '../tests/harness.ts'

/**
 * The screenshots of the report in docs/screenshots, of a run that was made before.
 * Usage: node --import tsx bench/report-tour.ts <run folder>
 */
const folder = process.argv[2]
if (folder === undefined) throw new Error('name the folder of a run, such as reports/out/latest')
const views = [
  { name: 'verdict', selector: 'header.top', dark: false },
  { name: 'course', selector: '#pictures', dark: false },
  { name: 'alert', selector: '#alerts', dark: true },
  { name: 'request', selector: '#traces', dark: true },
] as const

const browser = await openBrowser()
try {
  for (const { name, selector, dark } of views) {
    const page = await browser.newPage({
      viewport: { width: 1100, height: 760 },
      colorScheme: dark ? 'dark' : 'light',
    })
    await page.goto(pathToFileURL(join(resolve(folder), 'report.html')).href)
    // At the top of the window, beneath the links that stay there.
    await page.evaluate(`document.querySelector(${JSON.stringify(selector)}).scrollIntoView()`)
    const path = join(root, 'docs', 'screenshots', `${name}.png`)
    await page.screenshot({ path })
    console.log(path)
    await page.close()
  }
} finally {
  await browser.close()
}
