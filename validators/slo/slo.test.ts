import { expect, test } from 'vitest'
import { selectorText } from './selector.ts'
import { alertName, slosSchema } from './slo.ts'

const sli = { total: 'http_requests_total{job="api"}', bad: 'http_requests_total{job="api",status=~"5.."}' }
const slo = { name: 'availability', service: 'api', sli, objective: 0.999 }

function problems(...inputs: readonly unknown[]): string[] {
  const parsed = slosSchema.safeParse(inputs)
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
}

test('an SLO has the workbook’s windows and period unless it says otherwise', () => {
  const [parsed] = slosSchema.parse([slo])
  expect(parsed?.periodMs).toBe(30 * 86_400_000)
  expect(parsed?.windows).toHaveLength(4)
  expect(parsed && alertName(parsed)).toBe('ApiAvailabilityBudgetBurn')
  expect(parsed?.runbook).toBe('runbooks/ApiAvailabilityBudgetBurn.md')
})

test('what is excluded is excluded from both sides', () => {
  const [parsed] = slosSchema.parse([{ ...slo, sli: { ...sli, exclude: { route: '/health' } } }])
  expect(parsed && selectorText(parsed.sli.total)).toBe('http_requests_total{job="api",route!~"/health"}')
  expect(parsed?.sli.kind === 'bad' && selectorText(parsed.sli.bad)).toContain('route!~"/health"')
})

test('a histogram’s threshold is a bucket, however Prometheus writes it', () => {
  const of = (threshold: string) => {
    const [parsed] = slosSchema.parse([{ ...slo, sli: { histogram: 'seconds{job="api"}', threshold } }])
    return parsed?.sli.kind === 'good' ? selectorText(parsed.sli.good) : ''
  }
  expect(of('500ms')).toBe('seconds_bucket{job="api",le="0.5"}')
  expect(of('1s')).toBe('seconds_bucket{job="api",le=~"1(\\\\.0)?"}')
})

test('a selector that muster cannot count for itself is named', () => {
  const of = (total: string) => problems({ ...slo, sli: { ...sli, total } }).join()
  expect(of('sum(rate(a_total[5m]))')).toBe('')
  expect(of('a_total / b_total')).toContain('is no plain selector')
  expect(of('sum by (job) (a_total)')).toContain('is no plain selector')
  expect(of('a_total offset 5m')).toContain('is no plain selector')
  expect(of('sum(')).toContain('is no PromQL')
  expect(of('a_total{x=~"("}')).toContain('not a regular expression')
})

test('what cannot be promised is refused, each by name', () => {
  expect(problems({ ...slo, objective: 1 }).join()).toContain('below 1')
  expect(problems({ ...slo, objective: 0.93 }).join()).toContain('its burn factor 14.4')
  expect(problems({ ...slo, period: '7d' }).join()).toContain("windows: 'scaled'")
  expect(problems({ ...slo, period: '7d', windows: 'scaled' })).toEqual([])
  expect(problems({ ...slo, sli: { total: sli.total } }).join()).toContain('total and either good or bad, or else')
  expect(problems(slo, slo).join()).toContain('api-availability is there twice')
  expect(problems({ ...slo, labels: { slo: 'x' } }).join()).toContain('must be none of')
  expect(problems({ ...slo, period: 'a month' }).join()).toContain('no duration')
})
