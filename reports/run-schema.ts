import { z } from 'zod'
import { panels } from '../lib/course.ts'
import { signals, verdicts } from '../lib/verdict.ts'

/** Grows by one whenever a reader of the old form would misread the new one. */
export const schemaVersion = 1

const windowSchema = z.object({ from: z.number(), to: z.number() })

const evidenceSchema = z.object({
  expected: z.string(),
  actual: z.string(),
  query: z.string().exactOptional(),
  window: windowSchema.exactOptional(),
  attempts: z.number(),
  elapsedMs: z.number(),
  /** At most ten: the first five and the last five. */
  tries: z.array(z.object({ at: z.number(), found: z.string() })).exactOptional(),
  deadline: z.string().exactOptional(),
  reproduce: z.string().exactOptional(),
  link: z.string().exactOptional(),
  details: z.array(z.string()).exactOptional(),
})

export const checkSchema = z.object({
  id: z.string(),
  title: z.string(),
  signal: z.enum(signals),
  scenario: z.string().exactOptional(),
  verdict: z.enum(verdicts),
  reason: z.string().exactOptional(),
  accepted: z.object({ reason: z.string(), owner: z.string(), expires: z.string() }).exactOptional(),
  evidence: evidenceSchema,
})

export const planSchema = z.object({
  runId: z.string(),
  target: z.string(),
  scenarios: z.array(
    z.object({
      name: z.string(),
      profile: z.string(),
      journeys: z.array(z.string()),
      peakRate: z.number(),
      durationMs: z.number(),
    }),
  ),
  backends: z.record(z.string(), z.string()),
  deadlines: z.array(z.string()),
  faults: z.array(z.string()),
  estimatedMs: z.number(),
})

export const scenarioSchema = z.object({
  name: z.string(),
  window: windowSchema,
  requests: z.number(),
  iterations: z.number(),
  dropped: z.number(),
  p95Ms: z.number().nullable(),
  errorRatio: z.number().nullable(),
})

export const rollCallSchema = z.object({
  scenario: z.string(),
  rows: z.array(
    z.object({
      service: z.string(),
      sent: z.tuple([z.number(), z.number()]),
      counted: z.number().nullable(),
      logged: z.number().nullable(),
      traced: z.number().nullable(),
      missing: z.number(),
      doubled: z.number(),
      freshnessMs: z.number().nullable(),
    }),
  ),
  losses: z.array(z.object({ service: z.string(), signal: z.enum(signals), id: z.string(), command: z.string() })),
})

export const courseSchema = windowSchema.extend({
  stepMs: z.number(),
  series: z.array(
    z.object({
      panel: z.enum(panels),
      name: z.string(),
      service: z.string().exactOptional(),
      values: z.array(z.number().nullable()),
    }),
  ),
  bands: z.array(windowSchema.extend({ kind: z.enum(['scenario', 'phase', 'fault']), name: z.string() })),
  missing: z.array(z.string()),
})

export const laneSchema = windowSchema.extend({
  alert: z.string(),
  trial: z.string(),
  fault: windowSchema,
  stations: z.array(
    z.object({
      id: z.string(),
      receiver: z.string().exactOptional(),
      at: z.number().nullable(),
      permitted: windowSchema,
    }),
  ),
})

export const traceSchema = z.object({
  why: z.enum(['slowest', 'failed']),
  scenario: z.string(),
  traceId: z.string(),
  spans: z.array(
    z.object({
      traceId: z.string(),
      spanId: z.string(),
      parents: z.array(z.string()),
      service: z.string(),
      operation: z.string(),
      kind: z.enum(['server', 'client', 'producer', 'consumer', 'internal']),
      startedAt: z.number(),
      durationMs: z.number(),
      error: z.boolean(),
      attributes: z.record(z.string(), z.string()),
    }),
  ),
})

export const endSchema = z.object({
  runId: z.string(),
  exitCode: z.number().int(),
  verdict: z.string(),
  startedAt: z.number(),
  endedAt: z.number(),
})

/** `run.json`. Times are epoch milliseconds, durations milliseconds. */
export const runSchema = z.object({
  schemaVersion: z.literal(schemaVersion),
  runId: z.string(),
  /** When this text was written; a run without an end is either under way or was cut off after it. */
  writtenAt: z.number(),
  startedAt: z.number().nullable(),
  /** Null if the run ended before it had a plan. */
  plan: planSchema.nullable(),
  versions: z.record(z.string(), z.string()),
  environment: z.object({
    node: z.string(),
    platform: z.string(),
    cpus: z.number(),
    cpuModel: z.string(),
    memoryBytes: z.number(),
  }),
  scenarios: z.array(scenarioSchema),
  checks: z.array(checkSchema),
  /** By scenario; absent in runs of earlier versions. */
  rollCalls: z.array(rollCallSchema).default([]),
  /** Null and none in runs of earlier versions, and where nothing could be read. */
  course: courseSchema.nullable().default(null),
  lanes: z.array(laneSchema).default([]),
  traces: z.array(traceSchema).default([]),
  warnings: z.array(z.object({ at: z.number(), text: z.string() })),
  /** Null until the run has ended. */
  end: endSchema.nullable(),
  /** As it was resolved, without secrets. */
  config: z.json(),
})

export type Run = z.infer<typeof runSchema>
