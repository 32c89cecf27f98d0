import { type Finding, judged, type Outcome } from '../check.ts'

/** An outcome of simulated time: it has no window, since simulated evaluations happen at no date. */
export function simulated(
  finding: Finding,
  { expected, query }: { readonly expected: string; readonly query?: string },
): Outcome {
  const { verdict, reason, evidence } = judged(finding, { expected, window: { from: 0, to: 0 } })
  const { window: _, ...rest } = evidence
  return {
    verdict,
    ...(reason === undefined ? {} : { reason }),
    evidence: { ...rest, ...(query === undefined ? {} : { query }) },
  }
}
