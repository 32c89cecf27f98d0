import { z } from 'zod'
import { parsedJson, problemsOf } from './body.ts'
import type { Notification } from './notification.ts'
import { type Incoming, plain, type Reading, type Service } from './service.ts'
import { lines, statusOfText, unescaped } from './text.ts'

const text = z.string()

const attachment = z.looseObject({
  title: text.optional(),
  title_link: text.optional(),
  pretext: text.optional(),
  text: text.optional(),
  fallback: text.optional(),
  color: text.optional(),
  fields: z.array(z.looseObject({ title: text, value: text, short: z.boolean().optional() })).optional(),
  actions: z.array(z.looseObject({ type: text.min(1), text: text.min(1), url: text.optional() })).optional(),
  image_url: text.optional(),
  thumb_url: text.optional(),
  footer: text.optional(),
  mrkdwn_in: z.array(text).optional(),
})

/**
 * What a service with Slack's attachments refuses; the limits are those of
 * https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks.
 */
const payload = z
  .looseObject({
    text: text.optional(),
    channel: text.optional(),
    username: text.optional(),
    icon_emoji: text.optional(),
    icon_url: text.optional(),
    attachments: z.array(attachment).max(100).optional(),
    blocks: z
      .array(z.looseObject({ type: text.min(1) }))
      .max(50)
      .optional(),
  })
  .refine((message) => textOf(message) !== '', { message: 'no_text: there is nothing that a human could read' })

interface Message {
  readonly text?: string | undefined
  readonly attachments?: readonly z.output<typeof attachment>[] | undefined
  readonly blocks?: readonly unknown[] | undefined
}

/** An incoming webhook of Slack's. */
export const slack: Service = {
  read: (incoming) => attachmentsReading(incoming, flaws),
  answer: ({ body }) => {
    const refused = payload.safeParse(parsedJson(body)).error
    if (!refused) return plain(200, 'ok')
    return plain(
      400,
      refused.issues.some(({ message }) => message.startsWith('no_text')) ? 'no_text' : 'invalid_payload',
    )
  },
}

/**
 * A message with attachments as Slack invented them, which Mattermost and Rocket.Chat take as well.
 * @param flawsOf what a service of this kind finds wrong besides, and takes all the same
 */
export function attachmentsReading({ body }: Incoming, flawsOf: (message: Message) => string[] = () => []): Reading {
  const json = parsedJson(body)
  const parsed = payload.safeParse(json)
  if (!parsed.success) {
    const problems = json === undefined ? ['the body is not JSON'] : problemsOf(parsed.error)
    return { status: undefined, text: lines(body), problems }
  }
  return { status: statusOf(parsed.data), text: textOf(parsed.data), problems: flawsOf(parsed.data) }
}

const color = /^(good|warning|danger|#?[\da-f]{6}|#?[\da-f]{3})$/i

/** What Slack cuts or leaves out without a word, so that a human misses it. */
function flaws({ text = '', attachments = [] }: Message): string[] {
  const found = attachments.flatMap((attached, index) => {
    const links = { title_link: attached.title_link, image_url: attached.image_url, thumb_url: attached.thumb_url }
    const buttons = (attached.actions ?? []).map(({ url }) => ['actions', url] as const)
    const broken = [...Object.entries(links), ...buttons].filter(([, url]) => url && !isLink(url))
    const { color: said = '', footer = '', actions = [] } = attached
    return [
      ...broken.map(([field, url]) => `${field}: ${JSON.stringify(url)} is no address that a human could follow`),
      ...(said === '' || color.test(said) ? [] : [`color: ${JSON.stringify(said)} is neither Slack's nor hexadecimal`]),
      ...(footer.length > 300 ? [`footer: Slack cuts ${footer.length} characters to 300`] : []),
      ...(actions.length > 5 ? [`actions: Slack shows 5 of ${actions.length}`] : []),
    ].map((flaw) => `attachments.${index}.${flaw}`)
  })
  return [...(text.length > 40_000 ? [`text: Slack cuts ${text.length} characters to 40000`] : []), ...found]
}

function isLink(url: string): boolean {
  return URL.canParse(url) && /^(https?|mailto):$/.test(new URL(url).protocol)
}

function statusOf({ text, attachments = [] }: Message): Notification['status'] {
  const said = statusOfText(text, ...attachments.flatMap(({ title, pretext, fallback }) => [title, pretext, fallback]))
  if (said) return said
  // Alertmanager's default colours, for Slack and for Rocket.Chat.
  const colors = new Set(attachments.map(({ color }) => color))
  if (colors.has('danger') || colors.has('red')) return 'firing'
  return colors.has('good') || colors.has('green') ? 'resolved' : undefined
}

/** What Slack shows; the fallback is left out, which stands in notices and not in the message. */
function textOf({ text, attachments = [], blocks = [] }: Message): string {
  const parts = attachments.flatMap(({ pretext, title, title_link, text, fields = [], actions = [], footer }) => [
    pretext,
    title,
    title_link,
    text,
    ...fields.flatMap(({ title, value }) => [title, value]),
    ...actions.flatMap(({ text, url }) => [text, url]),
    footer,
  ])
  return lines(...[text, ...parts, ...blocks.flatMap(blockTexts)].map((part) => shown(part ?? '')))
}

/** `<https://a.b|here>` is shown as a link; `&`, `<` and `>` come escaped. */
function shown(text: string): string {
  return unescaped(
    text.replaceAll(/<((?:https?|mailto):[^|>\s]+)\|([^>]*)>/g, '$2 $1').replaceAll(/<(https?:[^>\s]+)>/g, '$1'),
  )
}

/** Every text and address in a block, whatever its type. */
function blockTexts(block: unknown): string[] {
  if (Array.isArray(block)) return block.flatMap(blockTexts)
  if (typeof block !== 'object' || block === null) return []
  return Object.entries(block).flatMap(([name, value]) =>
    typeof value === 'string' ? (['text', 'url', 'alt_text'].includes(name) ? [value] : []) : blockTexts(value),
  )
}
