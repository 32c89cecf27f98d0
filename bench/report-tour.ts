import { cp, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import { bundleAssets } from '../reports/html/assets.ts'
import { renderPage } from '../reports/html/page.ts'
import { readRun } from '../reports/json.ts'
import { openBrowser } from '../tests/browser.ts'
import { Project, plant, redIds, root } from '../tests/harness.ts'
import { until } from '../tests/observe.ts'

/**
 * The screenshots of the report in docs/screenshots: of a real run with two defects planted, one log line in 100 of todos lost,
 * and a rule that asks for a metric that nobody has, so that its alert never comes.
 * The run is kept in reports/out/tour.
 * Usage: node --import tsx bench/report-tour.ts [run folder]
 */
const views = [
  { name: 'verdict', place: `document.querySelector('header.top')`, dark: false },
  {
    name: 'failure',
    place: `[...document.querySelectorAll('.story')].find((one) => one.querySelector('code').textContent === 'logs.ids.todos')`,
    dark: false,
  },
  { name: 'course', place: `document.querySelector('#pictures')`, dark: true },
  { name: 'alert', place: `document.querySelector('#alerts')`, dark: true, zoom: 'GatewayHighErrorRate' },
] as const

const file = (name: string) => JSON.stringify(join(root, 'scenarios', name))
const config = `{
  scenarios: [{ file: ${file('basic.ts')}, rate: 15, duration: '15s' }, { file: ${file('spike.ts')}, rate: 25, duration: '20s' }],
  slos: [],
  alerts: [{ ...base.alerts[0], load: { scenario: ${file('smoke.ts')}, rate: 15 } }],
}`

/** What the two defects turn red; anything else tells of a machine that is too busy. */
const planted = /^(logs\.|alerts\.(?!quiet))/
const rounds = 3

const kept = join(root, 'reports', 'out', 'tour')

const [given] = process.argv.slice(2)
if (given === undefined) {
  const project = await Project.make(config)
  try {
    await shoot(await defectiveRun(project))
  } finally {
    await project.remove()
  }
} else await shoot(resolve(given))

/** Runs against a stack with the defects; gives the folder of the report. */
async function defectiveRun(project: Project): Promise<string> {
  const up = await project.call(['up'])
  if (up.code !== 0) throw new Error(`the stack did not start: ${up.stderr}`)
  const { urls, folder, processes } = await project.state()
  const rules = join(folder, 'config', 'rules', 'alerts.yml')
  const misspelt = 'http_request_total'
  await writeFile(rules, (await readFile(rules, 'utf8')).replace('http_requests_total', misspelt))
  for (const { name, pid } of processes) if (name === 'prometheus') process.kill(pid, 'SIGHUP')
  await until('the misspelt rule', 20_000, async () => {
    const answer = await (await fetch(`${urls.prometheus}/api/v1/rules`)).text()
    return answer.includes(misspelt) || undefined
  })
  const lift = await plant(urls.faults.todos, { fault: 'drop-logs', ratio: 1 / 100, ttlMs: 600_000 })
  try {
    for (let round = 1; round <= rounds; round += 1) {
      const { stdout } = await project.call(['run'])
      const red = redIds(await project.checks())
      const others = red.filter((id) => !planted.test(id))
      if (red.length > 0 && others.length === 0) {
        await cp(join(project.folder, 'reports', 'out', 'latest'), kept, { recursive: true, dereference: true })
        return kept
      }
      console.log(`${stdout}\nRed for other reasons than those planted: ${others.join(', ') || 'nothing is red'}`)
    }
  } finally {
    await lift()
  }
  throw new Error(`${rounds} runs were red for other reasons than those planted: let nothing else run on this machine`)
}

async function shoot(folder: string): Promise<void> {
  // As `muster report` does, so that a run that was kept shows what the report is like now.
  await writeFile(join(folder, 'report.html'), renderPage(await readRun(folder), await bundleAssets()))
  const browser = await openBrowser()
  try {
    for (const view of views) {
      const page = await browser.newPage({
        viewport: { width: 1100, height: 760 },
        colorScheme: view.dark ? 'dark' : 'light',
      })
      await page.goto(pathToFileURL(join(folder, 'report.html')).href)
      if ('zoom' in view) await page.getByRole('button', { name: view.zoom }).click()
      // At the top of the window, beneath the links that stay there.
      await page.evaluate(`${view.place}.scrollIntoView()`)
      const path = join(root, 'docs', 'screenshots', `${view.name}.png`)
      const { length } = z.instanceof(Buffer).parse(await page.screenshot({ path }))
      console.log(`${path}: ${Math.round(length / 1000)} kB`)
      await page.close()
    }
  } finally {
    await browser.close()
  }
}
