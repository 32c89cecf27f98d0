import { expect, test } from 'vitest'
import { mutantsOf } from './mutants.ts'
import { parsePromql } from './promql.ts'
import { parseRuleFile } from './rule-file.ts'

function mutationsOf(expr: string, forText = '0s') {
  const text = `groups:\n  - name: g\n    rules:\n      - alert: A\n        expr: ${JSON.stringify(expr)}\n        for: ${forText}\n`
  const rule = parseRuleFile(text, 'a.yml')[0]?.rules[0]
  if (!rule) throw new Error('no rule')
  return mutantsOf(rule, { intervalMs: 15_000 })
}

const exprs = (expr: string, kind: string) =>
  mutationsOf(expr)
    .mutants.filter((one) => one.kind === kind)
    .map((one) => one.expr)

test('each kind of change is made at its place alone', () => {
  const expr = 'sum by (job, code) (rate(x_total{a="1",b!~"2"}[5m])) > 0.2'
  expect(exprs(expr, 'threshold')).toEqual([expr.replace('0.2', '0.25'), expr.replace('0.2', '0.15')])
  expect(exprs(expr, 'comparison')).toEqual(['==', '!=', '<', '<='].map((op) => expr.replace('>', op)))
  expect(exprs(expr, 'metric')).toEqual([expr.replace('x_total', 'x_total_x')])
  expect(exprs(expr, 'matcher').map((one) => /\{.*\}/.exec(one)?.[0])).toEqual([
    '{a!="1",b!~"2"}',
    '{b!~"2"}',
    '{a="1",b=~"2"}',
    '{a="1"}',
  ])
  expect(exprs(expr, 'aggregation').map((one) => /^\w+ by \([^)]*\)/.exec(one)?.[0])).toEqual([
    'max by (job, code)',
    'avg by (job, code)',
    'sum by (code)',
    'sum by (job)',
  ])
  expect(exprs(expr, 'window')).toEqual([expr.replace('5m', '2m30s'), expr.replace('5m', '10m')])
})

test('every mutant is another valid expression', () => {
  for (const expr of [
    '{__name__="x", a="1"} > 1',
    '{"x.y", a="1"} == 0',
    'max_over_time((sum(a{b="c",}) / sum(a))[10m:1m]) >= 0.9',
    '5 < count(up{job="a"} == 0) by (job)',
  ]) {
    const { mutants } = mutationsOf(expr)
    expect(mutants.length).toBeGreaterThan(4)
    for (const mutant of mutants) {
      expect(() => parsePromql(mutant.expr), mutant.expr).not.toThrow()
      expect(mutant.expr).not.toBe(expr)
    }
    expect(new Set(mutants.map((one) => one.expr)).size).toBe(mutants.length)
  }
})

test('for is halved, doubled and taken away; what needs as many evaluations is told as the same', () => {
  const long = mutationsOf('up == 0', '2m').mutants.filter(({ kind }) => kind === 'for')
  expect(long.map(({ forMs }) => forMs)).toEqual([60_000, 240_000, 0])
  const short = mutationsOf('up == 0', '15s')
  expect(short.mutants.filter(({ kind }) => kind === 'for').map(({ forMs }) => forMs)).toEqual([30_000, 0])
  expect(short.skipped).toContainEqual({
    what: 'for 15s -> 7s500ms (halved)',
    reason: 'both need the same number of evaluations',
  })
})

test('comparisons that the range of the value makes the same are left out, with the reason', () => {
  expect(mutationsOf('up == 0').skipped).toEqual([
    { what: 'comparison == -> <= 0', reason: 'the value is never below 0' },
  ])
  expect(mutationsOf('rate(x_total[5m]) > 3').skipped).toEqual([
    { what: 'comparison > -> >= 3', reason: 'a computed fraction is hardly ever exactly 3' },
  ])
  expect(mutationsOf('queue_depth > 10').skipped).toEqual([])
})
