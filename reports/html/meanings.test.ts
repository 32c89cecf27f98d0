import { expect, it } from 'vitest'
import { readMeanings } from './meanings.ts'

it.each([
  'load.dropped',
  'load.threshold.http_req_duration{phase:recovery}.p(95)',
  'metrics.request-count.todos',
  'logs.freshness',
  'alerts.delivered.GatewayHighErrorRate.slack-platform',
  'stack.targets',
])('the documentation tells what a red %s means', (id) => {
  const meaning = readMeanings()(id)
  expect(meaning?.red).toMatch(/\w+ \w+/)
  expect(meaning?.lookFirst).toMatch(/\w/)
})

it('has no word on a check that is not documented', () => {
  expect(readMeanings()('other.thing')).toBeUndefined()
})

it('reads cells that hold bars and code', () => {
  const meaningOf = readMeanings('| `a.b.<x>` | question? | how | `one` \\| two. | the rule |')
  expect(meaningOf('a.b.c')).toEqual({ red: 'one | two.', lookFirst: 'the rule' })
})
