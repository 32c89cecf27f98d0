import { z } from 'zod'
import { duration, httpUrl, variable } from '../config-values.ts'

const labelName = z.string().regex(/^[A-Za-z_]\w*$/, 'is no label name')
const labels = z.record(labelName, z.string())
const argv = z.array(z.string()).min(1, 'name a program and its arguments, as a list: no shell reads it')

const call = z.strictObject({
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']).default('POST'),
  /** On loopback, or on a host of target.allow. */
  url: httpUrl,
  /** Text as it is; anything else is sent as JSON. */
  body: z.json().optional(),
  headers: z.record(z.string(), z.string()).default({}),
  /** Header to the environment variable that holds its value. */
  headersEnv: z.record(z.string(), variable).default({}),
})
export type FaultCall = z.output<typeof call>

const fault = z.discriminatedUnion('kind', [
  /** A fault that a service's own fault port leases. */
  z.strictObject({
    kind: z.literal('service'),
    service: z.string(),
    fault: z.string(),
    /** The share of requests that it strikes. */
    ratio: z.number().gt(0).max(1).default(1),
    ms: z.number().int().positive().optional(),
  }),
  /** A request of yours that breaks something, and one that mends it: sent in any case, also after a crash of muster. */
  z.strictObject({ kind: z.literal('call'), call, lift: call, ratio: z.number().gt(0).max(1).default(1) }),
  /** The same with programs of yours, started in the config's folder. */
  z.strictObject({
    kind: z.literal('command'),
    command: argv,
    lift: argv,
    ratio: z.number().gt(0).max(1).default(1),
  }),
  /** An alert posted to Alertmanager itself; refused unless every route it takes asks for the label `drill`. */
  z.strictObject({
    kind: z.literal('synthetic'),
    labels: labels.refine(({ alertname }) => alertname !== undefined, 'must have an alertname'),
    annotations: z.record(labelName, z.string()).default({}),
    /** The label that only your test routes take. */
    drill: labelName,
  }),
])
export type Fault = z.output<typeof fault>

const pattern = z.string().refine((text) => patternOf(text) !== undefined, {
  error: (issue) => `${JSON.stringify(issue.input)} is no regular expression: /…/ holds one, anything else is a text`,
})

const expected = z.strictObject({
  alert: z.string(),
  /** Labels that it must have. */
  labels: labels.default({}),
  /** Receivers as the sinks know them: the last segment of the URL, or `slack/team` with the integration before it. */
  reaches: z.array(z.string()).default([]),
  /**
   * True: after the fault it is inactive, and every receiver is told so. A list: only these receivers are told, for
   * Alertmanager's `send_resolved` may be off at others. False: it must still be firing when the trial ends.
   */
  resolves: z.union([z.boolean(), z.array(z.string())]).default(true),
  /** What a human must read in every notification of its firing: a text, or a regular expression between slashes. */
  text: z.union([pattern.transform((one) => [one]), z.array(pattern)]).default([]),
  /** Your own demand, from the fault to the first notification; the rule's and the route's times must allow it. */
  within: duration.optional(),
  notBefore: duration.optional(),
  /** How soon the fault makes the expression true, and its end false: needed where muster cannot derive it. */
  crosses: z.strictObject({ within: duration, clearsWithin: duration }).optional(),
})
export type Expected = z.output<typeof expected>

/** One trial: a fault, and all that follows from it. Times are relative to the beginning of its load. */
export const trial = z
  .strictObject({
    name: z.string(),
    fault,
    at: duration.default('2s'),
    /** How long the fault lasts; absent: until all that is expected was delivered, or is late. */
    for: duration.optional(),
    /** Added to the end of every bound. */
    tolerance: duration.default('2s'),
    /** Traffic during the trial; absent: none but what others send. */
    load: z.strictObject({ scenario: z.string(), rate: z.number().positive().default(15) }).optional(),
    expect: z.array(expected).min(1, 'name at least one alert'),
    /** Alerts that fire in Prometheus too, but are delivered to nobody while the expected ones fire. */
    inhibits: z.array(z.string()).default([]),
  })
  .superRefine(({ expect, inhibits, fault, load }, context) => {
    const names = [...expect.map(({ alert }) => alert), ...inhibits]
    const twice = names.find((name, index) => names.indexOf(name) !== index)
    if (twice !== undefined)
      context.addIssue({ code: 'custom', path: ['expect'], message: `names ${twice} more than once` })
    expect.forEach(({ resolves, reaches }, index) => {
      const stranger = Array.isArray(resolves) ? resolves.find((entry) => !reaches.includes(entry)) : undefined
      if (stranger !== undefined)
        context.addIssue({
          code: 'custom',
          path: ['expect', index, 'resolves'],
          message: `names ${stranger}, which is not in reaches`,
        })
    })
    if (fault.kind === 'synthetic') {
      const other = expect.findIndex(({ alert }) => alert !== fault.labels.alertname)
      if (other >= 0)
        context.addIssue({
          code: 'custom',
          path: ['expect', other, 'alert'],
          message: `must be ${fault.labels.alertname}, the synthetic alert`,
        })
    }
    if (fault.kind === 'service' && !load)
      context.addIssue({ code: 'custom', path: ['load'], message: 'is needed: a fault strikes only requests' })
  })
export type Trial = z.output<typeof trial>

/** True if the receiver must be told that the alert is resolved. */
export function hearsResolution({ resolves }: Expected, entry: string): boolean {
  return Array.isArray(resolves) ? resolves.includes(entry) : resolves
}

/** The pattern of a text, or of a regular expression between slashes; undefined if that is none. */
export function patternOf(text: string): { test: (read: string) => boolean } | undefined {
  const [, source, flags] = /^\/(.+)\/([imsu]*)$/s.exec(text) ?? []
  if (source === undefined) return { test: (read) => read.includes(text) }
  try {
    return new RegExp(source, flags)
  } catch {
    return undefined
  }
}
