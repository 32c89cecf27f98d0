import type { CheckResult } from './verdict.ts'

/** A line of a file. */
export interface Position {
  /** Absolute. */
  readonly file: string
  /** From 1. */
  readonly line: number
}

/** Tells where the user's files state what a check expects. */
export type PositionFinder = (check: Pick<CheckResult, 'id' | 'scenario'>) => Position | undefined
