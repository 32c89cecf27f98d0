import { z } from 'zod'

const call = z.object({
  kind: z.literal('call'),
  method: z.string(),
  url: z.url(),
  body: z.string().optional(),
  headers: z.record(z.string(), z.string()),
  headersEnv: z.record(z.string(), z.string()),
  accept: z.array(z.number()).readonly(),
})
const command = z.object({ kind: z.literal('command'), argv: z.array(z.string()).readonly(), folder: z.string() })

const identity = z.object({ pid: z.number().int().positive(), startTime: z.string() })

/** What the watchdog is told, one JSON object a line. */
export const watchdogMessage = z.union([
  z.object({ add: identity.extend({ role: z.enum(['k6', 'process']) }) }),
  /** What lifts a fault; the id is the sender's. */
  z.object({ fault: z.object({ id: z.number().int(), lift: z.discriminatedUnion('kind', [call, command]) }) }),
  z.object({ lifted: z.number().int() }),
  /** A folder of data to remove. */
  z.object({ folder: z.string() }),
  z.object({ bye: z.literal(true) }),
])
export type WatchdogMessage = z.infer<typeof watchdogMessage>
export type WatchdogRole = 'k6' | 'process'
