import { describe, expect, test } from 'vitest'
import { UsageError } from '../../lib/errors.ts'
import { allRoutes } from '../../lib/route-tree.ts'
import { parseAlertmanagerFile } from './alertmanager-file.ts'

const read = (text: string) => parseAlertmanagerFile(text, 'am.yml')
const receivers = 'receivers: [{name: a}, {name: b}]'

describe('an Alertmanager file', () => {
  test('hands down what a route does not say, but for time intervals and matchers', () => {
    const { root } = read(`
route:
  receiver: a
  group_by: [alertname]
  group_wait: 5s
  routes:
    - matchers: [team=x]
      continue: yes
      mute_time_intervals: [night]
      routes:
        - receiver: b
          group_by: ['...']
          repeat_interval: 1d
${receivers}
time_intervals: [{name: night, time_intervals: [{times: [{start_time: '00:00', end_time: '06:00'}]}]}]
`)
    expect(allRoutes(root).map(({ matchers: _, routes: __, ...rest }) => rest)).toMatchObject([
      { path: 'route', line: 2, receiver: 'a', groupBy: ['alertname'], groupWaitMs: 5000, groupIntervalMs: 300_000 },
      { path: 'route.routes[0]', line: 7, receiver: 'a', continue: true, muteTimeIntervals: ['night'] },
      {
        path: 'route.routes[0].routes[0]',
        line: 11,
        receiver: 'b',
        groupBy: ['...'],
        groupWaitMs: 5000,
        repeatIntervalMs: 86_400_000,
        continue: false,
        muteTimeIntervals: [],
      },
    ])
  })

  test('takes scalars as they are written, whatever YAML makes of them', () => {
    const { root } = read(`route: {receiver: a, routes: [{match: {code: 0500, on: yes}}]}\n${receivers}`)
    expect(root.routes[0]?.matchers.map(({ name, value }) => [name, value])).toEqual([
      ['code', '0500'],
      ['on', 'yes'],
    ])
  })

  test('resolves anchors and merge keys', () => {
    const { root } = read(
      `route:\n  receiver: a\n  routes:\n    - &x {receiver: b, matchers: [a=b]}\n    - {<<: *x, matchers: [c=d]}\n${receivers}`,
    )
    expect(root.routes[1]).toMatchObject({ receiver: 'b', matchers: [{ name: 'c' }] })
  })
})

describe('a file that Alertmanager would not load is refused with line and path:', () => {
  test.each([
    ['route: [', 'is not YAML'],
    ['', 'holds no settings'],
    ['global: {}', 'has no route'],
    ['scrape_configs: []', "Prometheus' configuration"],
    ['groups: []', 'Prometheus rules'],
    [`route: {receiver: c}\n${receivers}`, 'am.yml:1 route.receiver names the receiver "c", which is not defined'],
    [`route: {receiver: a, routes: [{receiver: bb}]}\nreceivers: [{name: a}, {name: bbb}]`, 'did you mean "bbb"?'],
    [`route: {}\n${receivers}`, 'has no receiver'],
    [`route: {receiver: a, matchers: [x=y]}\n${receivers}`, 'root must take every alert'],
    [`route: {receiver: a, continue: true}\n${receivers}`, 'cannot be true at the root'],
    [
      `route:\n  receiver: a\n  routes:\n    - matchers: ['x=~"("']\n${receivers}`,
      'am.yml:4 route.routes[0].matchers[0] is no matcher',
    ],
    [`route: {receiver: a, routes: [{match_re: {x: '['}}]}\n${receivers}`, 'route.routes[0].match_re.x is no matcher'],
    [`route: {receiver: a, group_wait: 5}\n${receivers}`, '"5" is no duration'],
    [`route: {receiver: a, repeat_interval: 0s}\n${receivers}`, 'must not be zero'],
    [`route: {receiver: a, group_by: [x, '...']}\n${receivers}`, 'cannot have ... and labels'],
    [`route: {receiver: a, reciever: b}\n${receivers}`, 'reciever'],
    [
      `route: {receiver: a, routes: [{mute_time_intervals: [n]}]}\n${receivers}`,
      'time interval "n", which is not defined',
    ],
    [`route: {receiver: a}\nreceivers: [{name: a}, {name: a}]`, '"a" is defined twice'],
    [`route: {receiver: a}\nreceivers: [{name: a, slak_configs: []}]`, 'slak_configs'],
  ])('%j', (text, message) => {
    expect(() => read(text)).toThrow(UsageError)
    expect(() => read(text)).toThrow(message)
  })

  test('all problems at once, in the order of lines', () => {
    expect(() => read('route:\n  receiver: x\n  routes:\n    - receiver: y\nreceivers: []')).toThrow(
      /2 problems:\nam\.yml:2 .*"x".*\nam\.yml:4 .*"y"/,
    )
  })
})
