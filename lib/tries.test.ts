import { expect, it } from 'vitest'
import { Tries, whyNot, wordsOf } from './tries.ts'

const found = (tries: Pick<Tries, 'kept'>) => tries.kept.map((one) => one.found)

it('keeps the first five and the last five attempts, each with its time', () => {
  const tries = new Tries()
  for (let n = 1; n <= 10; n += 1) tries.note(`${n}`, n * 100)
  expect(found(tries)).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9', '10'])
  tries.note('11', 1100)
  tries.note('12', 1200)
  expect(found(tries)).toEqual(['1', '2', '3', '4', '5', '8', '9', '10', '11', '12'])
  expect(tries.kept.map(({ at }) => at)).toEqual([100, 200, 300, 400, 500, 800, 900, 1000, 1100, 1200])
})

it('cuts what is long', () => {
  const tries = new Tries()
  tries.note('x'.repeat(5000))
  expect(tries.kept[0]?.found).toHaveLength(201)
})

it('joins two stories within the same bounds', () => {
  const [before, after] = [new Tries(), new Tries()]
  for (let n = 1; n <= 7; n += 1) before.note(`before ${n}`, n)
  for (let n = 1; n <= 4; n += 1) after.note(`after ${n}`, 10 + n)
  const joined = Tries.joined(before.kept, after.kept)
  expect(joined).toHaveLength(10)
  expect(joined[0]).toEqual({ at: 1, found: 'before 1' })
  expect(joined.at(-1)).toEqual({ at: 14, found: 'after 4' })
})

it('says what an answer says, where it says anything', () => {
  expect(wordsOf({ actual: '3 of 4 logged', problems: [] })).toBe('3 of 4 logged')
  expect(wordsOf(12)).toBe('12')
  expect(wordsOf({ rows: [] })).toBe('an answer')
  expect(wordsOf(null)).toBe('an answer')
  expect(whyNot(new Error('Loki refused'))).toBe('Loki refused')
})
