import { simpleParser } from 'mailparser'
import type { Reading } from './service.ts'
import { htmlText, lines, statusOfText } from './text.ts'

/** What a mail says, decoded, and what is wrong with it by RFC 5322. */
export async function mailReading(raw: Buffer): Promise<Reading> {
  const mail = await simpleParser(raw, { skipHtmlToText: true, skipTextToHtml: true, skipImageLinks: true })
  const header = (name: string) => {
    const value = mail.headers.get(name)
    return typeof value === 'string' ? value : undefined
  }
  const told = header('x-muster-status')
  const body = lines(mail.text, mail.html ? htmlText(mail.html) : undefined)
  return {
    status: told === 'firing' || told === 'resolved' ? told : statusOfText(mail.subject, mail.text),
    groupKey: header('x-muster-group-key'),
    receiver: header('x-muster-receiver'),
    text: lines(mail.subject, body),
    problems: [
      ...(mail.from?.value[0]?.address ? [] : ['From: is missing, or is no address']),
      ...(mail.date ? [] : ['Date: is missing']),
      ...(mail.messageId ? [] : ['Message-Id: is missing']),
      ...(mail.subject?.trim() ? [] : ['Subject: is missing or empty']),
      ...(body === '' ? ['no part holds text that a human could read'] : []),
    ],
  }
}
