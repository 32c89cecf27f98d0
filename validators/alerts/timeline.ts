import type { Notification } from '../sinks/notification.ts'

export type Labels = Readonly<Record<string, string>>

/** An alert in one state, from the first look that saw it so to the first that did not; epoch milliseconds of our clock. */
export interface Spell {
  readonly labels: Labels
  readonly state: string
  readonly from: number
  /** Absent while it lasts. */
  to?: number
  /** In Alertmanager: what inhibits and what silences it. */
  readonly inhibitedBy?: readonly string[]
  readonly silencedBy?: readonly string[]
}

/** When something was done: it began, and it had been answered; epoch milliseconds. */
export interface Moment {
  readonly from: number
  readonly to: number
}

export type Watched = 'prometheus' | 'alertmanager'

/** A sample series of ALERTS; times in epoch milliseconds of our clock. */
export interface AlertsSeries {
  /** Without `alertstate` and `__name__`. */
  readonly labels: Labels
  readonly state: string
  readonly from: number
  readonly to: number
}

/** Everything that was seen in a trial; judged without asking again. */
export interface Timeline {
  readonly startedAt: number
  readonly effect: Moment
  readonly lifted: Moment
  readonly endedAt: number
  /** How often both were asked in the meantime. */
  readonly looks: number
  /** What the rules API said, by look. */
  readonly prometheus: readonly Spell[]
  /** What the alerts API said. */
  readonly alertmanager: readonly Spell[]
  /** The series that Prometheus wrote meanwhile; absent if they could not be asked for. */
  readonly series?: readonly AlertsSeries[]
  readonly notifications: readonly Notification[]
  /** Alertmanager held groups that nobody could see into when the fault began: the alert may have joined one. */
  readonly groupsLinger: boolean
  /** What Prometheus adds to the labels of every alert that it sends; `relabels`: it may change them at will. */
  readonly outgoing?: { readonly externalLabels: Labels; readonly relabels: boolean }
  /** Requests that fit no sink. */
  readonly strangers: readonly string[]
  /** The last look's failure to ask. */
  readonly unasked: Readonly<Partial<Record<Watched, string>>>
}

/** True if the alert has this name and at least these labels. */
export function isAlert(labels: Labels, name: string, wanted: Labels = {}): boolean {
  return labels.alertname === name && Object.entries(wanted).every(([key, value]) => labels[key] === value)
}

/** `Name{service="x", severity="y"}`, in the order of the names. */
export function alertWords({ alertname = '?', ...labels }: Labels): string {
  const pairs = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))
  return pairs.length === 0 ? alertname : `${alertname}{${pairs.map(([key, value]) => `${key}="${value}"`).join(', ')}}`
}

function keyOf(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Makes spells of looks. */
export class Spells {
  readonly all: Spell[] = []
  readonly #current = new Map<string, Spell>()

  /** @param at epoch milliseconds @param seen every alert that there is now */
  look(at: number, seen: readonly Omit<Spell, 'from' | 'to'>[]): void {
    const keys = new Set<string>()
    for (const one of seen) {
      const key = `${one.state} ${keyOf(one.labels)} ${one.inhibitedBy?.length ?? 0} ${one.silencedBy?.length ?? 0}`
      keys.add(key)
      if (this.#current.has(key)) continue
      const spell: Spell = { ...one, from: at }
      this.#current.set(key, spell)
      this.all.push(spell)
    }
    for (const [key, spell] of this.#current) {
      if (keys.has(key)) continue
      spell.to = at
      this.#current.delete(key)
    }
  }

  /** What was there at the last look. */
  get current(): readonly Spell[] {
    return [...this.#current.values()]
  }
}

/** The beginning of the first spell; undefined if there is none. */
export function firstOf(spells: readonly Spell[], state: string): number | undefined {
  const begins = spells.filter((spell) => spell.state === state).map(({ from }) => from)
  return begins.length === 0 ? undefined : Math.min(...begins)
}

/** When the last of these spells had ended; undefined if there is none, or one lasts. */
export function endOf(spells: readonly Spell[]): number | undefined {
  const ends = spells.map(({ to }) => to)
  if (ends.length === 0 || ends.includes(undefined)) return undefined
  return Math.max(...ends.map((end) => end ?? 0))
}

/** Whether a notification is of an alert's firing or of its resolution: as the protocol tells it, else as it reads. */
export function statusOf(notification: Notification, alert: string): 'firing' | 'resolved' {
  const own = notification.alerts.filter(({ labels }) => labels.alertname === alert)
  if (own.length > 0) return own.some(({ status }) => status === 'firing') ? 'firing' : 'resolved'
  return notification.status ?? (/\bresolved\b/i.test(notification.text) ? 'resolved' : 'firing')
}

/** True if the notification went to the receiver that an entry of `reaches` names. */
export function arrivedAt({ type, receiver }: Notification, entry: string): boolean {
  return receiver === entry || `${type}/${receiver}` === entry
}

/** `slack to slack-platform`, or `slack` where both are one word. */
export function addressOf({ type, receiver }: Notification): string {
  return type === receiver ? type : `${type}/${receiver}`
}
