import { expect, test } from 'vitest'
import { UsageError } from '../../lib/errors.ts'
import { parseRuleFile } from './rule-file.ts'

const text = `groups:
  - name: services
    interval: 15s
    labels: { team: web }
    rules:
      - alert: Errors
        expr: |
          sum(rate(errors[5m]))
            / sum(rate(all[5m])) > 0.05
        for: 2m
        labels: { severity: critical }
        annotations:
          summary: "It \\"answers\\" {{ $labels.job }}"
      - record: job:up
        expr: sum by (job) (up)
`

test('groups and rules come with their times, labels and places', () => {
  const [group] = parseRuleFile(text, 'a.yml')
  expect(group).toMatchObject({ name: 'services', intervalMs: 15_000 })
  const [alert, record] = group?.rules ?? []
  expect(alert).toMatchObject({
    kind: 'alert',
    name: 'Errors',
    forMs: 120_000,
    keepFiringForMs: 0,
    labels: { team: 'web', severity: 'critical' },
    line: 6,
  })
  expect(record).toMatchObject({ kind: 'record', name: 'job:up', forMs: 0, line: 14 })
})

test('an offset into an expression or annotation is a line and column of the file', () => {
  const [alert, record] = parseRuleFile(text, 'a.yml')[0]?.rules ?? []
  const place = (needle: string) => {
    const before = text.slice(0, text.indexOf(needle))
    return { line: before.split('\n').length, column: before.length - before.lastIndexOf('\n') }
  }
  expect(alert?.locate('expr', alert.expr.indexOf('all'))).toEqual(place('all[5m]'))
  expect(alert?.locate('expr', alert.expr.indexOf('0.05'))).toEqual(place('0.05'))
  expect(alert?.locate('for')).toEqual(place('2m'))
  const summary = alert?.annotations.summary ?? ''
  expect(alert?.locate('annotations.summary', summary.indexOf('{{'))).toEqual(place('{{'))
  expect(record?.locate('expr', 5)).toEqual(place('y (job) (up)'))
  expect(record?.locate('for')).toEqual({ line: 14, column: 9 })
})

test.each([
  ['groups: [', 'a.yml:1:10: this is no YAML'],
  ['route: {receiver: a}', 'a configuration of Alertmanager'],
  ['scrape_configs: []', 'a configuration of Prometheus'],
  ['tests: []', 'a test file of promtool'],
  ['', 'a.yml is empty'],
  ['groups:\n  - name: a\n    rules:\n      - alert: B\n        expr: up\n        for: soon\n', 'a.yml:6:14'],
  ['groups:\n  - name: a\n    rules:\n      - alert: B\n        expression: up\n', 'a.yml:4:9'],
  ['groups:\n  - name: a\n    rules:\n      - expr: up\n', 'either alert or record'],
])('%j is refused in one sentence that names the place', (broken, message) => {
  expect(() => parseRuleFile(broken, 'a.yml')).toThrow(UsageError)
  expect(() => parseRuleFile(broken, 'a.yml')).toThrow(message)
})
