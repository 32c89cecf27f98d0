import { expect, it } from 'vitest'
import { UsageError } from '../../lib/errors.ts'
import { parsePeriod } from './period.ts'

const now = Date.parse('2026-01-31T12:00:00Z')

it('reads ISO times, epoch seconds and durations back from now; the end is now unless named', () => {
  expect(parsePeriod('5m', undefined, now)).toEqual({ from: now - 300_000, to: now })
  expect(parsePeriod('1m30s', '30s', now)).toEqual({ from: now - 90_000, to: now - 30_000 })
  expect(parsePeriod('2026-01-31T11:00:00Z', String(now / 1000 - 1.5), now)).toEqual({
    from: now - 3_600_000,
    to: now - 1500,
  })
})

it.each([
  ['soon', undefined, '--since "soon" is no time'],
  ['300', undefined, '--since "300" is no time'],
  ['5m', '2026-13-01', '--until "2026-13-01" is no time'],
  ['30s', '5m', '--since 30s is not before the end'],
  ['5m', '2026-01-31T12:00:01Z', 'is in the future'],
  [undefined, '5m', '--until needs --since'],
])('refuses --since %s --until %s', (since, until, words) => {
  expect(() => parsePeriod(since, until, now)).toThrow(UsageError)
  expect(() => parsePeriod(since, until, now)).toThrow(words)
})
