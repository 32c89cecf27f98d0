/** What an Alertmanager is started with. */
export interface LoneOptions {
  /** Names the process and its folder. */
  readonly name: string
  /** Its whole configuration. */
  readonly config: string
  /** Added to an environment of PATH, TMPDIR, LANG, TZ and an empty HOME. */
  readonly env: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

/** One Alertmanager by itself, without a cluster. */
export interface LoneAlertmanager {
  readonly url: string
  readonly pid: number
  /** What it has logged: one JSON object a line. */
  log(): string
  /** How it ended though nobody stopped it; undefined while it runs. */
  exited(): string | undefined
  /** Ends it and removes its folder. May be called twice. */
  stop(): Promise<void>
}

/** Resolves when one is ready. Throws EnvironmentError, with what it said, if it is not in time. */
export type StartAlertmanager = (options: LoneOptions) => Promise<LoneAlertmanager>
