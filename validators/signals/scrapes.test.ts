import { expect, it } from 'vitest'
import type { Series } from '../backends/prometheus.ts'
import { instancesOf } from './scrapes.ts'

const series = (name: string, instance: string, ...samples: [at: number, value: number][]): Series => ({
  labels: { __name__: name, instance },
  samples: samples.map(([at, value]) => ({ at, value })),
})

const never = () => undefined

it('counts from the last scrape that was seen before the load began', () => {
  const up = series('up', 'a', [1000, 1], [2000, 1], [3000, 1])
  // The scrape of 2000 was under way when the load began: it may hold requests of it.
  expect(instancesOf([up], 2500, () => 1000)[0]).toMatchObject({ name: 'a', from: 1000, absentIsZero: true })
  expect(instancesOf([up], 2500, () => 2000)[0]).toMatchObject({ from: 2000, scrapes: [1000, 2000, 3000] })
  const failed = series('up', 'a', [1000, 1], [2000, 0], [3000, 1])
  expect(instancesOf([failed], 2500, () => 2000)[0]).toMatchObject({ from: 1000 })
})

it('takes absence for zero where the process began in the window, and nowhere else if it was not scraped before', () => {
  const up = series('up', 'a', [2000, 0], [3000, 1])
  expect(instancesOf([up], 2500, never)[0]).toMatchObject({ absentIsZero: false })
  const began = series('process_start_time_seconds', 'a', [3000, 2.6])
  expect(instancesOf([up, began], 2500, never)[0]).toMatchObject({ from: 2500, absentIsZero: true })
})

it('tells restarts in the window by instance, and leaves out who was gone before it', () => {
  const found = instancesOf(
    [
      series('up', 'a', [1000, 1], [3000, 1], [4000, 1]),
      series('process_start_time_seconds', 'a', [1000, 0.5], [3000, 0.5], [4000, 3.5]),
      series('up', 'b', [1000, 1], [3000, 1], [4000, 1]),
      series('process_start_time_seconds', 'b', [1000, 0.5], [3000, 0.5], [4000, 0.5]),
      series('up', 'gone', [1000, 1]),
    ],
    2000,
    () => 1000,
  )
  expect(found.map(({ name, deaths }) => [name, deaths])).toEqual([
    ['a', [{ after: 3000, by: 4000 }]],
    ['b', []],
  ])
})
