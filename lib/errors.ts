/** Exit codes of the command line; when several apply the order is interrupted, usage, invalid, failed, environment. */
export const exitCodes = { passed: 0, failed: 1, usage: 2, environment: 3, invalid: 4, interrupted: 130 } as const
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** A mistake or condition that muster foresees: shown as its message alone, without a stack trace. */
export class MusterError extends Error {
  readonly exitCode: ExitCode
  /** @param message one clear sentence that names the thing and the remedy */
  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'MusterError'
    this.exitCode = exitCode
  }
}

/** Bad flag, bad config: exit 2. */
export class UsageError extends MusterError {
  constructor(message: string, options?: ErrorOptions) {
    super(exitCodes.usage, message, options)
    this.name = 'UsageError'
  }
}

/** Something muster needs is not there or does not answer: exit 3. */
export class EnvironmentError extends MusterError {
  constructor(message: string, options?: ErrorOptions) {
    super(exitCodes.environment, message, options)
    this.name = 'EnvironmentError'
  }
}
