import { expect, test } from 'vitest'
import { editDistance, nearest } from './nearest.ts'

test('the distance counts insertions, deletions, replacements and swaps', () => {
  expect(editDistance('critical', 'critcal')).toBe(1)
  expect(editDistance('critical', 'crtiical')).toBe(1)
  expect(editDistance('warning', 'warn')).toBe(3)
  expect(editDistance('', 'abc')).toBe(3)
  expect(editDistance('kitten', 'sitting')).toBe(3)
})

test('the nearest other text is given, unless all are far', () => {
  expect(nearest('pagerdty', ['slack', 'pagerduty', 'pager'])).toBe('pagerduty')
  expect(nearest('slack', ['slack', 'email'])).toBeUndefined()
})
