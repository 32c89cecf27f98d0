import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { consistently, eventually, pause } from './poll.ts'

// performance.now is faked too, so that the monotonic clock follows the timers.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** Runs fake time until the promise settles. */
async function settled<T>(promise: Promise<T>, limitMs = 60_000): Promise<T> {
  let done = false
  const marked = promise.finally(() => {
    done = true
  })
  marked.catch(() => {})
  for (let passed = 0; !done && passed < limitMs; passed += 10) await vi.advanceTimersByTimeAsync(10)
  if (!done) throw new Error(`not settled after ${limitMs} ms`)
  return marked
}

/** True from the given attempt on. */
function trueFrom(attempt: number) {
  let asked = 0
  return async () => {
    asked += 1
    return asked >= attempt
  }
}

const yes = (value: boolean) => value

it('holds as soon as the answer is right, and says after how many attempts', async () => {
  const polled = await settled(eventually(trueFrom(3), yes, { withinMs: 5000, firstPauseMs: 100 }))
  expect(polled).toMatchObject({ outcome: 'held', value: true, attempts: 3 })
  // Pauses of 100 ms and 150 ms.
  expect(polled.elapsedMs).toBeGreaterThanOrEqual(250)
  expect(polled.elapsedMs).toBeLessThan(300)
})

it('tells what was tried when, a failure to ask too', async () => {
  const begun = Date.now()
  const answers = [new Error('refused'), { actual: '3 of 4' }, { actual: '4 of 4' }]
  const ask = async () => {
    const answer = answers.shift()
    if (answer instanceof Error || answer === undefined) throw answer
    return answer
  }
  const polled = await settled(
    eventually(ask, ({ actual }) => actual === '4 of 4', { withinMs: 5000, firstPauseMs: 100 }),
  )
  expect(polled.tries).toEqual([
    { at: begun, found: 'refused' },
    { at: begun + 100, found: '3 of 4' },
    { at: begun + 250, found: '4 of 4' },
  ])
})

it('is broken at the deadline, not before and not much later', async () => {
  const polled = await settled(eventually(trueFrom(Number.POSITIVE_INFINITY), yes, { withinMs: 3000 }))
  expect(polled).toMatchObject({ outcome: 'broken', value: false })
  expect(polled.elapsedMs).toBeGreaterThanOrEqual(3000)
  expect(polled.elapsedMs).toBeLessThan(3100)
})

it('takes an answer that turns right only at the deadline', async () => {
  const begun = performance.now()
  const polled = await settled(eventually(async () => performance.now() - begun >= 3000, yes, { withinMs: 3000 }))
  expect(polled.outcome).toBe('held')
})

it('stops at once when no later answer can be better', async () => {
  const polled = await settled(
    eventually(
      async () => 12,
      (count) => count === 10,
      { withinMs: 60_000, hopeless: (count) => count > 10 },
    ),
  )
  expect(polled).toMatchObject({ outcome: 'broken', value: 12, attempts: 1 })
})

it('lets pauses grow, up to the longest', async () => {
  const polled = await settled(
    eventually(async () => false, yes, { withinMs: 10_000, firstPauseMs: 100, longestPauseMs: 1000 }),
  )
  // 0, 100, 250, 475, 813, 1319, 2078, 3078 … 9078, 10000 ms: without growth there would be 101.
  expect(polled.attempts).toBe(15)
})

it('is broken at the first false answer of a window that must be true throughout', async () => {
  let asked = 0
  const polled = await settled(consistently(async () => ++asked < 4, yes, { withinMs: 60_000 }))
  expect(polled).toMatchObject({ outcome: 'broken', attempts: 4 })
})

it('needs the whole window to prove an absence, and looks at its very end', async () => {
  const begun = performance.now()
  const asked: number[] = []
  const watch = consistently(
    async () => {
      asked.push(performance.now() - begun)
      return true
    },
    yes,
    { withinMs: 3000, firstPauseMs: 500 },
  )
  const polled = await settled(watch)
  expect(polled.outcome).toBe('held')
  expect(polled.elapsedMs).toBeGreaterThanOrEqual(3000)
  expect(asked.at(-1)).toBeGreaterThanOrEqual(3000)
})

it('sees what appears only at the end of the window', async () => {
  const begun = performance.now()
  const polled = await settled(
    consistently(async () => performance.now() - begun < 2990, yes, { withinMs: 3000, firstPauseMs: 900 }),
  )
  expect(polled.outcome).toBe('broken')
})

it('loses patience after so many failures to ask in a row, and keeps the last one', async () => {
  let asked = 0
  const ask = async () => {
    asked += 1
    throw new Error(`refused ${asked}`)
  }
  const polled = await settled(eventually(ask, yes, { withinMs: 60_000, patience: 3 }))
  expect(polled).toMatchObject({ outcome: 'unasked', attempts: 3, error: new Error('refused 3') })
  expect(polled.elapsedMs).toBeLessThan(1000)
})

it('forgives failures to ask that an answer follows', async () => {
  let asked = 0
  const ask = async () => {
    asked += 1
    // Never more than three in a row.
    if (asked % 4 !== 0) throw new Error('refused')
    return asked === 12
  }
  const polled = await settled(eventually(ask, yes, { withinMs: 60_000, patience: 4 }))
  expect(polled).toMatchObject({ outcome: 'held', attempts: 12 })
  expect(polled).not.toHaveProperty('error')
})

it('never calls a window green whose end could not be asked for', async () => {
  const begun = performance.now()
  const ask = async () => {
    if (performance.now() - begun > 1500) throw new Error('gone')
    return true
  }
  const polled = await settled(consistently(ask, yes, { withinMs: 3000, firstPauseMs: 1000, patience: 9 }))
  expect(polled.outcome).toBe('unasked')
})

it('does not retry a failure that is itself an answer', async () => {
  const ask = async () => {
    throw new Error('401')
  }
  const polled = await settled(eventually(ask, yes, { withinMs: 60_000, isFinal: () => true }))
  expect(polled).toMatchObject({ outcome: 'unasked', attempts: 1 })
})

it('gives up an attempt that hangs, aborts it, and asks again', async () => {
  const signals: AbortSignal[] = []
  const ask = (signal: AbortSignal) => {
    signals.push(signal)
    return signals.length === 1 ? new Promise<boolean>(() => {}) : Promise.resolve(true)
  }
  const polled = await settled(eventually(ask, yes, { withinMs: 10_000, attemptMs: 2000 }))
  expect(polled).toMatchObject({ outcome: 'held', attempts: 2 })
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, false])
})

it('ends an attempt at the deadline, however patient the attempt is', async () => {
  const polled = await settled(
    eventually(() => new Promise<boolean>(() => {}), yes, { withinMs: 3000, attemptMs: 50_000 }),
  )
  expect(polled).toMatchObject({ outcome: 'unasked', error: new Error('no answer within 3000 ms') })
  expect(polled.elapsedMs).toBeLessThan(3100)
})

it('throws the reason of an abort, in the middle of an attempt and in a pause', async () => {
  for (const ask of [() => new Promise<boolean>(() => {}), async () => false]) {
    const controller = new AbortController()
    const reason = new Error('Ctrl-C')
    const polled = eventually(ask, yes, { withinMs: 60_000, signal: controller.signal, firstPauseMs: 1000 })
    setTimeout(() => controller.abort(reason), 300)
    await expect(settled(polled, 400)).rejects.toBe(reason)
  }
})

it('asks nothing when it was aborted before', async () => {
  const ask = vi.fn(async () => true)
  const signal = AbortSignal.abort(new Error('Ctrl-C'))
  await expect(eventually(ask, yes, { withinMs: 1000, signal })).rejects.toThrow('Ctrl-C')
  expect(ask).not.toHaveBeenCalled()
})

it('cuts a pause short on abort and leaves no timer behind', async () => {
  const controller = new AbortController()
  const paused = pause(60_000, controller.signal)
  controller.abort(new Error('enough'))
  await expect(paused).rejects.toThrow('enough')
  expect(vi.getTimerCount()).toBe(0)
})
