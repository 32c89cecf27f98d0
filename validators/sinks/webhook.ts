import { z } from 'zod'
import { alertSchema, notifiedAlert, parsedJson, problemsOf } from './body.ts'
import { type Incoming, plain, type Reading, type Service } from './service.ts'
import { lines } from './text.ts'

const texts = z.record(z.string(), z.string())

function messageSchema(version: string) {
  return z.object({
    version: z.literal(version),
    groupKey: z.string().min(1),
    truncatedAlerts: z.int().min(0),
    status: z.enum(['firing', 'resolved']),
    receiver: z.string().min(1),
    groupLabels: texts,
    commonLabels: texts,
    commonAnnotations: texts,
    externalURL: z.url(),
    alerts: z.array(alertSchema).min(1),
  })
}

type Message = z.output<ReturnType<typeof messageSchema>>

/**
 * Reads Alertmanager's webhook payload (https://prometheus.io/docs/alerting/latest/configuration/#webhook_config).
 * @param version 4 for webhooks; incident.io gets the same as version 1
 */
export function webhookReading({ body }: Incoming, version: string): Reading {
  const json = parsedJson(body)
  const parsed = messageSchema(version).safeParse(json)
  if (!parsed.success) {
    const problems = json === undefined ? ['the body is not JSON'] : problemsOf(parsed.error)
    return { status: undefined, text: lines(body), problems }
  }
  const message = parsed.data
  return {
    status: message.status,
    groupKey: message.groupKey,
    receiver: message.receiver,
    alerts: message.alerts.map(notifiedAlert),
    text: lines(...message.alerts.flatMap(({ labels, annotations }) => [...pairs(labels), ...pairs(annotations)])),
    problems: contradictions(message),
  }
}

export const webhook: Service = {
  read: (incoming) => webhookReading(incoming, '4'),
  answer: (_, problems) => (problems.length === 0 ? plain(200, '') : plain(400, problems.join('\n'))),
}

function pairs(values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).map(([name, value]) => `${name}: ${value}`)
}

/** What each part allows by itself, but not all together. */
function contradictions({ status, alerts, truncatedAlerts, commonLabels, groupLabels }: Message): string[] {
  const firing = alerts.some((alert) => alert.status === 'firing')
  const uncommon = Object.entries({ ...groupLabels, ...commonLabels })
    .filter(([name, value]) => !alerts.every(({ labels }) => labels[name] === value))
    .map(([name]) => `${name} is called common to the alerts, and is not`)
  return [
    ...(status === 'resolved' && firing ? ['status is resolved, and an alert is firing'] : []),
    // An alert that was cut off may be the one that fires.
    ...(status === 'firing' && !firing && truncatedAlerts === 0 ? ['status is firing, and no alert is'] : []),
    ...uncommon,
  ]
}
