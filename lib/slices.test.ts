import { expect, it } from 'vitest'
import { eachSlice, type Slice, slicesOf } from './slices.ts'

it('cuts a stretch of time into slices without gap or overlap', () => {
  for (const pieces of [0.2, 1, 3, 7, 1000]) {
    const slices = slicesOf(1000.4, 1500.6, pieces)
    expect(slices[0]?.[0]).toBe(1000)
    expect(slices.at(-1)?.[1]).toBe(1501)
    for (const [n, [, end]] of slices.entries()) if (slices[n + 1]) expect(slices[n + 1]?.[0]).toBe(end)
    expect(slices.length).toBeLessThanOrEqual(Math.max(1, Math.ceil(pieces)))
  }
})

it('halves what is cut until all is whole, and asks for every millisecond once', async () => {
  const dense = (at: number) => at >= 40 && at < 44
  const whole: Slice[] = []
  let [under, most] = [0, 0]
  const left = await eachSlice(slicesOf(0, 100, 4), 3, async ([from, to]) => {
    most = Math.max(most, ++under)
    await Promise.resolve()
    under -= 1
    // Three at most in an answer, ten to a millisecond where it is dense.
    const count = Array.from({ length: to - from }, (_, n) => (dense(from + n) ? 2 : 0)).reduce<number>(
      (a, b) => a + b,
      0,
    )
    if (count > 3) return 'cut'
    whole.push([from, to])
    return 'whole'
  })
  expect(left).toEqual([])
  expect(most).toBe(3)
  const covered = whole.flatMap(([from, to]) => Array.from({ length: to - from }, (_, n) => from + n))
  expect(covered.sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, n) => n))
})

it('gives back the milliseconds that hold too much, and throws what the asking throws', async () => {
  expect(await eachSlice([[10, 12]], 1, async () => 'cut')).toEqual([
    [10, 11],
    [11, 12],
  ])
  await expect(eachSlice([[0, 1]], 2, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
})
