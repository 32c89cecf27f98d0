import { expect, test } from 'vitest'
import { translateOpenSlo } from './openslo.ts'

const source = (query: string) => ({ metricSource: { type: 'Prometheus', spec: { query } } })
const ratioMetric = { counter: true, total: source('all_total'), good: source('good_total') }
const document = (spec: object = {}) => ({
  apiVersion: 'openslo/v1',
  kind: 'SLO',
  metadata: { name: 'availability', labels: { team: 'core', tier: 'one' } },
  spec: {
    service: 'api',
    indicator: { spec: { ratioMetric } },
    timeWindow: [{ duration: '28d', isRolling: true }],
    budgetingMethod: 'Occurrences',
    objectives: [{ targetPercent: 99.9 }],
    ...spec,
  },
})
const refused = (...contents: readonly unknown[]) => {
  const result = translateOpenSlo(contents.map((content) => ({ content, where: 'document' })))
  return 'problems' in result ? result.problems.join('; ') : ''
}

test('an SLO with a ratio of counters becomes one of muster’s', () => {
  expect(translateOpenSlo([{ content: document(), where: 'document' }])).toEqual({
    slos: [
      {
        where: 'document',
        input: {
          name: 'availability',
          service: 'api',
          team: 'core',
          sli: { total: 'all_total', good: 'good_total' },
          objective: 0.999,
          period: '28d',
          labels: { tier: 'one' },
        },
      },
    ],
  })
})

test('an indicator may stand in a document of its own', () => {
  const indicator = { apiVersion: 'openslo/v1', kind: 'SLI', metadata: { name: 'ratio' }, spec: { ratioMetric } }
  const referring = document({ indicator: undefined, indicatorRef: 'ratio' })
  expect(refused(referring, indicator)).toBe('')
  expect(refused(referring)).toContain('names the SLI "ratio", which is in no document')
})

test('what is not understood is refused by name', () => {
  const threshold = { indicator: { spec: { thresholdMetric: source('latency') } } }
  expect(refused(document(threshold))).toContain('thresholdMetric is not understood: a threshold on a gauge')
  expect(refused(document({ alertPolicies: [] }))).toContain('spec.alertPolicies is not understood')
  expect(refused(document({ budgetingMethod: 'Timeslices' }))).toContain('must be Occurrences')
  expect(refused(document({ timeWindow: [{ duration: '1M', isRolling: false }] }))).toContain('rolling periods')
  expect(refused(document({ objectives: [{ target: 0.9 }, { target: 0.99 }] }))).toContain('one objective')
  expect(refused({ apiVersion: 'openslo/v1', kind: 'AlertPolicy' })).toContain('the kind AlertPolicy is not understood')
  expect(refused({ ...document(), apiVersion: 'openslo/v2alpha1' })).toContain('must be openslo/v1')
  const gauge = { indicator: { spec: { ratioMetric: { ...ratioMetric, counter: false } } } }
  expect(refused(document(gauge))).toContain('must be true: muster judges counters')
})
