import { expect, test } from 'vitest'
import { requestId } from './request-id.ts'
import { gatewaySettings, readSettings } from './settings.ts'

test('all bad variables are named in one sentence, without their values', () => {
  const read = () => readSettings(gatewaySettings, { PORT: 'many', TODOS_URL: '' })
  expect(read).toThrow(/PORT is not valid.*TODOS_URL is not set/)
  expect(read).not.toThrow(/many/)
})

test('what is not set has its default', () => {
  expect(readSettings(gatewaySettings, { TODOS_URL: 'http://127.0.0.1:1/', FAULT_PORT: '' })).toEqual({
    PORT: 0,
    TODOS_URL: ['http://127.0.0.1:1'],
    RATE_LIMIT: 10_000,
  })
})

test('a service may have several instances, and a share of traces of its own', () => {
  const given = { TODOS_URL: 'http://127.0.0.1:1,http://127.0.0.1:2/', SAMPLE_RATIO: '0.25' }
  expect(readSettings(gatewaySettings, given)).toMatchObject({
    TODOS_URL: ['http://127.0.0.1:1', 'http://127.0.0.1:2'],
    SAMPLE_RATIO: 0.25,
  })
  expect(() => readSettings(gatewaySettings, { ...given, TODOS_URL: 'http://127.0.0.1:1,nothing' })).toThrow(
    /TODOS_URL/,
  )
})

test('a sane request id is kept, another replaced', () => {
  expect(requestId('abc-1')).toBe('abc-1')
  for (const odd of [undefined, '', 'a b', 'x'.repeat(129), ['a']]) expect(requestId(odd)).toMatch(/^[\da-f-]{36}$/)
})
