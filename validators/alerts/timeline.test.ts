import { expect, it } from 'vitest'
import { pager, slack } from './judgement.test-data.ts'
import { alertWords, endOf, firstOf, Spells, statusOf } from './timeline.ts'

const labels = { alertname: 'High', job: 'shop' }

it('makes spells of looks: one for each state, ended by the first look that does not see it', () => {
  const spells = new Spells()
  spells.look(100, [])
  spells.look(200, [{ labels, state: 'pending' }])
  spells.look(300, [{ labels: { job: 'shop', alertname: 'High' }, state: 'pending' }])
  spells.look(400, [{ labels, state: 'firing' }])
  spells.look(500, [])
  spells.look(600, [{ labels, state: 'firing' }])
  expect(spells.all).toEqual([
    { labels, state: 'pending', from: 200, to: 400 },
    { labels, state: 'firing', from: 400, to: 500 },
    { labels, state: 'firing', from: 600 },
  ])
  expect(firstOf(spells.all, 'firing')).toBe(400)
  expect(endOf(spells.all)).toBeUndefined()
  expect(spells.current).toHaveLength(1)
  spells.look(700, [])
  expect(endOf(spells.all)).toBe(700)
})

it('tells an alert’s status from its notification: in structure, by the protocol, or as it reads', () => {
  const both = pager(0, 'firing', labels, {
    alerts: [
      { status: 'resolved', labels, annotations: {} },
      { status: 'firing', labels: { alertname: 'Other' }, annotations: {} },
    ],
  })
  expect(statusOf(both, 'High')).toBe('resolved')
  expect(statusOf(both, 'Other')).toBe('firing')
  expect(statusOf(slack(0, 'resolved'), 'High')).toBe('resolved')
  expect(statusOf(slack(0, 'firing', { status: undefined, text: 'Resolved: High' }), 'High')).toBe('resolved')
  expect(statusOf(slack(0, 'firing', { status: undefined, text: 'High fires' }), 'High')).toBe('firing')
})

it('writes an alert with its labels in order', () => {
  expect(alertWords({ b: '2', alertname: 'High', a: '1' })).toBe('High{a="1", b="2"}')
  expect(alertWords({ alertname: 'High' })).toBe('High')
})
