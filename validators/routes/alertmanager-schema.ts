import { z } from 'zod'
import { parsePrometheusDuration } from '../../lib/prometheus-duration.ts'

/** Every receiver type of Alertmanager 0.31 (config.Receiver). */
export const receiverTypes = [
  'discord_configs',
  'email_configs',
  'incidentio_configs',
  'pagerduty_configs',
  'slack_configs',
  'webhook_configs',
  'opsgenie_configs',
  'wechat_configs',
  'pushover_configs',
  'victorops_configs',
  'sns_configs',
  'telegram_configs',
  'webex_configs',
  'msteams_configs',
  'msteamsv2_configs',
  'jira_configs',
  'rocketchat_configs',
  'mattermost_configs',
] as const

/** Scalars arrive as text; what YAML 1.1 takes for a truth value, as Alertmanager's reader does. */
const truth = z
  .string()
  .regex(
    /^(y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON|n|N|no|No|NO|false|False|FALSE|off|Off|OFF)$/,
    'must be true or false',
  )
  .transform((text) => /^(y|true|on)/i.test(text))
const text = z.string('must be text')
const name = z.string('needs a name').min(1, 'needs a name')
const duration = text.transform((value, context) => {
  const ms = parsePrometheusDuration(value)
  if (ms !== undefined) return ms
  context.addIssue(`"${value}" is no duration like 30s or 1h30m`)
  return z.NEVER
})
const notZero = duration.refine((ms) => ms > 0, 'must not be zero')
const texts = z.array(text)
const labelName = text.regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, 'is no label name')
/** Nothing written means the same as the key left out. */
function absentAs<T, D>(schema: z.ZodType<T>, value: D) {
  return schema.nullish().transform((given): T | D => given ?? value)
}

const labels = absentAs(z.record(labelName, text), {})
const groupBy = z
  .array(text.min(1, 'is no label name'))
  .refine((list) => new Set(list).size === list.length, 'names a label twice')
  .refine((list) => !list.includes('...') || list.length === 1, 'cannot have ... and labels at the same time')

/** One route as it stands in the file; undefined is inherited. */
export interface ParsedRoute {
  readonly receiver: string
  readonly group_by: readonly string[] | undefined
  readonly group_wait: number | undefined
  readonly group_interval: number | undefined
  readonly repeat_interval: number | undefined
  readonly match: Readonly<Record<string, string>>
  readonly match_re: Readonly<Record<string, string>>
  readonly matchers: readonly string[]
  readonly mute_time_intervals: readonly string[]
  readonly active_time_intervals: readonly string[]
  readonly continue: boolean
  readonly routes: readonly ParsedRoute[]
}

const route: z.ZodType<ParsedRoute> = z.strictObject({
  receiver: absentAs(text, ''),
  group_by: absentAs(groupBy, undefined),
  group_wait: absentAs(duration, undefined),
  group_interval: absentAs(notZero, undefined),
  repeat_interval: absentAs(notZero, undefined),
  match: labels,
  match_re: labels,
  matchers: absentAs(texts, []),
  mute_time_intervals: absentAs(texts, []),
  active_time_intervals: absentAs(texts, []),
  continue: absentAs(truth, false),
  routes: absentAs(
    z.lazy(() => z.array(route)),
    [],
  ),
})

const inhibitRule = z.strictObject({
  name: absentAs(text, undefined),
  source_match: labels,
  source_match_re: labels,
  source_matchers: absentAs(texts, []),
  target_match: labels,
  target_match_re: labels,
  target_matchers: absentAs(texts, []),
  equal: absentAs(z.array(text.min(1, 'is no label name')), []),
})

const integrations = z.array(z.record(z.string(), z.unknown(), 'must hold settings')).nullish()
const receiver = z.strictObject({
  name,
  ...(Object.fromEntries(receiverTypes.map((type) => [type, integrations])) as Record<
    (typeof receiverTypes)[number],
    typeof integrations
  >),
})

const namedTimeInterval = z.strictObject({ name, time_intervals: z.array(z.unknown()).nullish() })

/** Alertmanager's file as far as routing needs it; what integrations hold is judged by Alertmanager itself. */
export const fileSchema = z.strictObject({
  global: z.unknown().optional(),
  tracing: z.unknown().optional(),
  route,
  receivers: absentAs(z.array(receiver), []),
  inhibit_rules: absentAs(z.array(inhibitRule), []),
  templates: absentAs(texts, []),
  time_intervals: absentAs(z.array(namedTimeInterval), []),
  mute_time_intervals: absentAs(z.array(namedTimeInterval), []),
})
