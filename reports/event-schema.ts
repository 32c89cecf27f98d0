import { z } from 'zod'
import {
  checkSchema,
  courseSchema,
  endSchema,
  laneSchema,
  planSchema,
  rollCallSchema,
  scenarioSchema,
  traceSchema,
} from './run-schema.ts'

/** Grows by one whenever a reader of the old lines would misread the new ones; a new type of event is no reason. */
export const eventVersion = 1

const event = <Type extends string, Shape extends z.ZodRawShape>(type: Type, shape: Shape) =>
  z.object({ v: z.literal(eventVersion), type: z.literal(type), at: z.number(), ...shape })

/**
 * One line of the `ndjson` reporter: what `RunEvent` of lib/event.ts says, and `v`. Times are epoch milliseconds, durations
 * milliseconds; a number that JSON cannot write (never found: Infinity) is null.
 */
export const eventSchema = z.discriminatedUnion('type', [
  event('run-started', { plan: planSchema, versions: z.record(z.string(), z.string()) }),
  event('phase', { text: z.string() }),
  event('load-progress', {
    progress: z.object({
      scenario: z.string(),
      elapsedMs: z.number(),
      durationMs: z.number(),
      iterations: z.number(),
      text: z.string(),
      begunAt: z.number().exactOptional(),
      live: z
        .object({ rate: z.number(), errorRatio: z.number().nullable(), p95Ms: z.number().nullable() })
        .exactOptional(),
    }),
  }),
  event('scenario-ended', { result: scenarioSchema }),
  event('check', { result: checkSchema }),
  event('roll-call', { rollCall: rollCallSchema }),
  event('course', { course: courseSchema }),
  event('alert-lane', { lane: laneSchema }),
  event('request-trace', { trace: traceSchema }),
  event('warning', { text: z.string() }),
  event('run-ended', { end: endSchema }),
])
