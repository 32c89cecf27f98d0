import type { Hands, Step, StepResponse } from './journey.ts'

type Steps = Readonly<Record<string, Step>>
type AsyncHands<S extends Steps> = Hands<S, Promise<StepResponse>>

/** What a sentinel's script has in hand: a function per declared step, which visit it is, and what was prepared. */
export type SentinelVisit<S extends Steps, Data> = AsyncHands<S> & {
  /** From 0. */
  readonly visit: number
  readonly data: Data
}

interface Scripts<S extends Steps, Data> {
  /** Called once, before the first visit: a log-in, for instance. Its result is the `data` of every visit. */
  readonly prepare?: (hands: AsyncHands<S>) => Promise<Data>
  /** Called again and again while the load runs. */
  readonly visit: (hands: SentinelVisit<S, Data>) => Promise<void>
  /** Called once, after the last visit. */
  readonly cleanup?: (hands: SentinelVisit<S, Data>) => Promise<void>
}

/**
 * Requests that muster itself sends while the load runs, a few a second, to see how soon each can be found. Declared as a
 * journey is: steps are data, the scripts can only send declared steps. Every request is part of the roll call, those of
 * `prepare` and `cleanup` too. Scripts take `never` here for the reason that journeys' do.
 */
export interface Sentinel {
  readonly steps: Steps
  readonly prepare?: (hands: never) => Promise<unknown>
  readonly visit: (hands: never) => Promise<void>
  readonly cleanup?: (hands: never) => Promise<void>
}

/** Declares a sentinel. A step's number in its trace id is its place in `steps`. */
export function sentinel<const S extends Steps, Data = undefined>(steps: S, scripts: Scripts<S, Data>): Sentinel {
  return { steps, ...scripts }
}
