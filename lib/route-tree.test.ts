import { expect, test } from 'vitest'
import { type Labels, parseMatchers } from './matcher.ts'
import { allRoutes, type Route, routesOf } from './route-tree.ts'

function route(receiver: string, matchers: string, routes: readonly Route[] = [], more: Partial<Route> = {}): Route {
  return {
    path: receiver,
    line: 1,
    receiver,
    groupBy: [],
    groupWaitMs: 0,
    groupIntervalMs: 0,
    repeatIntervalMs: 0,
    matchers: parseMatchers(matchers),
    continue: false,
    muteTimeIntervals: [],
    activeTimeIntervals: [],
    routes,
    ...more,
  }
}

const tree = route('root', '', [
  route('copy', 'a!=""', [], { continue: true }),
  route('web', 'team="web"', [route('web-page', 'severity="critical"')]),
  route('late', 'team="web"'),
  route('rest', 'team!="web", a="1"'),
])
const told = (labels: Labels) => routesOf(labels, tree).map(({ receiver }) => receiver)

test('the deepest match answers, siblings end at the first that does not continue', () => {
  expect(told({ team: 'web', severity: 'critical' })).toEqual(['web-page'])
  expect(told({ team: 'web', severity: 'info' })).toEqual(['web'])
  expect(told({ team: 'web', a: '2' })).toEqual(['copy', 'web'])
  expect(told({ a: '1' })).toEqual(['copy', 'rest'])
})

test('the root answers only where no child does', () => {
  expect(told({})).toEqual(['root'])
  expect(told({ a: '2' })).toEqual(['copy'])
})

test('the routes of a tree are listed each before its children', () => {
  expect(allRoutes(tree).map(({ receiver }) => receiver)).toEqual(['root', 'copy', 'web', 'web-page', 'late', 'rest'])
})
