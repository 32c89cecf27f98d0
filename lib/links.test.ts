import { expect, it } from 'vitest'
import { fillLink } from './links.ts'

const window = { from: Date.UTC(2026, 10, 21, 14), to: Date.UTC(2026, 10, 21, 14, 1) }

it('fills in what is known, percent-encoded', () => {
  expect(fillLink('https://jaeger.example/trace/{traceId}', { traceId: 'ab/../c' })).toBe(
    'https://jaeger.example/trace/ab%2F..%2Fc',
  )
  expect(fillLink('https://g.example/?q={query}&from={from}&to={toIso}', { query: '{a="b"} & c', window })).toBe(
    `https://g.example/?q=${encodeURIComponent('{a="b"} & c')}&from=${window.from}&to=2026-11-21T14%3A01%3A00.000Z`,
  )
})

it('writes a query so that it stays a string of JSON, as Grafana wants it', () => {
  const address = fillLink('https://g.example/explore?left={"queries":[{"expr":"{queryJson}"}]}', {
    query: 'a{b="c\\d"}',
  })
  const left = decodeURIComponent(address?.split('left=')[1] ?? '')
  expect(JSON.parse(left)).toEqual({ queries: [{ expr: 'a{b="c\\d"}' }] })
})

it('makes no link with holes', () => {
  expect(fillLink('https://g.example/{query}/{from}', { query: 'up' })).toBeUndefined()
  expect(fillLink(undefined, { query: 'up' })).toBeUndefined()
})
