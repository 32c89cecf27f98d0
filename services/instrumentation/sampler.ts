import { type Context, TraceFlags, trace } from '@opentelemetry/api'
import {
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  SamplingDecision,
  type SamplingResult,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-node'
import type { Faults } from './faults.ts'

/**
 * Keeps the caller's decision, or, with a ratio, decides by the trace id whatever the caller says. Named outright, so
 * that no OTEL_ variable of the machine changes the counts.
 */
export function samplerOf(ratio: number | undefined, faults: Faults): Sampler {
  const own = new TraceIdRatioBasedSampler(ratio)
  const honest =
    ratio === undefined
      ? new ParentBasedSampler({ root: new AlwaysOnSampler() })
      : new ParentBasedSampler({ root: own, remoteParentSampled: own, remoteParentNotSampled: own })
  return new SabotagedSampler(honest, faults)
}

/** Passes a share of the sampled requests over, as a service would that draws lots of its own. */
class SabotagedSampler implements Sampler {
  readonly #honest: Sampler
  readonly #faults: Faults

  constructor(honest: Sampler, faults: Faults) {
    this.#honest = honest
    this.#faults = faults
  }

  shouldSample(...args: Parameters<Sampler['shouldSample']>): SamplingResult {
    const passedOver = isEntrance(args[0]) && this.#faults.strikesEveryNth('sample-some')
    return passedOver ? { decision: SamplingDecision.NOT_RECORD } : this.#honest.shouldSample(...args)
  }

  toString(): string {
    return this.#honest.toString()
  }
}

/** Whether a span begins here what another service has sampled. */
function isEntrance(parent: Context): boolean {
  const caller = trace.getSpanContext(parent)
  return caller?.isRemote === true && (caller.traceFlags & TraceFlags.SAMPLED) !== 0
}
