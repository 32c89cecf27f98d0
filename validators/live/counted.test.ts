import { expect, it } from 'vitest'
import type { Series } from '../backends/prometheus.ts'
import type { Service } from '../config.ts'
import { countedIn } from './counted.ts'

const service: Service = {
  job: 'api',
  requests: { kind: 'http', metric: 'requests_total', route: 'route', method: 'method', status: 'status' },
  series: ['requests_in_flight'],
  traces: { service: 'api' },
}
const window = { from: 1000, to: 6000 }

/** Samples at 500, 1500, 2500, …; null: none. */
function series(name: string, values: readonly (number | null)[], more: Readonly<Record<string, string>> = {}): Series {
  return {
    labels: { __name__: name, job: 'api', instance: 'one', ...more },
    samples: values.flatMap((value, n) => (value === null ? [] : [{ at: 500 + 1000 * n, value }])),
  }
}
const up = series('up', [1, 1, 1, 1, 1, 1, 1])

it('counts from the first scrape in the period to the last, not further', () => {
  const { instances, problems } = countedIn(
    [
      up,
      series('requests_total', [0, 10, 20, 30, 40, 50, 99], { route: '/a' }),
      // Absent at the first scrape, it was zero then.
      series('requests_total', [null, null, 3, 4, 5, 6, 7], { route: '/b' }),
      series('scrape_duration_seconds', [0, 0.004, 0, 0, 0, 0.25, 0]),
      series('requests_in_flight', [0, 1, 0, 0, 0, 2, 0]),
    ],
    service,
    window,
  )
  expect(problems).toEqual([])
  expect(instances).toEqual([
    {
      name: 'one',
      first: { at: 1500, by: 1504 },
      last: { at: 5500, by: 5750 },
      counted: 46,
      inFlight: [1, 2],
      deaths: [],
    },
  ])
})

it('passes over scrapes that failed', () => {
  const { instances } = countedIn(
    [series('up', [1, 0, 1, 1, 1, 0, 1]), series('requests_total', [0, null, 20, 30, 40, null, 99])],
    service,
    window,
  )
  expect(instances).toMatchObject([{ first: { at: 2500 }, last: { at: 4500 }, counted: 20, inFlight: undefined }])
})

it('counts over a restart, and says when it was', () => {
  const { instances } = countedIn(
    [
      up,
      series('requests_total', [0, 10, 20, 25, 26, 30, 31]),
      series('process_start_time_seconds', [0.1, 0.1, 0.1, 3.2, 3.2, 3.2, 3.2]),
    ],
    service,
    window,
  )
  expect(instances[0]?.counted).toBe(40)
  expect(instances[0]?.deaths).toEqual([{ after: 2500, by: 3500 }])
})

it('names a target that was scraped once, and a job without any', () => {
  expect(countedIn([series('up', [1, 1, 0, 0, 0, 0, 1])], service, window).problems).toEqual([
    'one was scraped once in the period: two are needed',
  ])
  expect(countedIn([], service, window).problems).toEqual(['Prometheus has no scrape of job api in the period'])
})
