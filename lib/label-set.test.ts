import { expect, test } from 'vitest'
import { findLabels } from './label-set.ts'
import { parseMatchers } from './matcher.ts'

const find = (all: string, ...none: readonly string[]) =>
  findLabels({ all: parseMatchers(all), none: none.map(parseMatchers) })

test('the smallest label set is found, and absent labels are left out', () => {
  expect(find('severity=~"warning|critical", team!="web"')).toEqual({ labels: { severity: 'warning' } })
  expect(find('')).toEqual({ labels: {} })
})

test('what must not match is avoided by whichever of its matchers can be broken', () => {
  expect(find('a="1"', 'a="1", b=""')).toEqual({ labels: { a: '1', b: 'a' } })
  expect(find('a=~"1|2"', 'a="1"', 'a="2", b!="x"')).toEqual({ labels: { a: '2', b: 'x' } })
})

test('contradictions are proven over several lists', () => {
  expect(find('a=~"1|2"', 'a="1"', 'a="2"')).toBe('none')
  expect(find('a="1", a="2"')).toBe('none')
  expect(find('a="1"', '')).toBe('none')
})
