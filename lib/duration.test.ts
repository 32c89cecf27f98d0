import { expect, it } from 'vitest'
import { formatDuration, parseDuration } from './duration.ts'

it.each([
  ['500ms', 500],
  ['10s', 10_000],
  ['1m30s', 90_000],
  ['1.5h', 5_400_000],
  ['1d', 86_400_000],
])('reads %s', (text, ms) => expect(parseDuration(text)).toBe(ms))

it.each(['', '10', 's', '10 s', '-1s', '1s ', '1y'])('refuses "%s"', (text) =>
  expect(parseDuration(text)).toBeUndefined(),
)

it.each([
  [849.6, '850 ms'],
  [2400, '2.4 s'],
  [15_000, '15 s'],
  [185_000, '3 min 05 s'],
])('writes %d as %s', (ms, text) => expect(formatDuration(ms)).toBe(text))
