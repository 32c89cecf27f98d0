import { z } from 'zod'
import { duration, httpUrl, variable } from '../config-values.ts'

const labelName = z.string().regex(/^[A-Za-z_]\w*$/, 'is no label name')
const labels = z.record(labelName, z.string())
const argv = z.array(z.string()).min(1, 'name a program and its arguments, as a list: no shell reads it')

const call = z.strictObject({
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']).default('POST').describe('Its method.'),
  url: httpUrl.describe('On loopback, or on a host of `target.allow`.'),
  body: z.json().optional().describe('Text as it is; anything else is sent as JSON.'),
  headers: z.record(z.string(), z.string()).default({}).describe('Headers with values that anybody may read.'),
  headersEnv: z
    .record(z.string(), variable)
    .default({})
    .describe('Header to the environment variable that holds its value.'),
})
export type FaultCall = z.output<typeof call>

const ratio = z.number().gt(0).max(1).default(1).describe('The share of requests that it strikes.')

const fault = z.discriminatedUnion('kind', [
  z
    .strictObject({
      kind: z.literal('service'),
      service: z.string().describe('The service, as `services` names it.'),
      fault: z.string().describe('The name of its fault.'),
      ratio,
      ms: z.number().int().positive().optional().describe('How much it delays, where it does.'),
    })
    .describe("one that the service's own fault port leases."),
  z
    .strictObject({
      kind: z.literal('call'),
      call: call.describe('The request that breaks something.'),
      lift: call.describe('The request that mends it.'),
      ratio,
    })
    .describe('a request of yours, and one that mends: sent in any case, also after a crash of muster.'),
  z
    .strictObject({
      kind: z.literal('command'),
      command: argv.describe('The program that breaks something, and its arguments.'),
      lift: argv.describe('The program that mends it, and its arguments.'),
      ratio,
    })
    .describe("the same with programs of yours, started in the config's folder."),
  z
    .strictObject({
      kind: z.literal('synthetic'),
      labels: labels
        .refine(({ alertname }) => alertname !== undefined, 'must have an alertname')
        .describe('Its labels, `alertname` among them.'),
      annotations: z.record(labelName, z.string()).default({}).describe('Its annotations.'),
      drill: labelName.describe('The label that only your test routes take.'),
    })
    .describe(
      'an alert posted to Alertmanager itself; refused unless every route it takes asks for the label `drill`.',
    ),
])
export type Fault = z.output<typeof fault>

const pattern = z.string().refine((text) => patternOf(text) !== undefined, {
  error: (issue) => `${JSON.stringify(issue.input)} is no regular expression: /…/ holds one, anything else is a text`,
})

const expected = z.strictObject({
  alert: z.string().describe('Its name.'),
  labels: labels.default({}).describe('Labels that it must have.'),
  reaches: z
    .array(z.string())
    .default([])
    .describe(
      'Receivers as the sinks know them: the last segment of the URL, or `slack/team` with the integration before it.',
    ),
  resolves: z
    .union([z.boolean(), z.array(z.string())])
    .default(true)
    .describe(
      "True: after the fault it is inactive, and every receiver is told so. A list: only these receivers are told, for Alertmanager's `send_resolved` may be off at others. False: it must still be firing when the trial ends.",
    ),
  text: z
    .union([pattern.transform((one) => [one]), z.array(pattern)])
    .default([])
    .describe(
      'What a human must read in every notification of its firing: a text, or a regular expression between slashes.',
    ),
  within: duration
    .optional()
    .describe(
      "Your own demand, from the fault to the first notification; the rule's and the route's times must allow it.",
    ),
  notBefore: duration.optional().describe('The same, at the earliest.'),
  crosses: z
    .strictObject({
      within: duration.describe('From the fault to its being true.'),
      clearsWithin: duration.describe('From the end of the fault to its being false.'),
    })
    .optional()
    .describe('How soon the fault makes the expression true, and its end false: needed where muster cannot derive it.'),
})
export type Expected = z.output<typeof expected>

/** One trial: a fault, and all that follows from it. Times are relative to the beginning of its load. */
export const trial = z
  .strictObject({
    name: z.string().describe('Its name, which is in titles and ids.'),
    fault: fault.describe('What is switched on, and off again in any case.'),
    at: duration.default('2s').describe('When the fault is switched on, from the beginning of the load.'),
    for: duration
      .optional()
      .describe('How long the fault lasts; absent: until all that is expected was delivered, or is late.'),
    tolerance: duration.default('2s').describe('Added to the end of every bound.'),
    load: z
      .strictObject({
        scenario: z.string().describe('The module of a scenario.'),
        rate: z.number().positive().default(15).describe('Iterations per second.'),
      })
      .optional()
      .describe('Traffic during the trial; absent: none but what others send.'),
    expect: z.array(expected).min(1, 'name at least one alert').describe('The alerts that must fire.'),
    inhibits: z
      .array(z.string())
      .default([])
      .describe('Alerts that fire in Prometheus too, but are delivered to nobody while the expected ones fire.'),
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
