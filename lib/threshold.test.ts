import { describe, expect, it } from 'vitest'
import { judgeThreshold, parseThresholds } from './threshold.ts'

const one = (key: string, expression: string) => {
  const { thresholds, problems } = parseThresholds({ [key]: [expression] })
  expect(problems).toEqual([])
  const [threshold] = thresholds
  if (threshold === undefined) throw new Error('no threshold')
  return threshold
}

describe('parsing', () => {
  it.each([
    ['http_req_duration', 'p(95)<500', 'p(95)', '<', 500],
    ['http_req_duration', 'p(99.9) <= 1e3'.replace('1e3', '1000'), 'p(99.9)', '<=', 1000],
    ['http_req_duration', 'med>0.5', 'med', '>', 0.5],
    ['http_req_failed', 'rate<0.01', 'rate', '<', 0.01],
    ['iterations', 'count>=1', 'count', '>=', 1],
    ['vus', 'value<10', 'value', '<', 10],
  ])('reads %s: %s', (key, expression, aggregation, operator, limit) => {
    expect(one(key, expression)).toMatchObject({ aggregation, operator, limit, expression })
  })

  it('means the load and not the set-up', () => {
    expect(one('http_req_duration', 'avg<1').key).toBe('http_req_duration{part:load}')
    expect(one('http_req_duration{step:login, scenario:browse}', 'avg<1').key).toBe(
      'http_req_duration{part:load,step:login,scenario:browse}',
    )
    expect(one('http_reqs{part:setup}', 'count>0').key).toBe('http_reqs{part:setup}')
    expect(one('iterations', 'count>0').key).toBe('iterations')
  })

  it('reports all problems at once', () => {
    const { thresholds, problems } = parseThresholds({
      http_req_durations: ['p(95)<500'],
      http_req_duration: ['p95<500', 'p(101)<1', 'rate<1', 'avg<200'],
      http_reqs: [],
      'http_reqs{scenario}': ['count>1'],
      constructor: ['count>1'],
      '': ['x'],
    })
    expect(thresholds).toHaveLength(1)
    expect(problems).toHaveLength(8)
    expect(problems[0]).toBe('metric "http_req_durations" does not exist; do you mean "http_req_duration"?')
  })
})

describe('judging', () => {
  const trend = (values: Record<string, number>) => ({
    'http_req_duration{part:load}': { type: 'trend' as const, values },
  })

  it('compares', () => {
    const limit = one('http_req_duration', 'p(95)<500')
    expect(judgeThreshold(limit, trend({ count: 3, 'p(95)': 499 }))).toEqual({ verdict: 'passed', actual: 499 })
    expect(judgeThreshold(limit, trend({ count: 3, 'p(95)': 500 }))).toEqual({ verdict: 'failed', actual: 500 })
  })

  it('has no data without samples, where k6 says passed', () => {
    const limit = one('http_req_duration', 'p(95)<500')
    for (const metrics of [
      {},
      trend({ count: 0, 'p(95)': 0 }),
      trend({ count: 1 }),
      trend({ count: 1, 'p(95)': Number.NaN }),
    ]) {
      expect(judgeThreshold(limit, metrics).verdict).toBe('no-data')
    }
    const failed = one('http_req_failed', 'rate<0.01')
    const none = { type: 'rate' as const, values: { rate: 0, passes: 0, fails: 0 } }
    expect(judgeThreshold(failed, { [failed.key]: none }).verdict).toBe('no-data')
  })

  it('takes silence for zero where nothing should be heard', () => {
    expect(judgeThreshold(one('dropped_iterations', 'count==0'), {})).toEqual({ verdict: 'passed', actual: 0 })
  })
})
