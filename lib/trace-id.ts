import { fmix32 } from './hash.ts'
import { isSampled, isScatterSampled } from './sampling.ts'

/**
 * Where a request comes from. All are unsigned: `run` and `iteration` 32 bits, the others 8.
 * `scenario` is the number of the (scenario, journey) pair in the plan; 255 is set-up and tear-down.
 */
export interface Origin {
  readonly run: number
  readonly instance: number
  readonly scenario: number
  readonly step: number
  readonly repetition: number
  readonly iteration: number
}

/** The scenario number of requests made in k6's setup and teardown. */
export const setupScenario = 255

/** The instance number of requests made while an alert is tried; k6 processes of a scenario begin at 0. */
export const trialInstance = 254

/** The instance number of requests that muster itself sends. */
export const sentinelInstance = 255

const hex2: readonly string[] = Array.from({ length: 256 }, (_, n) => n.toString(16).padStart(2, '0'))

/** A uint32 as eight hexadecimal digits. */
export function hex8(value: number): string {
  return (
    (hex2[value >>> 24] ?? '') +
    (hex2[(value >>> 16) & 255] ?? '') +
    (hex2[(value >>> 8) & 255] ?? '') +
    (hex2[value & 255] ?? '')
  )
}

function scatter(run: number, place: number, iteration: number): number {
  return fmix32(iteration ^ fmix32(place ^ fmix32(run ^ 0x6d757374)))
}

/**
 * A readable W3C trace id of 32 hexadecimal digits: run 8, k6 instance 2, scenario 2, step 2, repetition 2, scatter 8,
 * iteration 8. The scatter is a keyed hash of the rest: ratio samplers that read the low or the middle bytes stay fair,
 * and an id that was not made here is recognised. A run, a scenario or a step is a prefix.
 */
export function traceId(origin: Origin): string {
  const place = placeOf(origin)
  return hex8(origin.run) + hex8(place) + hex8(scatter(origin.run, place, origin.iteration)) + hex8(origin.iteration)
}

function placeOf(origin: Origin): number {
  return ((origin.instance << 24) | (origin.scenario << 16) | (origin.step << 8) | origin.repetition) >>> 0
}

/** The origin that an id was made from, or undefined if muster did not make it. */
export function decodeTraceId(id: string): Origin | undefined {
  if (!/^[0-9a-f]{32}$/.test(id)) return undefined
  const word = (at: number) => Number.parseInt(id.slice(at, at + 8), 16)
  const [run, place, scattered, iteration] = [word(0), word(8), word(16), word(24)]
  if (scatter(run, place, iteration) !== scattered) return undefined
  return {
    run,
    instance: place >>> 24,
    scenario: (place >>> 16) & 255,
    step: (place >>> 8) & 255,
    repetition: place & 255,
    iteration,
  }
}

/**
 * The parent id announced in the traceparent header: one per step, so that the root of every trace of the step is the
 * span with this parent. Never all zero, since the last byte is 1.
 */
export function parentId(origin: Pick<Origin, 'run' | 'instance' | 'scenario' | 'step'>): string {
  return hex8(origin.run) + hex8(((origin.instance << 24) | (origin.scenario << 16) | (origin.step << 8) | 1) >>> 0)
}

/** A W3C traceparent header, version 00, sampled unless told otherwise. */
export function traceparent(origin: Origin, sampled = true): string {
  return `00-${traceId(origin)}-${parentId(origin)}-${sampled ? '01' : '00'}`
}

/**
 * The traceparent headers of one step, by repetition and iteration: as `traceparent`, with all that is constant worked out
 * once, since k6 asks for one with every request.
 * @param share of the requests that carry the sampled flag, see `isSampled`
 */
export function traceparents(
  step: Pick<Origin, 'run' | 'instance' | 'scenario' | 'step'>,
  share = 1,
): (repetition: number, iteration: number) => string {
  const key = fmix32(placeOf({ ...step, repetition: 0, iteration: 0 }) ^ fmix32(step.run ^ 0x6d757374))
  const head = `00-${traceId({ ...step, repetition: 0, iteration: 0 }).slice(0, 16)}`
  const parent = `-${parentId(step)}`
  const [sampled, unsampled] = [`${parent}-01`, `${parent}-00`]
  const all = share >= 1
  return (repetition, iteration) => {
    if (repetition > 0) {
      const origin = { ...step, repetition, iteration }
      return traceparent(origin, isSampled(traceId(origin), share))
    }
    const scattered = fmix32(iteration ^ key)
    // k6's interpreter is quicker at this than at `hex8`; Node is not.
    const digits = scattered.toString(16).padStart(8, '0') + iteration.toString(16).padStart(8, '0')
    return head + digits + (all || isScatterSampled(scattered, share) ? sampled : unsampled)
  }
}
