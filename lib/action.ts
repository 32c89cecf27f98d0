/** A request of HTTP; the value of a header may be named by an environment variable, so that no secret is written. */
export interface CallAction {
  readonly kind: 'call'
  readonly method: string
  readonly url: string
  readonly body?: string | undefined
  readonly headers: Readonly<Record<string, string>>
  /** Header to environment variable. */
  readonly headersEnv: Readonly<Record<string, string>>
  /** Statuses besides 2xx that are as good. */
  readonly accept: readonly number[]
}

/** A program and its arguments; no shell reads them. */
export interface CommandAction {
  readonly kind: 'command'
  readonly argv: readonly string[]
  readonly folder: string
}

/** What switches a fault on, or lifts it. */
export type Action = CallAction | CommandAction
