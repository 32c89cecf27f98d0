import { expect, test } from 'vitest'
import { RateLimit } from './rate-limit.ts'
import { Tokens } from './tokens.ts'

test('a token carries its user, until it expires', () => {
  let now = 0
  const tokens = new Tokens('key', 1000, () => now)
  const header = `Bearer ${tokens.issue('ann')}`
  expect(tokens.userOf(header)).toBe('ann')
  now = 1000
  expect(tokens.userOf(header)).toBeUndefined()
})

test('what was not signed with the key is refused', () => {
  const tokens = new Tokens('key')
  const [payload = '', signature = ''] = tokens.issue('ann').split('.')
  const forged = Buffer.from('{"user":"eve","expires":1e15}').toString('base64url')
  const others = [
    undefined,
    '',
    'Bearer',
    `Bearer ${payload}`,
    `Bearer ${forged}.${signature}`,
    `${payload}.${signature}`,
  ]
  for (const header of others) expect(tokens.userOf(header)).toBeUndefined()
  expect(new Tokens('other').userOf(`Bearer ${payload}.${signature}`)).toBeUndefined()
})

test('the limit counts per user and second', () => {
  let now = 0
  const limit = new RateLimit(2, () => now)
  expect([1, 2, 3].map(() => limit.allows('ann'))).toEqual([true, true, false])
  expect(limit.allows('bob')).toBe(true)
  now = 1000
  expect(limit.allows('ann')).toBe(true)
})
