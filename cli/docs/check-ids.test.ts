import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { signals } from '../../lib/verdict.ts'
import { docsFolder, documentedCheck, documentedChecks, explainCommand } from '../../reports/check-docs.ts'
import { parseSabotages } from './check-pages.ts'

const validators = fileURLToPath(new URL('../../validators/', import.meta.url))
const sources = readdirSync(validators, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
  .map((path) => ({ path: path.replaceAll('\\', '/'), text: readFileSync(join(validators, path), 'utf8') }))

/** Where the first part of an id stands apart from the rest, which is handed to a function of that name. */
const composed: readonly (readonly [path: RegExp, call: string, prefix: string])[] = [
  [/^signals\/load\.ts$/, 'about', 'load.'],
  [/^signals\/metrics\.ts$/, 'about', 'metrics.'],
  [/^signals\/traces\.ts$/, 'check', 'traces.'],
  [/^signals\/stack\.ts$/, 'check', 'stack.'],
  [/^live\/checks\.ts$/, 'check', 'live.'],
  [/^alerts\//, 'told', 'alerts.'],
  [/^routes\//, 'skippedCheck', 'alerts.route.'],
]

/** Ids as the sources have them; a name of the config's is a dot at the end. */
function idsInSources(): string[] {
  const whole = new RegExp(`\\bid: [\`']((?:${[...signals, 'live'].join('|')})\\.[a-z][\\w.-]*)`, 'g')
  return sources.flatMap(({ path, text }) => {
    const parts = composed
      .filter(([where]) => where.test(path))
      .flatMap(([, call, prefix]) =>
        [...text.matchAll(new RegExp(`\\b${call}\\(\\s*[\`']([a-z][\\w.-]*)`, 'g'))].map(([, id]) => prefix + id),
      )
    return [...[...text.matchAll(whole)].flatMap(([, id = '']) => id), ...parts]
  })
}

const named = (id: string) => (id.endsWith('.') ? `${id}some.name` : id)
const prefixes = new Set(['slo.proof.', 'alerts.rules.live.', 'alerts.rules.mutation.', 'alerts.route.'])
const emitted = idsInSources().filter((id) => !prefixes.has(id))

it('the sources have ids of every signal', () => {
  expect(new Set(emitted.map((id) => id.split('.')[0]))).toEqual(new Set([...signals, 'live']))
  expect(new Set(emitted).size).toBeGreaterThan(50)
})

it.each([...new Set(emitted)])('there is a page for %s', (id) => {
  // Services have most of their checks by name, which the source adds at another place.
  const page = documentedCheck(named(id)) ?? documentedCheck(`${id}.some.name`)
  expect(page?.page).toBeDefined()
})

const sabotages = parseSabotages(readFileSync(new URL('sabotages.md', docsFolder), 'utf8'))

it('there is a page for whatever caught a sabotage', () => {
  expect(sabotages.length).toBeGreaterThan(100)
  expect(sabotages.filter(({ id }) => documentedCheck(id) === undefined).map(({ id }) => id)).toEqual([])
})

it.each(documentedChecks().map(({ pattern }) => pattern))('%s is the id of a check that exists', (pattern) => {
  const literal = pattern.replace(/\.<.*$/, '')
  // From the whole id to its last part: somewhere the sources must say it, as a text of its own or at its beginning.
  const endings = literal.split('.').map((_, n, parts) => parts.slice(n).join('.'))
  const said = endings.some((ending) => {
    const quoted = new RegExp(`[\`'"]${ending.replace(/[.-]/g, '\\$&')}[\`'".$]|^  ${ending}:|^  '${ending}':`, 'm')
    return sources.some(({ text }) => quoted.test(text))
  })
  expect(said).toBe(true)
})

it.each([
  ['metrics.request-count.todos', 'metrics.request-count'],
  ['load.threshold.http_req_duration{phase:recovery}.p(95)', 'load.threshold'],
  ['alerts.delivered.GatewayHighErrorRate.slack-platform', 'alerts.delivered'],
  ['alerts.route.grouping', 'alerts.route.grouping'],
  ['alerts.route.grouping.route.routes[2]', 'alerts.route.grouping.route'],
  ['alerts.rules.snapshot.TodosDown', 'alerts.rules.snapshot.rule'],
  ['slo.proof.excluded.shop-availability.route', 'slo.proof.excluded'],
  ['slo.proof.excluded-failing.shop-availability', 'slo.proof.excluded-failing'],
])('%s is explained by the page %s', (id, page) => {
  expect(explainCommand(id)).toBe(`muster explain ${page}`)
})

it('nothing explains what is no check', () => {
  expect(explainCommand('other.thing')).toBeUndefined()
})
