import { z } from 'zod'
import type { NotifiedAlert } from './notification.ts'

const texts = z.record(z.string(), z.string())

/** An alert in a webhook's body. */
export const alertSchema = z.object({
  status: z.enum(['firing', 'resolved']),
  labels: texts,
  annotations: texts,
  startsAt: z.iso.datetime({ offset: true }),
  endsAt: z.iso.datetime({ offset: true }),
  generatorURL: z.string(),
  fingerprint: z.string().regex(/^[\da-f]{16}$/, 'is no fingerprint of 16 hexadecimal digits'),
})

/**
 * Alertmanager reads what a template of `details` writes as YAML, and then each text in it again: a label "5" arrives as
 * a number, an empty one as null, a summary "p95: high" as a mapping.
 */
const rewritten = z.unknown().transform((value) => {
  if (typeof value === 'string') return value
  return value === null ? '' : (JSON.stringify(value) ?? '')
})
/** An alert that a template wrote by `toJson`, as PagerDuty's default details do. */
export const writtenAlertSchema = z.object({
  status: z.enum(['firing', 'resolved']),
  labels: z.record(z.string(), rewritten),
  annotations: z.record(z.string(), rewritten).nullable(),
  startsAt: z.iso.datetime({ offset: true }),
  endsAt: z.iso.datetime({ offset: true }),
})

export function notifiedAlert(alert: z.output<typeof writtenAlertSchema>): NotifiedAlert {
  const { status, labels, annotations, startsAt, endsAt } = alert
  const ended = status === 'resolved' ? { endsAt: Date.parse(endsAt) } : {}
  return { status, labels, annotations: annotations ?? {}, startsAt: Date.parse(startsAt), ...ended }
}

/** The body's JSON; undefined if it is none. */
export function parsedJson(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

/** Zod's issues as sentences that name the place: `payload.severity: ...`. */
export function problemsOf(error: z.ZodError): string[] {
  return error.issues.map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message))
}
