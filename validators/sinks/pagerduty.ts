import { z } from 'zod'
import { notifiedAlert, parsedJson, problemsOf, writtenAlertSchema } from './body.ts'
import type { NotifiedAlert } from './notification.ts'
import { json, type Reading, type Service } from './service.ts'
import { lines } from './text.ts'

/** A routing key that PagerDuty would take by its form, and that opens nothing. */
export const sampleRoutingKey = 'muster0000routing0000key00000000'

const eventBytes = 512_000

/** What PagerDuty refuses an event for: https://developer.pagerduty.com/docs/send-alert-event */
const event = z
  .looseObject({
    routing_key: z.string().length(32, "Length of 'routing_key' is incorrect (should be 32 characters)"),
    event_action: z.enum(['trigger', 'acknowledge', 'resolve']),
    dedup_key: z.string().min(1).max(255).optional(),
    client: z.string().optional(),
    client_url: z.string().optional(),
    images: z.array(z.looseObject({ src: z.string(), href: z.string().optional() })).optional(),
    links: z.array(z.looseObject({ href: z.string(), text: z.string().optional() })).optional(),
    payload: z
      .looseObject({
        summary: z.string().min(1).max(1024),
        source: z.string().min(1),
        severity: z.enum(['critical', 'error', 'warning', 'info']),
        timestamp: z.iso.datetime({ offset: true }).optional(),
        component: z.string().optional(),
        group: z.string().optional(),
        class: z.string().optional(),
        custom_details: z.record(z.string(), z.unknown()).optional(),
      })
      .optional(),
  })
  .refine(({ event_action, payload }) => event_action !== 'trigger' || payload, { message: "'payload' is missing" })
  .refine(({ event_action, dedup_key }) => event_action === 'trigger' || dedup_key, {
    message: "'dedup_key' is missing: nothing can be resolved without it",
  })

/** PagerDuty's Events API v2. */
export const pagerduty: Service = {
  read: ({ body }): Reading => {
    const refusals = refusalsOf(body)
    if (refusals.length > 0) return { status: undefined, text: lines(body), problems: refusals }
    const told = event.parse(parsedJson(body))
    const { event_action, dedup_key, payload, links = [], client_url } = told
    const details = payload?.custom_details ?? {}
    return {
      status: event_action === 'trigger' ? 'firing' : event_action === 'resolve' ? 'resolved' : undefined,
      groupKey: dedup_key,
      alerts: [...alertsIn(details.firing), ...alertsIn(details.resolved)],
      text: lines(
        payload?.summary,
        payload?.source,
        payload?.component,
        payload?.class,
        payload?.group,
        ...Object.entries(details).map(([name, detail]) => `${name}: ${written(detail)}`),
        ...links.flatMap(({ href, text }) => [text, href]),
        client_url,
      ),
      problems: flaws(told),
    }
  },
  answer: ({ body }) => {
    const errors = refusalsOf(body)
    if (errors.length > 0) return json(400, { status: 'invalid event', message: 'Event object is invalid', errors })
    const { dedup_key } = event.parse(parsedJson(body))
    return json(202, { status: 'success', message: 'Event processed', dedup_key: dedup_key ?? crypto.randomUUID() })
  },
}

function refusalsOf(body: string): string[] {
  const value = parsedJson(body)
  if (value === undefined) return ['the body is not JSON']
  const { error } = event.safeParse(value)
  if (error) return problemsOf(error)
  return Buffer.byteLength(body) > eventBytes ? [`the event is larger than ${eventBytes / 1000} kB`] : []
}

/** What PagerDuty takes, and a human cannot use. */
function flaws({ links = [], images = [], client_url }: z.output<typeof event>): string[] {
  const addresses = [
    ...links.map(({ href }, index) => [`links.${index}.href`, href, /^https?:$/] as const),
    ...images.map(({ src }, index) => [`images.${index}.src`, src, /^https:$/] as const),
    ...(client_url ? [['client_url', client_url, /^https?:$/] as const] : []),
  ]
  return addresses
    .filter(([, url, protocol]) => !(URL.canParse(url) && protocol.test(new URL(url).protocol)))
    .map(([field, url]) => `${field}: ${JSON.stringify(url)} is no address that a human could follow`)
}

/** Alertmanager's default details hold the alerts as JSON, or as text that is JSON. */
function alertsIn(detail: unknown): NotifiedAlert[] {
  const parsed = z.array(writtenAlertSchema).safeParse(typeof detail === 'string' ? parsedJson(detail) : detail)
  return parsed.success ? parsed.data.map(notifiedAlert) : []
}

function written(detail: unknown): string {
  return typeof detail === 'string' ? detail : (JSON.stringify(detail) ?? '')
}
