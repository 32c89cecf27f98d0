import { expect, test } from 'vitest'
import { routesOf } from '../../lib/route-tree.ts'
import { parseAlertmanagerFile } from './alertmanager-file.ts'
import { derive } from './derive.ts'

/** States and reasons of the routes below the root, given as YAML. */
function derived(routes: string) {
  const { root } = parseAlertmanagerFile(
    `route:\n  receiver: a\n  routes:\n${routes}\nreceivers: [{name: a}]`,
    'am.yml',
  )
  return derive(root).map((one) => {
    for (const { labels } of one.probes) expect(routesOf(labels, root)).toContain(one.route)
    return { state: one.state, reason: one.reason, labels: one.probes.map(({ labels }) => labels) }
  })
}

test('a label set is found past siblings that take what they match', () => {
  const [, , second, third] = derived(
    ['team="x"', 'team=~"x|y"', 'team!="y"'].map((line) => `    - matchers: ['${line}']`).join('\n'),
  )
  expect(second).toMatchObject({ state: 'answers', labels: [{ team: 'y', alertname: 'MusterProbe' }] })
  expect(third).toMatchObject({ state: 'answers', labels: [{ alertname: 'MusterProbe' }] })
})

test('each value that a regular expression lists is sent', () => {
  expect(derived(`    - matchers: ['team=~"(web|mobile)-[a-z]+"']`)[1]?.labels).toEqual([
    { team: 'web-a', alertname: 'MusterProbe' },
    { team: 'mobile-a', alertname: 'MusterProbe' },
  ])
})

test('a sibling that takes everything before is named', () => {
  expect(derived(`    - matchers: ['team=~"w.*"']\n    - matchers: [team=web, severity=critical]`)[2]).toEqual({
    state: 'unreachable',
    reason: 'route.routes[0] (line 4) takes every such alert before it, without continue',
    labels: [],
  })
})

test('siblings that only together take everything are named together', () => {
  const routes = ['severity="a"', 'severity!="a"', 'team=x'].map((line) => `    - matchers: ['${line}']`).join('\n')
  const [root, , , third] = derived(routes)
  expect(third?.reason).toBe('route.routes[0], route.routes[1] together take every such alert before it')
  expect(root?.state).toBe('entered')
})

test('continue lets the next sibling have its share', () => {
  expect(derived(`    - {matchers: [], continue: true}\n    - matchers: [team=x]`)[2]?.state).toBe('answers')
})

test('contradictions with itself and with the route above are told apart', () => {
  const [, , child, self] = derived(
    `    - {matchers: [team=x], routes: [{matchers: [team=y]}]}\n    - matchers: [a=b, a=c]`,
  )
  expect(child?.reason).toBe('its matchers contradict those of route.routes[0] above it')
  expect(self?.reason).toBe('its matchers contradict each other')
})

test('a route whose children take all of it never answers itself', () => {
  expect(derived(`    - {matchers: [team=x], routes: [{matchers: ['a=""']}, {matchers: ['a!=""']}]}`)[1]?.state).toBe(
    'entered',
  )
})
