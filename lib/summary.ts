/** One metric or sub-metric of k6's end-of-test summary; times are milliseconds. */
export interface SummaryMetric {
  readonly type: 'counter' | 'gauge' | 'rate' | 'trend'
  readonly values: Readonly<Record<string, number>>
  readonly thresholds?: Readonly<Record<string, { readonly ok: boolean }>> | undefined
}

/** What k6 knows at its end, as the journey runtime writes it; without set-up data, which may hold tokens. */
export interface Summary {
  readonly metrics: Readonly<Record<string, SummaryMetric>>
  /** Unexpected statuses by the names of failing checks. */
  readonly checks: readonly { readonly name: string; readonly passes: number; readonly fails: number }[]
  readonly testRunDurationMs: number
}

/** The name of the failing check that counts an unexpected answer; names are free keys, so nothing is declared. */
export function unexpectedName(part: string, journey: string, step: string, status: number, errorCode: number): string {
  return `unexpected|${part}|${journey}|${step}|${status}|${errorCode}`
}

export interface Unexpected {
  readonly part: string
  readonly journey: string
  readonly step: string
  /** 0: no answer came. */
  readonly status: number
  /** k6's code, e.g. 1050 for a time-out; 0 if there is none. */
  readonly errorCode: number
}

/** Reads such a name; undefined for checks of other making. */
export function parseUnexpected(name: string): Unexpected | undefined {
  const [word, part, journey, step, status, errorCode] = name.split('|')
  if (word !== 'unexpected' || part === undefined || journey === undefined || step === undefined) return undefined
  return { part, journey, step, status: Number(status), errorCode: Number(errorCode) }
}

/** An iteration that did not send each declared step once and in order. */
export interface OddLine {
  /** The k6 scenario, which is the journey. */
  readonly journey: string
  readonly iteration: number
  /** Numbers of the steps in the order sent. */
  readonly path: readonly number[]
  readonly why: string
}

/** How the reason of an iteration that threw begins; one that only left the declared order is odd, but not wrong. */
export const threwPrefix = 'threw '

/** The line that an odd iteration prints. */
export function formatOdd({ journey, iteration, path, why }: OddLine): string {
  return `odd ${journey} ${iteration} ${path.length === 0 ? '-' : path.join(',')} ${why}`
}

/** Reads such a line; undefined if it is none. */
export function parseOdd(line: string): OddLine | undefined {
  const [, journey, iteration, path, why] = /^odd (\S+) (\d+) (-|[\d,]+) (.*)$/.exec(line) ?? []
  if (journey === undefined || path === undefined) return undefined
  return {
    journey,
    iteration: Number(iteration),
    path: path === '-' ? [] : path.split(',').map(Number),
    why: why ?? '',
  }
}
