/** One Alertmanager that runs for an experiment. */
export interface LoneAlertmanager {
  readonly url: string
  readonly pid: number
  /** What it has logged: one JSON object a line. */
  log(): string
  /** How it ended though nobody stopped it; undefined while it runs. */
  exited(): string | undefined
  stop(): Promise<void>
}

/** Starts one with a rewritten file. Throws EnvironmentError if it is not ready in time, with what it said. */
export type StartAlertmanager = (options: {
  /** Names the process and its folder. */
  readonly name: string
  readonly config: string
  /** All that it may know of an environment besides PATH, TMPDIR, LANG, TZ and an empty HOME. */
  readonly env: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}) => Promise<LoneAlertmanager>
