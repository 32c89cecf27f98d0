import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import axe from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { isRed } from '../lib/verdict.ts'
import { bundleAssets } from '../reports/html/assets.ts'
import { renderPage } from '../reports/html/page.ts'
import { groupsOf } from '../reports/html/panels.ts'
import { readRun } from '../reports/json.ts'
import type { Run } from '../reports/run-schema.ts'
import { count } from '../reports/terminal-summary.ts'
import { openBrowser } from './browser.ts'
import { Project, root } from './harness.ts'
import { attacked, enlarged, hostile, misled } from './report/generated.ts'

/** Where screenshots are kept, to be looked at. */
const artefacts = join(root, 'reports', 'out', 'screenshots')

const templates = `{
  trace: 'https://jaeger.example/trace/{traceId}',
  logs: 'https://grafana.example/explore?left={queryJson}&from={from}&to={to}',
  graph: 'https://grafana.example/explore?expr={query}',
}`
const file = (name: string) => JSON.stringify(join(root, 'scenarios', name))
const config = `{
  scenarios: [{ file: ${file('basic.ts')}, rate: 20, duration: '5s' }],
  // Nobody keeps it, so that a failure is told.
  thresholds: { http_req_duration: ['p(95)<0.001'] },
  alerts: [{ ...base.alerts[0], load: { scenario: ${file('smoke.ts')}, rate: 15 } }],
  links: ${templates},
}`

let project: Project
let browser: Browser
let folder: string
let run: Run

// A machine that has none yet gets it first.
beforeAll(async () => {
  browser = await openBrowser()
}, 600_000)
beforeAll(async () => {
  await mkdir(artefacts, { recursive: true })
  project = await Project.make(config)
  const { stdout, stderr } = await project.call(['run', '--keep'])
  folder = join(project.folder, 'reports', 'out', 'latest')
  run = await readRun(folder)
  // Whether it is green is for other tests; this one needs a run that came to its end.
  if (run.course === null) throw new Error(`the run has no course: ${stdout}${stderr}`)
}, 180_000)
afterAll(async () => {
  await browser?.close()
  await project?.remove()
})

/** Opens a page and fails on whatever goes wrong in it. */
async function open(
  path: string,
  options: { hash?: string; dark?: boolean; blank?: boolean; width?: number } = {},
): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1200, height: 1000 },
    colorScheme: options.dark ? 'dark' : 'light',
    permissions: ['clipboard-read', 'clipboard-write'],
  })
  const page = await context.newPage()
  const wrong: string[] = []
  page.on('pageerror', (error) => wrong.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') wrong.push(message.text())
  })
  page.on('request', (request) => {
    if (request.url().split(/[#?]/)[0] !== pathToFileURL(path).href) wrong.push(`asked for ${request.url()}`)
  })
  page.on('close', () => expect(wrong).toEqual([]))
  if (!options.blank) await page.goto(`${pathToFileURL(path).href}${options.hash ?? ''}`)
  return page
}

/** Writes a generated run's report and gives its path. */
async function rendered(name: string, generated: Run): Promise<string> {
  return project.write(`${name}.html`, renderPage(generated, await bundleAssets()))
}

const paperMargin = { top: '12mm', bottom: '12mm', left: '12mm', right: '12mm' }
const texts = (page: Page, selector: string) => page.locator(selector).allTextContents()
const tidy = (text: string) => text.replace(/\s+/g, ' ').trim()

describe('the report of a real run', () => {
  it('tells the verdict, what was run, and each failure as run.json has them', async () => {
    const page = await open(join(folder, 'report.html'))
    expect(await page.locator('#verdict').textContent()).toMatch(run.end?.exitCode === 4 ? 'Invalid' : 'Failed')
    expect(await page.locator('.sentence').textContent()).toBe(run.end?.verdict)
    const facts = (await texts(page, '.facts dd')).join('\n')
    for (const fact of [run.plan?.target ?? '?', ...Object.values(run.versions), ...(run.plan?.faults ?? [])])
      expect(facts).toContain(fact)
    const red = run.checks.filter(isRed)
    expect(red.map(({ id }) => id)).toContain('load.threshold.http_req_duration{part:load}.p(95)')
    expect(await page.locator('.story').count()).toBe(red.length)
    for (const [index, { title, evidence, reason }] of red.entries()) {
      const story = tidy((await page.locator('.story').nth(index).textContent()) ?? '')
      for (const text of [title, evidence.expected, evidence.actual, reason ?? '', evidence.query ?? ''])
        expect(story).toContain(tidy(text))
    }
    await page.close()
  })

  it('lists every check with its verdict, what was expected and what was seen', async () => {
    const page = await open(join(folder, 'report.html'))
    const rows = page.locator('#check-list > li')
    expect(await rows.count()).toBe(run.checks.length)
    await page.evaluate(`for (const one of document.querySelectorAll('details')) one.open = true`)
    await expect.poll(() => page.locator('#check-list noscript').count()).toBe(0)
    const shown = (await rows.allTextContents()).map(tidy)
    for (const [index, { id, title, verdict, evidence }] of run.checks.entries()) {
      expect(shown[index]).toContain(tidy(title))
      expect(shown[index]).toContain(id)
      expect(await rows.nth(index).getAttribute('data-verdict')).toBe(verdict)
      if (verdict === 'passed') {
        expect(shown[index]).toContain(tidy(evidence.expected))
        expect(shown[index]).toContain(tidy(evidence.actual))
      }
    }
    await page.close()
  })

  it('calls the roll with the figures of run.json, and draws the traces span by span', async () => {
    const page = await open(join(folder, 'report.html'))
    const cells = (await texts(page, '#roll-call tbody td')).map(tidy)
    const rows = run.rollCalls.flatMap((table) => table.rows)
    expect(rows.length).toBeGreaterThan(0)
    const figures = rows.flatMap(({ sent, counted, logged, traced }) =>
      [sent[0], counted, logged, traced].map((value) => count(value ?? -1)),
    )
    expect(cells.filter((_, index) => index % 7 < 4)).toEqual(figures)
    const lost = rows.filter(({ missing, doubled }) => missing > 0 || doubled > 0)
    if (lost.length === 0) expect(await page.locator('#roll-call td.bad').count()).toBe(0)
    expect(run.traces.map(({ why }) => why)).toContain('slowest')
    const spans = run.traces.flatMap((trace) => trace.spans)
    expect(await page.locator('.waterfall tbody tr').count()).toBe(spans.length)
    expect(await page.locator('#traces .place a').first().getAttribute('href')).toBe(
      `https://jaeger.example/trace/${run.traces[0]?.traceId}`,
    )
    await page.close()
  })

  it('has recorded load, signals, freshness, resources and the way of the alert, and draws all of it', async () => {
    const { course, lanes } = run
    expect(course?.missing).toEqual([])
    const groups = groupsOf(course?.series ?? [])
    const keys = groups.map(({ key }) => key)
    for (const key of [
      'rate ',
      'errors ',
      'latency gateway',
      'seen gateway',
      'seen webhooks',
      'freshness ',
      'cpu ',
      'memory ',
    ])
      expect(keys).toContain(key)
    expect(
      groups
        .find(({ key }) => key === 'seen gateway')
        ?.series.map(({ name }) => name)
        .sort(),
    ).toEqual(['counted', 'logged', 'traced'])
    // The areas under the curves agree with the roll call. A busy machine is seconds late; nothing else is sent then.
    const called = run.rollCalls[0]?.rows.find(({ service }) => service === 'gateway')
    for (const name of ['logged', 'traced'] as const) {
      const series = course?.series.find((one) => one.service === 'gateway' && one.name === name)
      const { from = 0, to = 0 } = run.scenarios[0]?.window ?? {}
      const places = (series?.values ?? []).filter((_, place) => {
        const at = (course?.from ?? 0) + place * (course?.stepMs ?? 0)
        return at >= from - 4000 && at <= to + 4000
      })
      const area = places.reduce<number>((sum, value) => sum + (value ?? 0), 0) * ((course?.stepMs ?? 0) / 1000)
      const seen = called?.[name] ?? 0
      expect(seen, name).toBeGreaterThan(100)
      expect(area, name).toBeGreaterThan(0.98 * seen)
      expect(area, name).toBeLessThan(1.02 * seen)
    }
    const alerts = run.checks.filter((check) => isRed(check) && check.signal === 'alerts')
    const why = alerts.map(({ reason }) => reason).join('; ')
    expect(
      course?.bands.map(({ kind }) => kind),
      why,
    ).toEqual(['scenario', 'fault'])
    expect(lanes.map(({ alert }) => alert)).toEqual(['GatewayHighErrorRate'])
    expect(lanes[0]?.stations.map(({ id }) => id)).toContain('resolved-delivered')

    const page = await open(join(folder, 'report.html'))
    await page.locator('#pictures').scrollIntoViewIfNeeded()
    expect(await page.locator('.plot canvas').count()).toBe(groups.length + lanes.length)
    const drawn = await page.evaluate(
      `[...document.querySelectorAll('.plot canvas')].map((one) => one.getContext('2d').getImageData(0, 0, one.width, one.height).data.some(Boolean))`,
    )
    expect(drawn).toEqual(Array(groups.length + lanes.length).fill(true))
    await page.close()
  })

  it('zooms all pictures at once, by a button and by the mouse', async () => {
    const page = await open(join(folder, 'report.html'))
    const shown = async () =>
      z
        .array(z.string())
        .parse(await page.evaluate(`[...document.querySelectorAll('.uplot')].map((one) => one.dataset.shown)`))
    const whole = new Set(await shown())
    expect(whole.size).toBe(1)
    await page.getByRole('button', { name: 'basic', exact: true }).press('Enter')
    const scenario = new Set(await shown())
    expect(scenario.size).toBe(1)
    expect(scenario).not.toEqual(whole)
    const box = await page.locator('.u-over').first().boundingBox()
    if (box === null) throw new Error('no picture is to be seen')
    await page.mouse.move(box.x + box.width * 0.3, box.y + 20)
    await page.mouse.down()
    await page.mouse.move(box.x + box.width * 0.6, box.y + 20, { steps: 4 })
    await page.mouse.up()
    const dragged = new Set(await shown())
    expect(dragged.size).toBe(1)
    expect(dragged).not.toEqual(scenario)
    await page.getByRole('button', { name: 'Whole run' }).click()
    expect(new Set(await shown())).toEqual(whole)
    await page.close()
  })

  it('copies the command that asks again', async () => {
    const page = await open(join(folder, 'report.html'))
    const check = run.checks.find(({ evidence }) => evidence.reproduce?.startsWith('curl'))
    const row = page.locator('#check-list > li').nth(check ? run.checks.indexOf(check) : 0)
    await row.locator('summary').press('Enter')
    await row.getByRole('button', { name: 'Copy the command' }).press('Enter')
    await row.getByText('Copied').waitFor()
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(check?.evidence.reproduce)
    await page.close()
  })

  it('can be gone through by keyboard alone, in the order of the page, with a ring around what has the focus', async () => {
    const page = await open(join(folder, 'report.html'))
    const focus = z.object({
      place: z.number(),
      text: z.string(),
      ring: z.string(),
      top: z.number(),
      bottom: z.number(),
    })
    const stops: z.infer<typeof focus>[] = []
    for (
      let press = 0;
      press < 60 || (press < 300 && !stops.some(({ text }) => text === 'GatewayHighErrorRate'));
      press += 1
    ) {
      await page.keyboard.press('Tab')
      const stop = focus.parse(
        await page.evaluate(`(() => {
          const one = document.activeElement, box = one.getBoundingClientRect(), { outlineStyle, outlineWidth } = getComputedStyle(one)
          const place = [...document.querySelectorAll('*')].indexOf(one)
          return { place, text: one.textContent, ring: outlineStyle + ' ' + outlineWidth, top: box.top, bottom: box.bottom }
        })()`),
      )
      stops.push(stop)
      expect(stop.ring, stop.text).toMatch(/^(solid|auto) [1-9]/)
      expect(stop.bottom, stop.text).toBeGreaterThan(0)
      expect(stop.top, stop.text).toBeLessThan(1000)
    }
    const places = stops.map(({ place }) => place)
    expect(places).toEqual([...new Set(places)].sort((a, b) => a - b))
    const passed = stops.map(({ text }) => text.trim())
    for (const text of ['To the content', 'Failures', 'Whole run', 'basic', 'GatewayHighErrorRate'])
      expect(passed).toContain(text)
    await page.close()
  })

  it('says the values of all pictures at the time under the cursor', async () => {
    const page = await open(join(folder, 'report.html'))
    const said = async () => (await texts(page, '.u-legend tr:first-child .u-value')).map(tidy)
    expect(new Set(await said())).toEqual(new Set(['']))
    const over = page.locator('.u-over').first()
    await over.scrollIntoViewIfNeeded()
    const box = await over.boundingBox()
    if (box === null) throw new Error('no picture is to be seen')
    await page.mouse.move(box.x + box.width / 2, box.y + 20)
    await expect.poll(async () => (await said())[0]).toMatch(/^\d\d:\d\d:\d\d$/)
    const times = await said()
    expect(times.length).toBeGreaterThan(5)
    expect(new Set(times).size).toBe(1)
    await page.close()
  })

  it.each([
    { dark: false, width: 1200 },
    { dark: true, width: 1200 },
    { dark: false, width: 390 },
    { dark: true, width: 390 },
  ])('is sound for keyboard and screen reader by axe (dark: $dark, $width px)', async ({ dark, width }) => {
    const page = await open(join(folder, 'report.html'), { dark, width })
    for (const summary of (await page.locator('summary').all()).slice(0, 5)) await summary.press('Enter')
    // Wide tables scroll by themselves; the page does not.
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width)
    // By the debugger's road, which the page's policy does not close.
    await page.evaluate(axe.source)
    const result = z
      .object({
        violations: z.array(
          z.object({ id: z.string(), impact: z.string().nullable(), nodes: z.array(z.object({ html: z.string() })) }),
        ),
        passes: z.array(z.unknown()),
      })
      .parse(await page.evaluate('axe.run(document, { resultTypes: ["violations", "passes"] })'))
    const grave = result.violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
    expect(grave.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([])
    expect(result.passes.length).toBeGreaterThan(10)
    const name = `report-${dark ? 'dark' : 'light'}${width < 1200 ? `-${width}` : ''}.png`
    await page.screenshot({ path: join(artefacts, name), fullPage: true })
    await page.close()
  })

  it('can be read where no script runs', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false })
    const page = await context.newPage()
    await page.goto(pathToFileURL(join(folder, 'report.html')).href)
    expect(await page.locator('.sentence').textContent()).toBe(run.end?.verdict)
    expect(await page.locator('#check-list > li').count()).toBe(run.checks.length)
    const row = tidy((await page.locator('#check-list > li').nth(3).textContent()) ?? '')
    expect(row).toContain(tidy(run.checks[3]?.evidence.expected ?? '?'))
    expect(await page.locator('#filters').isVisible()).toBe(false)
    await context.close()
  })

  it('prints black on white, without what one cannot press on paper', async () => {
    const page = await open(join(folder, 'report.html'), { dark: true })
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(255, 255, 255)')
    expect(await page.locator('nav').isVisible()).toBe(false)
    expect(await page.locator('#filters').isVisible()).toBe(false)
    const pdf = await page.pdf({ format: 'A4', path: join(artefacts, 'report.pdf'), margin: paperMargin })
    const pages = pdf.toString('latin1').match(/\/Type\s*\/Page\b/g)?.length ?? 0
    expect(pages).toBeGreaterThan(2)
    expect(pages).toBeLessThan(60)
    await page.close()
  })
})

it('keeps search and filters in the address', async () => {
  const path = await rendered('filters', enlarged(run, { checks: 200, minutes: 5 }))
  const page = await open(path)
  const visible = () => page.locator('#check-list > li:visible').count()
  expect(await visible()).toBe(200)
  await page.getByLabel('Verdict').selectOption('red')
  expect(await visible()).toBe(20)
  await page.getByLabel('Search').fill('number 110')
  expect(await visible()).toBe(1)
  const { hash } = new URL(page.url())
  expect(new URLSearchParams(hash.slice(1))).toEqual(new URLSearchParams({ q: 'number 110', verdict: 'red' }))
  await page.close()

  const shared = await open(path, { hash })
  expect(await shared.locator('#check-list > li:visible').count()).toBe(1)
  expect(await shared.getByLabel('Search').inputValue()).toBe('number 110')
  expect(await shared.locator('#shown').textContent()).toBe('1 of 200')
  await shared.getByLabel('Search').fill('nothing has this')
  expect(await shared.locator('#check-list > li:visible').count()).toBe(0)
  await shared.close()
})

it('runs no script of anybody else, wherever it stands', async () => {
  const path = await rendered('attacked', attacked(run))
  const page = await open(path)
  await page.evaluate(`for (const one of document.querySelectorAll('details')) one.open = true`)
  await expect.poll(() => page.locator('#check-list noscript').count()).toBe(0)
  expect(await page.evaluate('typeof pwned')).toBe('undefined')
  expect(await page.locator('img').count()).toBe(0)
  expect(await page.evaluate('document.scripts.length')).toBe(2)
  expect(await page.locator('#check-list .title').first().textContent()).toBe(`${run.checks[0]?.title}${hostile}`)
  // It is shown for what it is: names of services, alerts and their trials, thresholds, series, buttons.
  const shownAs: [string, string | undefined][] = [
    ['#roll-call th[scope=row]', run.rollCalls[0]?.rows[0]?.service],
    ['#alerts ~ figure figcaption', run.lanes[0]?.alert],
    ['.story h3', 'http_req_duration{part:load} keeps p(95)<0.001'],
    ['.u-legend .u-label', 'achieved'],
    ['#zooms button', run.lanes[0]?.alert],
    ['.waterfall b', run.traces[0]?.spans[0]?.service],
  ]
  for (const [selector, text] of shownAs)
    expect((await texts(page, selector)).join('\n'), selector).toContain(`${text}${hostile}`)
  expect(await page.locator('.plot canvas').count()).toBeGreaterThan(5)
  await page.close()
})

it.each(['javascript:pwned=1//', 'data:text/html,<script>pwned=1</script>'])('makes no link of %s', async (address) => {
  const page = await open(await rendered('misled', misled(run, address)))
  await page.evaluate(`for (const one of document.querySelectorAll('details')) one.open = true`)
  await expect.poll(() => page.locator('#check-list noscript').count()).toBe(0)
  const schemes = z.array(z.string()).parse(await page.evaluate(`[...document.links].map((one) => one.protocol)`))
  // Places of the page itself.
  expect(new Set(schemes)).toEqual(new Set(['file:']))
  await page.close()
})

it('refuses a script that got into the page all the same', async () => {
  const text = await readFile(join(folder, 'report.html'), 'utf8')
  const path = await project.write('injected.html', text.replace('</main>', '<script>var pwned=1</script></main>'))
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(pathToFileURL(path).href)
  expect(await page.evaluate('typeof pwned')).toBe('undefined')
  await context.close()
})

it('opens in less than a second with 2,000 checks and half an hour of load, and adds at most 1 MB to the data', async () => {
  const path = await rendered('large', enlarged(run, { checks: 2000, minutes: 30 }))
  const opened: { readonly wallMs: number; readonly cpuMs: number }[] = []
  for (let round = 0; round < 5; round += 1) {
    const page = await open(path, { blank: true })
    const debug = await page.context().newCDPSession(page)
    await debug.send('Performance.enable', { timeDomain: 'threadTicks' })
    await page.goto(pathToFileURL(path).href)
    const { metrics } = await debug.send('Performance.getMetrics')
    const cpu = metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN
    // From the request to the end of all scripts, drawing included.
    const wall = await page.evaluate('performance.getEntriesByType("navigation")[0].loadEventEnd')
    opened.push({ wallMs: Math.round(z.number().parse(wall)), cpuMs: Math.round(cpu * 1000) })
    expect(await page.locator('.plot canvas').count()).toBeGreaterThan(5)
    await page.close()
  }
  const { script, style } = await bundleAssets()
  const own = Buffer.byteLength(script) + Buffer.byteLength(style)
  const size = (await readFile(path)).length
  const words = opened.map(({ wallMs, cpuMs }) => `${wallMs} ms (${cpuMs} ms of CPU)`).join(', ')
  process.stdout.write(
    `report of 2,000 checks and 30 minutes: opened in ${words}; ${(size / 1e6).toFixed(2)} MB, of which script and style ${(own / 1e3).toFixed(0)} kB\n`,
  )
  // Whatever else runs on this machine takes none of the page's own time.
  expect(Math.min(...opened.map(({ cpuMs }) => cpuMs))).toBeLessThan(1000)
  expect(own).toBeLessThan(1_000_000)
})

it('says of a run that was interrupted how far it came', async () => {
  const other = await Project.make(
    `{ scenarios: [{ file: ${file('basic.ts')}, rate: 5, duration: '60s' }], alerts: [] }`,
  )
  try {
    const running = other.start(['run'])
    // k6 tells its progress every second; the terminal is told less often where it is none.
    const progress = join(other.folder, 'reports', 'out', 'latest', 'logs', 'k6', 'basic', 'k6.out')
    const underLoad = () => readFile(progress, 'utf8').catch(() => '')
    await expect.poll(underLoad, { timeout: 90_000, interval: 500 }).toMatch(/^running/m)
    running.kill('SIGINT')
    const { stdout, stderr, exitCode } = await running
    expect(exitCode, `${stdout}${stderr}`).toBe(130)
    const path = join(other.folder, 'reports', 'out', 'latest', 'report.html')
    const page = await open(path)
    expect(await page.locator('#verdict').textContent()).toBe('Interrupted')
    expect(tidy((await page.locator('#checks').textContent()) ?? '')).toContain('nothing is proven')
    await page.close()
  } finally {
    await other.remove()
  }
})

it('says of a run that was killed that it did not come to its end', async () => {
  const page = await open(await rendered('killed', { ...run, end: null }))
  expect(await page.locator('#verdict').textContent()).toBe('Cut off')
  await page.close()
})

it('a check of a past run leaves a report of its own, beneath the run', async () => {
  const before = await readFile(join(folder, 'run.json'), 'utf8')
  const { code, stdout } = await project.call(['check', '--only', 'metrics.request-count'])
  expect(code, stdout).toBe(0)
  const [, path] = /Report {2}(\S+report\.html)/.exec(stdout.replace(/\n\s*/g, '')) ?? []
  const page = await open(path ?? 'no report is named')
  expect(await page.locator('#verdict').textContent()).toBe('Passed')
  expect(await page.locator('.plot canvas').count()).toBeGreaterThan(5)
  await page.close()
  expect(await readFile(join(folder, 'run.json'), 'utf8')).toBe(before)

  const listed = await project.call(['report', 'list'])
  expect(listed.stdout).toContain(`${run.runId}/check-`)
  expect(listed.stdout.split('\n').filter((line) => line.includes(run.runId))).toHaveLength(2)
})

it('muster report renders a past run again, and --open hands it to the system', async () => {
  const html = join(folder, 'report.html')
  const before = await readFile(html, 'utf8')
  await writeFile(html, 'an older one')
  const bin = join(project.folder, 'bin')
  await mkdir(bin)
  await writeFile(join(bin, 'xdg-open'), `#!/bin/sh\nprintf '%s' "$1" > ${JSON.stringify(join(bin, 'opened'))}\n`)
  await chmod(join(bin, 'xdg-open'), 0o755)
  const { code, stdout } = await project.call(['report', run.runId, '--open'], { PATH: `${bin}:${process.env.PATH}` })
  expect(code).toBe(0)
  expect(stdout).toContain('report.html')
  expect(await readFile(html, 'utf8')).toBe(before)
  await expect.poll(() => readFile(join(bin, 'opened'), 'utf8').catch(() => '')).toContain(`${run.runId}/report.html`)

  const unknown = await project.call(['report', 'ffffffff'])
  expect(unknown.code).toBe(2)
  expect(unknown.stderr).toContain('ffffffff')
})
