import { z } from 'zod'
import { parsedJson, problemsOf } from './body.ts'
import { jira } from './jira.ts'
import type { Notification } from './notification.ts'
import { type Answer, type Incoming, json, plain, type Reading, type Service } from './service.ts'
import { attachmentsReading } from './slack.ts'
import { htmlText, lines, statusOfText } from './text.ts'
import { webhookReading } from './webhook.ts'

/**
 * The other services that Alertmanager 0.31 notifies, each answering as far as Alertmanager asks (its notify/<type>).
 * What is checked is that the body is of the service's shape and says something; limits of length are Alertmanager's
 * own, which cuts the text.
 */
export function capturedServices(): Readonly<Record<string, Service>> {
  return {
    opsgenie,
    victorops,
    telegram,
    webex: service(z.object({ markdown: z.string(), roomId: z.string().optional() }), ({ markdown }) => [markdown], {
      ok: json(200, { id: 'muster' }),
    }),
    discord,
    msteams: service(
      z.object({ title: z.string(), text: z.string(), summary: z.string(), themeColor: z.string() }),
      ({ title, text, summary }) => [title, text, summary],
      { ok: plain(200, '1'), status: ({ themeColor }) => byColor(themeColor, '8C1A1A', '2DC72D') },
    ),
    msteamsv2,
    mattermost: { read: (incoming) => attachmentsReading(incoming), answer: refusing(plain(200, 'ok')) },
    rocketchat: { read: (incoming) => attachmentsReading(incoming), answer: refusing(json(200, { success: true })) },
    wechat,
    sns,
    jira: jira(),
    incidentio: {
      read: (incoming) => webhookReading(incoming, '1'),
      answer: refusing(json(202, { status: 'success', message: 'Event accepted for processing' })),
    },
  }
}

/** A type that Alertmanager got later than muster knows of: whatever comes is text. */
export const unknownService: Service = {
  read: ({ body }) => reading(body, [body]),
  answer: refusing(plain(200, 'ok')),
}

interface Options<T> {
  readonly ok: Answer
  readonly status?: (body: T) => Notification['status']
  readonly groupKey?: (body: T) => string | undefined
}

/** A service that takes one JSON body; `texts` are what a human reads of it. */
function service<T>(
  schema: z.ZodType<T>,
  texts: (body: T) => readonly (string | undefined)[],
  options: Options<T>,
): Service {
  return {
    read: ({ body }) => {
      const parsed = schema.safeParse(parsedJson(body))
      if (!parsed.success) return { status: undefined, text: lines(body), problems: problemsOf(parsed.error) }
      const { status, groupKey } = options
      return reading(body, texts(parsed.data), status?.(parsed.data), groupKey?.(parsed.data))
    },
    answer: refusing(options.ok),
  }
}

function reading(
  body: string,
  texts: readonly (string | undefined)[],
  status: Notification['status'] = statusOfText(...texts),
  groupKey?: string,
): Reading {
  const text = lines(...texts)
  return { status, groupKey, text, problems: text === '' ? [`it says nothing: ${body.slice(0, 100)}`] : [] }
}

function refusing(ok: Answer): Service['answer'] {
  return (_, problems) => (problems.length === 0 ? ok : json(400, { message: 'Bad Request', errors: problems }))
}

/** Alertmanager colours by status; any other colour tells nothing. */
function byColor(color: unknown, firing: unknown, resolved: unknown): Notification['status'] {
  if (color === firing) return 'firing'
  return color === resolved ? 'resolved' : undefined
}

const details = z.record(z.string(), z.string()).default({})
const created = service(
  z.object({ alias: z.string(), message: z.string().min(1).max(130), description: z.string().default(''), details }),
  ({ message, description, details }) => [
    message,
    description,
    ...Object.entries(details).map((pair) => pair.join(': ')),
  ],
  {
    ok: json(202, { result: 'Request will be processed', took: 0, requestId: 'muster' }),
    status: () => 'firing',
    groupKey: ({ alias }) => alias,
  },
)

/** Opsgenie is told of the end by a call that names the alias alone. */
const opsgenie: Service = {
  aside: ({ method }) => (method === 'PUT' ? json(202, { result: 'Request will be processed' }) : undefined),
  read: (incoming) => {
    const [, , alias, verb] = incoming.path
    if (verb !== 'close') return created.read(incoming)
    return reading(incoming.body, [`closed: ${alias}`], 'resolved', alias)
  },
  answer: created.answer,
}

const victorops = service(
  z.looseObject({
    message_type: z.enum(['CRITICAL', 'WARNING', 'INFO', 'ACKNOWLEDGEMENT', 'RECOVERY']),
    entity_id: z.string().min(1),
    entity_display_name: z.string(),
    state_message: z.string(),
    monitoring_tool: z.string(),
  }),
  ({ entity_display_name, state_message }) => [entity_display_name, state_message],
  {
    ok: json(200, { result: 'success' }),
    status: ({ message_type }) => (message_type === 'RECOVERY' ? 'resolved' : 'firing'),
    groupKey: ({ entity_id }) => entity_id,
  },
)

const telegram = service(
  z.looseObject({
    chat_id: z.union([z.string(), z.number()]),
    text: z.string().max(4096),
    parse_mode: z.string().optional(),
  }),
  ({ text, parse_mode }) => [parse_mode === 'HTML' ? htmlText(text) : text],
  { ok: json(200, { ok: true, result: { message_id: 1, date: 0, chat: { id: 1, type: 'private' } } }) },
)

const discord = service(
  z.object({
    content: z.string(),
    embeds: z.array(z.object({ title: z.string(), description: z.string(), color: z.number() })).max(10),
  }),
  ({ content, embeds }) => [content, ...embeds.flatMap(({ title, description }) => [title, description])],
  { ok: plain(204, ''), status: ({ embeds }) => byColor(embeds[0]?.color, 0x99_2d_22, 0x2e_cc_71) },
)

const card = z.object({ body: z.array(z.looseObject({ text: z.string().default(''), color: z.string().default('') })) })
const msteamsv2 = service(
  z.object({ type: z.literal('message'), attachments: z.array(z.object({ content: card })).min(1) }),
  ({ attachments }) => attachments.flatMap(({ content }) => content.body.map(({ text }) => text)),
  {
    ok: plain(202, ''),
    status: ({ attachments }) => byColor(attachments[0]?.content.body[0]?.color, 'Attention', 'Good'),
  },
)

const content = z.object({ content: z.string() }).optional()
const wechatMessage = service(
  z.looseObject({ msgtype: z.enum(['text', 'markdown']), text: content, markdown: content }),
  ({ text, markdown }) => [text?.content, markdown?.content],
  { ok: json(200, { errcode: 0, errmsg: 'ok' }) },
)

/** WeCom's API gives a token for the secret, which is good for two hours. */
const wechat: Service = {
  ...wechatMessage,
  aside: ({ path }) =>
    path.at(-1) === 'gettoken'
      ? json(200, { errcode: 0, errmsg: 'ok', access_token: 'muster', expires_in: 7200 })
      : undefined,
}

const publication = z.object({
  Action: z.literal('Publish'),
  Message: z.string().min(1),
  Subject: z.string().max(100).optional(),
})

/** Amazon's Query protocol: a form in, XML out. */
const sns: Service = {
  read: ({ body }: Incoming) => {
    const form = new URLSearchParams(body)
    const parsed = publication.safeParse(Object.fromEntries(form))
    if (!parsed.success) return { status: undefined, text: lines(body), problems: problemsOf(parsed.error) }
    const { Subject, Message } = parsed.data
    return reading(body, [Subject, Message], undefined, form.get('MessageGroupId') ?? undefined)
  },
  answer: (_, problems) => ({
    status: problems.length === 0 ? 200 : 400,
    contentType: 'text/xml',
    body: problems.length === 0 ? published : rejected,
  }),
}

const published =
  '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>00000000-0000-4000-8000-000000000000</MessageId></PublishResult><ResponseMetadata><RequestId>00000000-0000-4000-8000-000000000000</RequestId></ResponseMetadata></PublishResponse>'
const rejected =
  '<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>InvalidParameter</Code><Message>Invalid parameter</Message></Error><RequestId>00000000-0000-4000-8000-000000000000</RequestId></ErrorResponse>'
