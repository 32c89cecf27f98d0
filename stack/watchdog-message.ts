import { z } from 'zod'

const identity = z.object({ pid: z.number().int().positive(), startTime: z.string() })

/** What the watchdog is told, one JSON object a line. */
export const watchdogMessage = z.union([
  z.object({ add: identity.extend({ role: z.enum(['k6', 'process']) }) }),
  /** Where a DELETE lifts a fault. */
  z.object({ lease: z.object({ url: z.url() }) }),
  z.object({ removeLease: z.object({ url: z.url() }) }),
  /** A folder of data to remove. */
  z.object({ folder: z.string() }),
  z.object({ bye: z.literal(true) }),
])
export type WatchdogMessage = z.infer<typeof watchdogMessage>
export type WatchdogRole = 'k6' | 'process'
