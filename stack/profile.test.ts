import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { inProfile } from './profile.ts'

function expression(expr: string): string {
  const text = inProfile('quick', 'rules', JSON.stringify({ groups: [{ name: 'a', rules: [{ expr }] }] }), 'a.yml')
  return parse(text).groups[0].rules[0].expr
}

describe('the quick profile', () => {
  test.each([
    ['rate(x[5m])', 'rate(x[10s])'],
    ['rate(x[1h])', 'rate(x[120s])'],
    ['rate(x[1h30m])', 'rate(x[180s])'],
    ['rate(x[10s])', 'rate(x[10s])'],
    ['rate(x[2s])', 'rate(x[2s])'],
    ['x[600] offset -1w', 'x[20s] offset -20160s'],
    ['max_over_time(rate(x[5m])[1h:30s])', 'max_over_time(rate(x[10s])[120s:2s])'],
    ['max_over_time(x[1h:])', 'max_over_time(x[120s:])'],
    ['rate(x{a="[5m]"}[5m])', 'rate(x{a="[5m]"}[10s])'],
  ])('%s becomes %s', (operator, quick) => {
    expect(expression(operator)).toBe(quick)
  })

  test.each([
    ['webhook_queue_depth > 10000', 'webhook_queue_depth > 500'],
    ['1e4 <= sum(webhook_queue_depth{job="a"})', '500 <= sum(webhook_queue_depth{job="a"})'],
    ['webhook_queue_depth * 100 > 10000', 'webhook_queue_depth * 100 > 500'],
    ['queue_depth > 10000', 'queue_depth > 10000'],
    ['webhook_queue_depth == 0', 'webhook_queue_depth == 0'],
    ['x{a="webhook_queue_depth"} > 100', 'x{a="webhook_queue_depth"} > 100'],
  ])('the threshold of the queue alone is smaller: %s', (operator, quick) => {
    expect(expression(operator)).toBe(quick)
  })

  test.each(['predict_linear(x[10s], 3600) > 5', 'x[5m * 2]', 'x offset (5m * 2)', 'x > )', 'vector(300)'])(
    '%s stays',
    (text) => {
      expect(expression(text)).toBe(text)
    },
  )

  test('holds, intervals and no labels or annotations of a rule file are shortened', () => {
    const rules = `
groups:
  - name: a # kept
    interval: 30s
    rules:
      - alert: A
        expr: |
          rate(x[5m])
            > 1
        for: 2m
        keep_firing_for: 10m
        labels: { for: 2m, interval: 15m }
        annotations: { expr: "rate(x[5m])", summary: five }
      - { record: x:rate5m, expr: "rate(x[5m])", for: 0s }
`
    const quick = inProfile('quick', 'rules', rules, 'rules/a.yml')
    expect(parse(quick)).toEqual({
      groups: [
        {
          name: 'a',
          interval: '2s',
          rules: [
            {
              alert: 'A',
              expr: 'rate(x[10s])\n  > 1\n',
              for: '3s',
              keep_firing_for: '10s',
              labels: { for: '2m', interval: '15m' },
              annotations: { expr: 'rate(x[5m])', summary: 'five' },
            },
            { record: 'x:rate5m', expr: 'rate(x[10s])', for: '0s' },
          ],
        },
      ],
    })
    expect(quick).toMatch(/^# The quick profile of rules\/a\.yml/)
    expect(quick).toContain('# kept')
  })

  test("Prometheus' and Alertmanager's own times are shortened", () => {
    const prometheus = 'global: { scrape_interval: 15s, scrape_timeout: 10s, evaluation_interval: 15s }\n'
    expect(parse(inProfile('quick', 'prometheus', prometheus, 'p')).global).toEqual({
      scrape_interval: '1s',
      scrape_timeout: '1s',
      evaluation_interval: '1s',
    })
    const route = { group_wait: '30s', group_interval: '5m', repeat_interval: '4h', routes: [{ group_wait: '10s' }] }
    const alertmanager = inProfile('quick', 'alertmanager', JSON.stringify({ route }), 'a')
    expect(parse(alertmanager).route).toEqual({
      group_wait: '1s',
      group_interval: '2s',
      repeat_interval: '4h',
      routes: [{ group_wait: '1s' }],
    })
  })

  test('what is no YAML is left to the backend', () => {
    expect(inProfile('quick', 'rules', 'groups: [', 'a')).toBe('groups: [')
  })
})

test("the operator's profile is the file itself", () => {
  const text = 'groups:   [] # as it stands\n'
  expect(inProfile('operator', 'rules', text, 'a')).toBe(text)
})
