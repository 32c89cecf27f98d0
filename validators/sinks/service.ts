import type { Notification, NotifiedAlert } from './notification.ts'

/** A request at a sink, whole. */
export interface Incoming {
  readonly method: string
  /** The segments of the path behind type and receiver, percent-decoded: what Alertmanager appends to the user's URL. */
  readonly path: readonly string[]
  readonly query: URLSearchParams
  readonly contentType: string
  readonly body: string
}

/** What a notification says, and what is wrong with it by the service's published contract. */
export interface Reading {
  readonly status: Notification['status']
  readonly groupKey?: string | undefined
  readonly alerts?: readonly NotifiedAlert[] | undefined
  /** The receiver that the body names, for URLs that name none. */
  readonly receiver?: string | undefined
  readonly text: string
  readonly problems: readonly string[]
}

export interface Answer {
  readonly status: number
  readonly body: string
  readonly contentType?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** A service that Alertmanager notifies over HTTP. */
export interface Service {
  /** Answers a request that notifies nobody (a token, a search); undefined if it is a notification. */
  readonly aside?: (incoming: Incoming) => Answer | undefined
  readonly read: (incoming: Incoming) => Reading
  /** The service's answer to a notification with these problems. */
  readonly answer: (incoming: Incoming, problems: readonly string[]) => Answer
}

export function json(status: number, value: unknown): Answer {
  return { status, body: JSON.stringify(value), contentType: 'application/json' }
}

export function plain(status: number, body: string): Answer {
  return { status, body, contentType: 'text/plain' }
}
