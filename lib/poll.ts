import { Tries, type Try, whyNot, wordsOf } from './tries.ts'

/** How the asking went; `value` is the last answer, `error` the last failure to ask. */
export interface Polled<T> {
  /** `held`: the expectation held as required; `broken`: it did not; `unasked`: the last attempts got no answer. */
  readonly outcome: 'held' | 'broken' | 'unasked'
  readonly value?: T
  readonly error?: unknown
  readonly attempts: number
  readonly elapsedMs: number
  /** What was tried when: the first attempts and the last. */
  readonly tries: readonly Try[]
}

export interface PollOptions {
  /** Milliseconds from now; for `consistently` the length of the window. */
  readonly withinMs: number
  readonly signal?: AbortSignal
  /** First and longest pause between attempts; pauses grow by half. */
  readonly firstPauseMs?: number
  readonly longestPauseMs?: number
  /** One attempt is given up after this long, or at the deadline if that is sooner. */
  readonly attemptMs?: number
  /** How long the last attempt may take if that is longer than is left; 3 s unless told otherwise. */
  readonly lastAnswerMs?: number
  /** Consecutive failures to ask after which asking again is pointless. */
  readonly patience?: number
  /** True for failures that are themselves an answer (a 401, HTML): they are not retried. */
  readonly isFinal?: (error: unknown) => boolean
}

type Ask<T> = (signal: AbortSignal) => Promise<T>

/**
 * Asks until `holds` is true; broken if it is not true at the deadline. `hopeless` ends the asking early when no later
 * answer can be better. Uses a monotonic clock.
 * @throws the abort reason when `signal` is aborted
 */
export function eventually<T>(
  ask: Ask<T>,
  holds: (value: T) => boolean,
  options: PollOptions & { readonly hopeless?: (value: T) => boolean },
): Promise<Polled<T>> {
  return poll(ask, options, 'broken', (value) => {
    if (holds(value)) return 'held'
    return options.hopeless?.(value) ? 'broken' : undefined
  })
}

/**
 * Asks for the whole of the window, the last time at its end; broken at the first answer for which `holds` is false.
 * @throws the abort reason when `signal` is aborted
 */
export function consistently<T>(ask: Ask<T>, holds: (value: T) => boolean, options: PollOptions): Promise<Polled<T>> {
  return poll(ask, options, 'held', (value) => (holds(value) ? undefined : 'broken'))
}

/** A pause that an abort cuts short. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const stop = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, ms)
    signal?.addEventListener('abort', stop, { once: true })
  })
}

async function poll<T>(
  ask: Ask<T>,
  options: PollOptions,
  atDeadline: 'held' | 'broken',
  judge: (value: T) => 'held' | 'broken' | undefined,
): Promise<Polled<T>> {
  const {
    withinMs,
    signal,
    firstPauseMs = 50,
    longestPauseMs = 1000,
    attemptMs = 5000,
    patience = 4,
    lastAnswerMs = 3000,
  } = options
  const begun = performance.now()
  let [attempts, failures, wait] = [0, 0, firstPauseMs]
  let last: { value?: T; error?: unknown } = {}
  const tries = new Tries()
  for (;;) {
    signal?.throwIfAborted()
    attempts += 1
    // An attempt that begins by the deadline may still answer a little later: cut off, it would call a busy backend lost.
    const left = Math.max(withinMs - (performance.now() - begun), lastAnswerMs)
    let verdict: 'held' | 'broken' | undefined
    try {
      const value = await raced(ask, Math.min(attemptMs, left), signal)
      last = { value }
      tries.note(wordsOf(value))
      failures = 0
      verdict = judge(value)
    } catch (error) {
      signal?.throwIfAborted()
      last = { ...last, error }
      tries.note(whyNot(error))
      failures += 1
      if (options.isFinal?.(error) || failures >= patience) return report('unasked')
    }
    if (verdict) return report(verdict)
    const elapsed = performance.now() - begun
    if (elapsed >= withinMs) return report(failures > 0 ? 'unasked' : atDeadline)
    await pause(Math.min(wait, withinMs - elapsed), signal)
    wait = Math.min(wait * 1.5, longestPauseMs)
  }

  function report(outcome: Polled<T>['outcome']): Polled<T> {
    const { error, ...answered } = last
    return {
      outcome,
      ...answered,
      ...(outcome === 'unasked' ? { error } : {}),
      attempts,
      elapsedMs: performance.now() - begun,
      tries: tries.kept,
    }
  }
}

async function raced<T>(ask: Ask<T>, ms: number, outer?: AbortSignal): Promise<T> {
  const inner = new AbortController()
  const abort = () => inner.abort(outer?.reason)
  outer?.addEventListener('abort', abort, { once: true })
  const timer = setTimeout(() => inner.abort(new Error(`no answer within ${Math.round(ms)} ms`)), ms)
  const aborted = new Promise<never>((_, reject) => {
    inner.signal.addEventListener('abort', () => reject(inner.signal.reason), { once: true })
  })
  try {
    return await Promise.race([ask(inner.signal), aborted])
  } finally {
    clearTimeout(timer)
    outer?.removeEventListener('abort', abort)
  }
}
