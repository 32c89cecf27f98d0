export type SinkKind = 'webhook' | 'slack' | 'pagerduty' | 'email' | 'capture'

/** An alert as a notification tells it in structure: webhooks do, and what a template writes as JSON. */
export interface NotifiedAlert {
  readonly status: 'firing' | 'resolved'
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  /** Epoch milliseconds. */
  readonly startsAt?: number
  /** Epoch milliseconds by the clock of the alert's sender; only a resolved alert has it. */
  readonly endsAt?: number
}

/** One attempt of Alertmanager to notify somebody, as a sink received and answered it. */
export interface Notification {
  /** Epoch milliseconds at which it had arrived whole. */
  readonly at: number
  readonly kind: SinkKind
  /** Alertmanager's integration: webhook, slack, pagerduty, email, opsgenie, ... */
  readonly type: string
  /** Whom it was addressed to: the URL's segment after the type, header X-Muster-Receiver, or the recipient's local part. */
  readonly receiver: string
  /** As the protocol tells it; undefined if it does not. */
  readonly status: 'firing' | 'resolved' | undefined
  /** The group key, or the hash of it that the protocol carries as key for deduplication. */
  readonly groupKey?: string
  /** Empty where the protocol tells no alerts in structure. */
  readonly alerts: readonly NotifiedAlert[]
  /** What a human reads, decoded: subject or title, text, links. */
  readonly text: string
  /** The body as it came. */
  readonly raw: string
  /** What is wrong by the service's published contract; empty if it is sound. */
  readonly problems: readonly string[]
  /** The status code of the sink's answer (HTTP, or SMTP's reply), or `nothing`. */
  readonly answered: string
  /** How a mail came. */
  readonly transport?: { readonly tls: boolean; readonly auth: string | undefined }
}

/** True if the service took it: what was refused or left unanswered, Alertmanager has not delivered. */
export function isDelivered({ answered }: Notification): boolean {
  return answered.startsWith('2')
}

/**
 * True if a human reading it can tell that it is about this alert: by its labels where there are any, otherwise by the
 * name as a word of its text (`Disk` is no word of `DiskFull` or `Disk-full`).
 */
export function tells({ alerts, text }: Notification, alertname: string): boolean {
  if (alerts.length > 0) return alerts.some(({ labels }) => labels.alertname === alertname)
  const name = alertname.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
  return new RegExp(`(?<![\\p{L}\\p{N}_]|[\\p{L}\\p{N}_]-)${name}(?![\\p{L}\\p{N}_]|-[\\p{L}\\p{N}_])`, 'u').test(text)
}
