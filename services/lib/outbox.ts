import { z } from 'zod'
import type { Database } from './database.ts'

/** What a change has to tell subscribers. */
export interface Announcement {
  /** `todo.created`, `todo.updated` or `todo.deleted`. */
  readonly event: string
  /** JSON. */
  readonly body: string
  readonly requestId: string
  /** W3C context of the producer span; undefined only by sabotage. */
  readonly traceparent: string | undefined
}

const messageRow = z
  .object({
    id: z.number(),
    event: z.string(),
    body: z.string(),
    request_id: z.string(),
    traceparent: z.string().nullable(),
    attempts: z.number(),
    due_at: z.number(),
  })
  .transform(({ request_id, due_at, traceparent, ...row }) => ({
    ...row,
    requestId: request_id,
    traceparent: traceparent ?? undefined,
    dueAt: due_at,
  }))

/** An announcement in the queue; `attempts` were made in vain, the next is due at `dueAt` (epoch ms). */
export type Message = z.infer<typeof messageRow>

/** What became of a message: delivered (and gone), to be tried again at `dueAt`, or dead and kept for a look. */
export type Settlement =
  | { readonly id: number; readonly attempts: number; readonly outcome: 'delivered' | 'dead' }
  | { readonly id: number; readonly attempts: number; readonly outcome: 'again'; readonly dueAt: number }

/**
 * The queue between todos and webhooks: a table in their shared file. Ids rise in the order of commits, since todos
 * alone adds, so a reader finds what is new behind the last id it has seen.
 */
export class Outbox {
  readonly #database: Database
  readonly #statements

  constructor(database: Database) {
    this.#database = database
    this.#statements = {
      add: database.prepare('INSERT INTO outbox (event, body, request_id, traceparent) VALUES (?, ?, ?, ?)'),
      read: database.prepare(
        `SELECT id, event, body, request_id, traceparent, attempts, due_at FROM outbox
         WHERE state = 'pending' AND id > ? ORDER BY id LIMIT ?`,
      ),
      depth: database.prepare("SELECT count(*) AS count FROM outbox WHERE state = 'pending'"),
      remove: database.prepare('DELETE FROM outbox WHERE id = ?'),
      postpone: database.prepare('UPDATE outbox SET attempts = ?, due_at = ? WHERE id = ?'),
      bury: database.prepare("UPDATE outbox SET attempts = ?, state = 'dead' WHERE id = ?"),
    }
  }

  /** Adds an announcement; to be called within the transaction of the change it tells of. */
  add({ event, body, requestId, traceparent }: Announcement): void {
    this.#statements.add.run(event, body, requestId, traceparent ?? null)
  }

  /** The pending messages behind an id, oldest first. */
  after(id: number, limit: number): readonly Message[] {
    return this.#statements.read.all(id, limit).map((row) => messageRow.parse(row))
  }

  /** Messages not yet delivered and not dead. */
  depth(): number {
    return z.object({ count: z.number() }).parse(this.#statements.depth.get()).count
  }

  /** Records outcomes, all in one transaction. */
  settle(settlements: readonly Settlement[]): void {
    if (settlements.length === 0) return
    const { remove, postpone, bury } = this.#statements
    this.#database
      .transaction(() => {
        for (const settlement of settlements) {
          const { id, attempts } = settlement
          if (settlement.outcome === 'again') postpone.run(attempts, settlement.dueAt, id)
          else if (settlement.outcome === 'dead') bury.run(attempts, id)
          else remove.run(id)
        }
      })
      .immediate()
  }
}
