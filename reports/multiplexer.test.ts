import { expect, it } from 'vitest'
import type { Reporter, RunEvent } from '../lib/event.ts'
import { multiplex } from './multiplexer.ts'

const phase = (text: string): RunEvent => ({ type: 'phase', at: 0, text })
const textOf = (event: RunEvent) => (event.type === 'phase' ? event.text : event.type)

function recorder(name: string, seen: string[], wait?: () => Promise<void>): Reporter {
  return {
    name,
    on: async (event) => {
      await wait?.()
      seen.push(textOf(event))
    },
    close: () => {
      seen.push('closed')
    },
  }
}

it('tells the first error of a reporter once, and the others go on', async () => {
  const seen: string[] = []
  const errors: string[] = []
  const failing = (name: string, fail: () => void | Promise<void>): Reporter => ({ name, on: fail, close: fail })
  const reporters = [
    failing('throws', () => {
      throw new Error('broken')
    }),
    failing('rejects', () => Promise.reject(new Error('broken later'))),
    recorder('fine', seen),
  ]
  const all = multiplex(reporters, (name, error) => errors.push(`${name}: ${error instanceof Error && error.message}`))
  for (const text of ['a', 'b', 'c']) await all.on(phase(text))
  await all.close?.()
  expect(errors.sort()).toEqual(['rejects: broken later', 'throws: broken'])
  expect(seen).toEqual(['a', 'b', 'c', 'closed'])
})

it('keeps the order where a reporter is slow, delays no other, and awaits all at the end', async () => {
  const [slow, quick]: [string[], string[]] = [[], []]
  const turns: (() => void)[] = []
  const gate = () => new Promise<void>((resolve) => turns.push(resolve))
  const synchronous: Reporter = { name: 'quick', on: (event) => void quick.push(textOf(event)) }
  const all = multiplex([recorder('slow', slow, gate), synchronous], () => undefined)
  for (const text of ['a', 'b', 'c']) all.on(phase(text))
  expect(quick).toEqual(['a', 'b', 'c'])
  expect(slow).toEqual([])
  const closed = all.close?.()
  while (slow.at(-1) !== 'closed') {
    turns.shift()?.()
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
  await closed
  expect(slow).toEqual(['a', 'b', 'c', 'closed'])
})

it('survives a listener that throws, gives later events to a reporter that failed once, and closes once', async () => {
  const seen: string[] = []
  const moody: Reporter = {
    name: 'moody',
    on: (event) => {
      if (textOf(event) === 'a') throw new Error('not today')
      seen.push(textOf(event))
    },
    close: () => void seen.push('closed'),
  }
  const all = multiplex([moody], () => {
    throw new Error('the listener is broken too')
  })
  all.on(phase('a'))
  all.on(phase('b'))
  await Promise.all([all.close?.(), all.close?.()])
  all.on(phase('c'))
  expect(seen).toEqual(['b', 'closed'])
})

it('leaves a reporter behind that never ends, says so, and lets the others end', async () => {
  const seen: string[] = []
  const errors: string[] = []
  const hanging: Reporter = { name: 'hanging', on: () => undefined, close: () => new Promise<void>(() => undefined) }
  const all = multiplex(
    [hanging, recorder('fine', seen)],
    (name, error) => errors.push(`${name}: ${error instanceof Error && error.message}`),
    { closeWithinMs: 20 },
  )
  all.on(phase('a'))
  await all.close?.()
  expect(errors).toEqual(['hanging: it did not end within 0.02 s'])
  expect(seen).toEqual(['a', 'closed'])
})
