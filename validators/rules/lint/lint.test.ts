import { expect, test } from 'vitest'
import { parseRules, Recordings } from '../recordings.ts'
import { parseRuleFile } from '../rule-file.ts'
import type { LintContext, LintName } from './finding.ts'
import { findingsOf, lineOf, lintResults } from './lint.ts'

interface Sample {
  readonly expr: string
  readonly more?: string
  /** Further rules, as YAML items. */
  readonly rules?: string
  readonly types?: Readonly<Record<string, string>>
}

const sound = { severity: 'warning', runbook: 'https://example.org/a' }

function contextOf({ expr, more = '', rules = '', types }: Sample): LintContext {
  const text = `groups:
  - name: g
    interval: 15s
    rules:
${rules}      - alert: A
        expr: ${JSON.stringify(expr)}
        labels: { severity: ${sound.severity} }
        annotations: { runbook_url: "${sound.runbook}" }
${more}`
  const parsed = parseRules(parseRuleFile(text, 'a.yml'))
  return {
    rules: parsed,
    recordings: new Recordings(parsed),
    defaultInterval: { ms: 60_000, known: false },
    ...(types ? { metricTypes: new Map(Object.entries(types)) } : {}),
  }
}

const record = (name: string, expr: string) => `      - record: ${name}\n        expr: ${JSON.stringify(expr)}\n`
const ratio = (threshold: string, window = '5m') =>
  `sum(rate(r_total{code=~"5.."}[${window}])) / sum(rate(r_total[${window}])) > ${threshold}`

test.each<[LintName, 'error' | 'note', Sample]>([
  ['rate-on-gauge', 'error', { expr: 'rate(queue_depth[5m]) > 1' }],
  ['rate-on-gauge', 'note', { expr: 'rate(things[5m]) > 1' }],
  ['rate-on-gauge', 'error', { expr: 'rate(things[5m]) > 1', types: { things: 'gauge' } }],
  ['rate-on-gauge', 'error', { expr: 'rate(job:r[5m]) > 1', rules: record('job:r', 'sum(rate(r_total[5m]))') }],
  ['for-too-short', 'error', { expr: 'x > 1', more: '        for: 20s' }],
  [
    'value-in-label',
    'error',
    {
      expr: 'x > 1',
      rules: '      - alert: B\n        expr: x > 1\n        labels: { severity: info, v: "{{ $value }}" }\n',
    },
  ],
  ['missing-severity', 'error', { expr: 'x > 1', rules: '      - alert: B\n        expr: x > 1\n' }],
  [
    'missing-runbook',
    'error',
    { expr: 'x > 1', rules: '      - alert: B\n        expr: x > 1\n        labels: { severity: page }\n' },
  ],
  [
    'missing-runbook',
    'note',
    { expr: 'x > 1', rules: '      - alert: B\n        expr: x > 1\n        labels: { severity: info }\n' },
  ],
  ['up-without-absent', 'error', { expr: 'up{job="a"} == 0' }],
  ['up-without-absent', 'error', { expr: 'up{job=~"a|b"} == 0 or absent(up{job="a"})' }],
  ['up-without-absent', 'error', { expr: 'sum by (job) (up) < 1' }],
  ['division-by-zero', 'error', { expr: 'rate(errors_total[5m]) / rate(all_total[5m]) > 0.1' }],
  ['division-by-zero', 'error', { expr: 'x / 0 > 1' }],
  ['division-by-zero', 'note', { expr: ratio('0.05') }],
  ['division-by-zero', 'note', { expr: 'free_bytes / size_bytes < 0.1' }],
  ['unreachable-threshold', 'error', { expr: ratio('1') }],
  ['unreachable-threshold', 'error', { expr: ratio('14.4 * (1 - 0.93)') }],
  ['unreachable-threshold', 'error', { expr: `100 * (${ratio('0.5').replace(' > 0.5', '')}) > 100` }],
  ['unreachable-threshold', 'error', { expr: 'job:errors:ratio_rate1h > 14.4 * 0.1' }],
  ['unreachable-threshold', 'error', { expr: 'rate(e_total[5m]) / rate(a_total[5m]) > 14.4 * 0.1' }],
  ['unreachable-threshold', 'error', { expr: 'up > 1' }],
  ['unreachable-threshold', 'error', { expr: 'r:share > 2', rules: record('r:share', ratio('1').replace(' > 1', '')) }],
])('%s finds an %s in %j', (lint, level, sample) => {
  const found = findingsOf(contextOf(sample)).filter((one) => one.lint === lint)
  expect(found.map((one) => one.level)).toEqual([level])
})

test.each<[LintName, Sample]>([
  ['rate-on-gauge', { expr: 'rate(r_total[5m]) > 1' }],
  ['rate-on-gauge', { expr: 'rate(latency_seconds_count[5m]) > 1', types: { latency_seconds: 'histogram' } }],
  ['rate-on-gauge', { expr: 'rate(things_ratio[5m]) > 1', types: { things_ratio: 'counter' } }],
  ['for-too-short', { expr: 'x > 1', more: '        for: 30s' }],
  ['for-too-short', { expr: 'x > 1' }],
  ['up-without-absent', { expr: 'up{job=~"a|b"} == 0 or absent(up{job="a"}) or absent(up{job="b"})' }],
  ['up-without-absent', { expr: 'up == 1' }],
  ['division-by-zero', { expr: 'rate(errors_total[5m]) / (rate(all_total[5m]) > 0) > 0.1' }],
  ['division-by-zero', { expr: '(rate(errors_total[5m]) / rate(all_total[5m]) > 0.1) and rate(all_total[5m]) > 0' }],
  ['division-by-zero', { expr: 'rate(errors_total[5m]) / clamp_min(rate(all_total[5m]), 1) > 0.1' }],
  ['division-by-zero', { expr: 'x / 1024 > 1' }],
  ['unreachable-threshold', { expr: ratio('0.99') }],
  ['unreachable-threshold', { expr: ratio('14.4 * (1 - 0.94)') }],
  ['unreachable-threshold', { expr: 'rate(bytes_total[5m]) > 60 * 0.1' }],
  ['unreachable-threshold', { expr: 'rate(bytes_total[5m]) / rate(requests_total[5m]) > bool 1000' }],
  ['unreachable-threshold', { expr: `1 - ${ratio('0.5').replace(' > 0.5', '')} < 0.95` }],
])('%s finds nothing in %j', (lint, sample) => {
  expect(findingsOf(contextOf(sample)).filter((one) => one.lint === lint)).toEqual([])
})

test.each([
  ['sum by (job) (x) > 1', 'On {{ $labels.instance }}', 'error'],
  ['sum by (job) (x) > 1', 'On {{ index $labels "instance" }}', 'error'],
  ['sum by (job) (x) > 1', 'On {{ .Labels.instance }}', 'error'],
  ['sum by (job) (x) > 1', '{{ $labels.severity }}', 'error'],
  ['x > 1 or absent(x{job="a"})', 'On {{ $labels.instance }}', 'note'],
  ['sum by (job) (x) > 1', 'On {{ $labels.job }}', undefined],
  ['x > 1', 'On {{ $labels.instance }}', undefined],
  ['sum by (job) (x) > 1', '{{ range query "up" }}{{ .Labels.instance }}{{ end }}', undefined],
  ['sum by (job) (x) > 1', 'Only text: $labels.instance', undefined],
])('of %s the template %s gives %s', (expr, summary, level) => {
  const rules = `      - alert: B\n        expr: ${JSON.stringify(expr)}\n        annotations: { s: ${JSON.stringify(summary)} }\n`
  const found = findingsOf(contextOf({ expr: 'y > 1', rules })).filter(({ lint }) => lint === 'dropped-label')
  expect(found[0]?.level).toBe(level)
})

test('a finding names file, line, column and rule, and fails its check alone', () => {
  const context = contextOf({ expr: 'up{job="a"} == 0' })
  const findings = findingsOf(context)
  expect(findings.map(lineOf)).toEqual([expect.stringMatching(/^a\.yml:6:16: A: a target that is no longer/)])
  const red = lintResults(context, findings).filter(({ verdict }) => verdict !== 'passed')
  expect(red.map(({ id }) => id)).toEqual(['alerts.rules.lint.up-without-absent'])
})

test('a comment with a reason turns an error into a note; one of another lint does not', () => {
  const allow = (lint: string) =>
    contextOf({ expr: 'up{job="a"} == 0', more: `        # muster allow ${lint}: targets are static` })
  expect(findingsOf(allow('up-without-absent'))).toMatchObject([
    { level: 'note', message: expect.stringContaining('(allowed: targets are static)') },
  ])
  expect(findingsOf(allow('division-by-zero'))).toMatchObject([{ level: 'error' }])
})
