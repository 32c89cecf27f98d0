import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { docsFolder } from '../../reports/check-docs.ts'
import { documents } from './documents.ts'
import { settings } from './settings.ts'

const written = documents()
const remedy = 'run `node --import tsx cli/docs/generate.ts`'

it.each([...written.keys()])('docs/%s is what it is made of', (path) => {
  const file = new URL(path, docsFolder)
  expect(existsSync(file) ? readFileSync(file, 'utf8') : undefined, remedy).toBe(written.get(path))
})

it('docs/checks/ holds no page of a check that is gone', () => {
  const pages = readdirSync(new URL('checks/', docsFolder)).map((name) => `checks/${name}`)
  expect(
    pages.filter((page) => !written.has(page)),
    remedy,
  ).toEqual([])
})

it('every setting of the config has a meaning', () => {
  const all = settings()
  expect(all.length).toBeGreaterThan(100)
  expect(all.filter(({ meaning }) => meaning === '').map(({ path }) => path)).toEqual([])
})
