import { expect, it } from 'vitest'
import type { Series } from '../../lib/course.ts'
import { hueOf, hues, namesOf } from './panels.ts'

const series = (panel: Series['panel'], name: string, service?: string): Series => ({
  panel,
  name,
  values: [1],
  ...(service === undefined ? {} : { service }),
})

it('gives one meaning one colour, whether or not its neighbours are there', () => {
  const hue = (panel: Series['panel'], name: string) => hueOf(series(panel, name, 'shop'), ['shop'])
  expect(hue('seen', 'traced')).toBe(hue('freshness', 'traces'))
  expect(hue('seen', 'logged')).toBe(hue('freshness', 'logs'))
  expect(hue('seen', 'counted')).toBe(hue('freshness', 'metrics'))
  expect(new Set(['p50', 'p95', 'p99'].map((name) => hue('latency', name))).size).toBe(3)
})

it('gives a service the same colour in every picture and in waterfalls, and none that a backend has', () => {
  const course = {
    series: [
      series('cpu', 'alertmanager'),
      series('cpu', 'shop'),
      series('memory', 'shop'),
      series('errors', 'shop'),
      series('latency', 'p95', 'cart'),
    ],
  }
  const names = namesOf(course, [{ spans: [] }])
  expect(names).toEqual(['cart', 'shop', 'alertmanager'])
  expect(hueOf(series('errors', 'shop'), names)).toBe(hueOf(series('cpu', 'shop'), names))
  expect(hueOf(series('cpu', 'alertmanager'), names)).not.toBe(hueOf(series('cpu', 'shop'), names))
})

it('goes on after the last colour, so that what shares one can be dashed', () => {
  const names = Array.from({ length: 12 }, (_, n) => `service-${n}`)
  expect(hueOf(series('cpu', 'service-11'), names)).toBeGreaterThanOrEqual(hues)
})

it('takes a service that is named like a meaning for the service', () => {
  expect(hueOf(series('cpu', 'logs'), ['shop', 'logs', 'traces'])).toBe(1)
})
