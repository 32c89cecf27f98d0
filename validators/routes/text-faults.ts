import { simpleParser } from 'mailparser'
import type { Notification } from '../sinks/notification.ts'
import { probeLabel } from './experiment-alert.ts'
import type { LogLine } from './log-line.ts'
import type { PlacedIntegration } from './rewrite.ts'

/** What is wrong with the texts that one integration told of one case. @param error what Alertmanager said if it told nothing */
export async function faultsOf(
  integration: PlacedIntegration,
  arrived: readonly Notification[],
  error: string | undefined,
): Promise<string[]> {
  if (arrived.length === 0) return [`nothing was told${error === undefined ? '' : `: ${error}`}`]
  const found = arrived.flatMap(({ text, raw, problems }) => [
    ...(/<no value>|&lt;no value&gt;/.test(`${text}\n${raw}`)
      ? ['the text has <no value>: a template uses what the alert does not have']
      : []),
    ...(/%!\w?\(\w+=/.test(text) ? ['the text has an error of Go formatting (%!...)'] : []),
    ...problems,
  ])
  return integration.type === 'email' ? [...found, ...(await scripts(arrived))] : found
}

/** A mail's HTML in which the text of an alert has become a script. */
async function scripts(mails: readonly Notification[]): Promise<string[]> {
  const parsed = await Promise.all(mails.map(({ raw }) => simpleParser(raw)))
  return parsed.some(({ html }) => typeof html === 'string' && html.includes('<script>alert('))
    ? ["an alert's text becomes HTML of the mail, a script even: take safeHtml away"]
    : []
}

/**
 * Whether a text was cut. Alertmanager cuts what is longer than the service takes, and says so in its log, where some types
 * name the group, by whose matchers the case is known; of the others the mark of the cut must stand in the text.
 * @param groups the beginning of the ids of the case's alerts, as it stands in its route's matchers
 */
export function cutsOf(
  { type, runsAs }: PlacedIntegration,
  arrived: readonly Notification[],
  log: readonly LogLine[],
  groups: string,
): string[] {
  const name = runsAs.replace(/\[\d+\]$/, '')
  const marked = arrived.some(({ text, raw }) => text.includes('…') || raw.includes('\\u2026'))
  const lines = log.filter((line) => {
    if (typeof line.msg !== 'string' || !/truncated/i.test(line.msg) || line.integration !== name) return false
    const words = JSON.stringify(line)
    return words.includes(probeLabel) ? words.includes(groups) : marked
  })
  const found = lines.map(
    ({ msg, max_runes: limit }) =>
      `it is cut: ${String(msg)}${limit === undefined ? '' : ` to ${String(limit)} characters`}`,
  )
  // SNS is told in an attribute.
  if (type === 'sns' && arrived.some(({ raw }) => /\btruncated\b/.test(raw)))
    found.push('it is cut: longer than SNS takes')
  return found
}
