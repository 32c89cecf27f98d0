import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'

const root = fileURLToPath(new URL('..', import.meta.url))
const ruleFile = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.object({
          alert: z.string().optional(),
          record: z.string().optional(),
          annotations: z.record(z.string(), z.string()).optional(),
        }),
      ),
    }),
  ),
})

const rules = readdirSync(`${root}stack/config/rules`)
  .filter((name) => name.endsWith('.yml'))
  .flatMap((name) => ruleFile.parse(parse(readFileSync(`${root}stack/config/rules/${name}`, 'utf8'))).groups)
  .flatMap((group) => group.rules)
const alerts = rules.flatMap(({ alert, annotations }) => (alert === undefined ? [] : [{ alert, annotations }]))

test('every alert names a page of runbooks/ that is about it', () => {
  expect(alerts.length).toBeGreaterThan(0)
  for (const { alert, annotations } of alerts) {
    const { pathname } = new URL(annotations?.runbook_url ?? '', 'https://none.invalid')
    expect(pathname, alert).toMatch(/^\/runbooks\/\w+\.md$/)
    expect(readFileSync(root + pathname.slice(1), 'utf8'), alert).toContain(alert)
  }
})

test('every page of runbooks/ is named by an alert, and its links lead somewhere', () => {
  const pages = readdirSync(`${root}runbooks`)
  const named = alerts.map(({ annotations }) => annotations?.runbook_url?.split('/').at(-1))
  for (const page of pages) {
    expect(named).toContain(page)
    for (const [, link] of readFileSync(`${root}runbooks/${page}`, 'utf8').matchAll(/\]\(([^)]+)\)/g)) {
      expect(pages, page).toContain(link)
    }
  }
})

test('the series that a page tells to look at are recorded', () => {
  const recorded = new Set(rules.map(({ record }) => record))
  for (const page of readdirSync(`${root}runbooks`)) {
    for (const [series] of readFileSync(`${root}runbooks/${page}`, 'utf8').matchAll(
      /\b(job|job_route|slo):\w+:\w+\b(?!\.)/g,
    )) {
      expect(recorded, page).toContain(series)
    }
  }
})
