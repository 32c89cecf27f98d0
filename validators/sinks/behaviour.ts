import { type Answer, plain } from './service.ts'

/** How a sink answers a notification. */
export type Behaviour =
  | { readonly kind: 'accept' }
  /** Refuses with an HTTP status; a mail with the SMTP reply code of that number. */
  | { readonly kind: 'fail'; readonly status: number }
  /** Answers nothing until the client gives up. */
  | { readonly kind: 'hang' }
  /** 429 with Retry-After (a mail: 451) until `retryAfterS` after the first refusal; then it accepts. */
  | { readonly kind: 'rate-limit'; readonly retryAfterS: number }

/** The sinks of this type, of this receiver, or both; empty: all. */
export interface SinkMatch {
  readonly type?: string
  readonly receiver?: string
}

interface Told {
  readonly match: SinkMatch
  readonly behaviour: Behaviour
  /** Monotonic milliseconds at which a rate limit was first hit. */
  limitedAt?: number
}

/** What sinks were told to do instead of accepting. */
export class Behaviours {
  #told: Told[] = []

  /** Of several that match a sink, the last told counts. Returns what takes it back. */
  tell(match: SinkMatch, behaviour: Behaviour): () => void {
    const told: Told = { match, behaviour }
    this.#told.push(told)
    return () => {
      this.#told = this.#told.filter((other) => other !== told)
    }
  }

  /** The answer that was told for a sink; undefined if it is to accept. */
  answerFor(type: string, receiver: string): Answer | 'nothing' | undefined {
    const told = this.#told.findLast(
      ({ match }) => (match.type ?? type) === type && (match.receiver ?? receiver) === receiver,
    )
    if (!told || told.behaviour.kind === 'accept') return undefined
    if (told.behaviour.kind === 'hang') return 'nothing'
    if (told.behaviour.kind === 'fail') return plain(told.behaviour.status, 'the sink was told to fail')
    told.limitedAt ??= performance.now()
    const leftMs = told.limitedAt + told.behaviour.retryAfterS * 1000 - performance.now()
    if (leftMs <= 0) return undefined
    return { ...plain(429, 'rate_limited'), headers: { 'retry-after': String(Math.ceil(leftMs / 1000)) } }
  }
}
