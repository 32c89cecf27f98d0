import { expect, test } from 'vitest'
import { formatPrometheusDuration, parsePrometheusDuration } from '../../lib/prometheus-duration.ts'
import { constantOf, selectorsOf, thresholdsOf } from './expression.ts'
import { mayHave, outputLabels } from './output-labels.ts'
import { type Expr, PromqlError, parsePromql } from './promql.ts'
import { numberOf, stringOf } from './promql-literal.ts'

test('a selector is read with its matchers, range and offset', () => {
  const expr = parsePromql('rate(x{a="1",b!~"2.*"}[5m] offset -1m)')
  const [selector] = selectorsOf(expr)
  expect(selector).toMatchObject({ metric: 'x', rangeMs: 300_000, offsetMs: -60_000, pinned: false })
  expect(selector?.matchers.map(({ label, op, value }) => [label, op, value])).toEqual([
    ['a', '=', '1'],
    ['b', '!~', '2.*'],
  ])
})

test.each([
  ['{"http.requests", a="b"}', 'http.requests'],
  ['{__name__="up"}', 'up'],
  ['{__name__=~"up|down"}', undefined],
])('the metric of %s is %s', (text, metric) => {
  expect(selectorsOf(parsePromql(text))[0]?.metric).toBe(metric)
})

test('spans point at the very characters', () => {
  const text = 'sum by (job) (rate(x{a="1"}[5m])) > bool on(a) group_left(c) (2)'
  const expr = parsePromql(text)
  const cut = ({ from, to }: { from: number; to: number }) => text.slice(from, to)
  if (expr.kind !== 'binary' || expr.left.kind !== 'aggregation') throw new Error('another shape')
  expect(cut(expr.opSpan)).toBe('>')
  expect(expr).toMatchObject({ bool: true, matching: { on: true, labels: ['a'], group: 'left', include: ['c'] } })
  expect(cut(expr.left.opSpan)).toBe('sum')
  expect(expr.left.grouping && cut(expr.left.grouping)).toBe('by (job)')
  const [selector] = selectorsOf(expr)
  expect(selector?.rangeSpan && cut(selector.rangeSpan)).toBe('5m')
  expect(selector?.matchers[0] && cut(selector.matchers[0].valueSpan)).toBe('"1"')
})

test('subqueries, @ and computed ranges are read', () => {
  expect(parsePromql('max_over_time((rate(x[5m]) > 3)[30m:1m] @ end())')).toMatchObject({
    args: [{ kind: 'subquery', rangeMs: 1_800_000, stepMs: 60_000, pinned: true }],
  })
  expect(selectorsOf(parsePromql('rate(x[step()])'))[0]?.rangeMs).toBeNaN()
})

test.each<[string, readonly (number | undefined)[]]>([
  ['x offset 15m or y offset 45m', [900_000, 2_700_000]],
  ['x or y offset 5m > 3', [0, 300_000]],
  ['x - x offset 1w', [0, 604_800_000]],
  ['max_over_time((x + y offset 5m)[10m:1m] offset 1h)', [0, 300_000]],
  ['x{offset="1"} # offset 5m', [0]],
  ['sum by (offset) (x offset -5m)', [-300_000]],
  ['x offset (2 * 5m)', [undefined]],
])('an offset in %s belongs to the selector before it', (text, offsets) => {
  expect(selectorsOf(parsePromql(text)).map(({ offsetMs }) => offsetMs)).toEqual(offsets)
})

test('an @ belongs to the selector before it, too', () => {
  expect(selectorsOf(parsePromql('x @ 100 + y @ end() - z')).map(({ pinned }) => pinned)).toEqual([true, true, false])
})

test.each([
  ['sum(x) offset 5m', 7, 'only a selector or a subquery'],
  ['sum(rate(x[5m]) > ', 18, 'ends too early'],
  ['foo(x) > 1', 3, '"foo" is no function of PromQL'],
  ['x > 1 )', 6, '")" is not expected there'],
  ['', 0, 'ends too early'],
])('%j is refused with its place', (text, offset, message) => {
  let error: unknown
  try {
    parsePromql(text)
  } catch (thrown) {
    error = thrown
  }
  expect(error).toBeInstanceOf(PromqlError)
  expect(error).toMatchObject({ offset, message: expect.stringContaining(message) })
})

test('constants are computed, and a comparison is turned so that the constant stands right', () => {
  expect(constantOf(parsePromql('14.4 * (1 - 0.999)'))).toBeCloseTo(0.0144)
  expect(thresholdsOf(parsePromql('0.05 < a / b and c >= 3'))).toMatchObject([
    { op: '>', value: 0.05 },
    { op: '>=', value: 3 },
  ])
  expect(thresholdsOf(parsePromql('a > b'))).toEqual([])
})

test.each<[string, string, readonly boolean[]]>([
  ['sum by (job) (rate(x[5m])) > 1', 'instance', [false]],
  ['sum by (job) (rate(x[5m])) > 1', 'job', [true]],
  ['sum without (instance) (x)', 'instance', [false]],
  ['sum without (instance) (x)', 'job', [true]],
  ['sum(x)', 'job', [false]],
  ['x > 1', 'job', [true]],
  ['topk(3, x)', 'job', [true]],
  ['absent(up{job="a", env=~"b"})', 'job', [true]],
  ['absent(up{job="a", env=~"b"})', 'env', [false]],
  ['up == 0 or absent(up{job="a"})', 'instance', [true, false]],
  ['a / on (job) b', 'instance', [false]],
  ['a / ignoring (code) b', 'code', [false]],
  ['a * on (job) group_left (team) b', 'team', [true]],
  ['sum by (job) (a) * on (job) group_left (team) b', 'team', [true]],
  ['histogram_quantile(0.9, sum by (le, job) (rate(x[5m])))', 'le', [false]],
  ['histogram_quantile(0.9, sum by (le, job) (rate(x[5m])))', 'job', [true]],
  ['label_replace(sum(x), "host", "$1", "instance", "(.*)")', 'host', [true]],
  ['sum by (job) (a) and on (job) b', 'instance', [false]],
  ['vector(1) > 0', 'job', [false]],
  ['rate(x[5m])', '__name__', [false]],
  ['sum by (job) (sum by (team) (x))', 'job', [false]],
  ['count_values("version", x)', 'version', [true]],
])('in %s the label %s may be there: %j', (text, label, expected) => {
  expect(outputLabels(parsePromql(text)).map((one) => mayHave(one, label))).toEqual(expected)
})

test('a recorded metric has the labels that its rule leaves', () => {
  const recorded = (metric: string) => (metric === 'job:x' ? outputLabels(parsePromql('sum by (job) (x)')) : undefined)
  const branches = (expr: Expr, label: string) => outputLabels(expr, recorded).map((one) => mayHave(one, label))
  expect(branches(parsePromql('job:x > 1'), 'instance')).toEqual([false])
  expect(branches(parsePromql('job:y > 1'), 'instance')).toEqual([true])
})

test.each([
  ['1e3', 1000],
  ['0x1f', 31],
  ['1_000', 1000],
  ['-Inf', Number.NEGATIVE_INFINITY],
  ['5m', 300],
  ['0', 0],
  ['1h30m', 5400],
  ['250ms', 0.25],
])('the number %s is %d', (text, value) => expect(numberOf(text)).toBe(value))

test('durations and strings are read as Prometheus reads them', () => {
  expect(parsePrometheusDuration('1w2d')).toBe(9 * 86_400_000)
  expect(parsePrometheusDuration('5')).toBeUndefined()
  expect(parsePrometheusDuration('2d1w')).toBeUndefined()
  expect(formatPrometheusDuration(5_400_250)).toBe('1h30m250ms')
  expect(formatPrometheusDuration(0)).toBe('0s')
  expect(stringOf(String.raw`"a\"b\n\\"`)).toBe('a"b\n\\')
  expect(stringOf('`a\\n`')).toBe('a\\n')
})
