import { z } from 'zod'
import type { Database } from './database.ts'

const todoRow = z.object({
  id: z.number(),
  title: z.string(),
  done: z.number().transform((done) => done !== 0),
  createdAt: z.number(),
})

/** A user's todo; `createdAt` is in epoch milliseconds. */
export type Todo = z.infer<typeof todoRow>

/** What may be changed. */
export interface TodoChange {
  readonly title?: string | undefined
  readonly done?: boolean | undefined
}

/** The most todos that a list shows, the newest first. */
const listLength = 50

const columns = 'id, title, done, created_at AS createdAt'

/** The todos table. Each user sees their own rows only. */
export class TodoStore {
  readonly #statements

  constructor(database: Database) {
    this.#statements = {
      insert: database.prepare('INSERT INTO todos (user, title, created_at) VALUES (?, ?, ?)'),
      list: database.prepare(`SELECT ${columns} FROM todos WHERE user = ? ORDER BY id DESC LIMIT ${listLength}`),
      find: database.prepare(`SELECT ${columns} FROM todos WHERE id = ? AND user = ?`),
      update: database.prepare('UPDATE todos SET title = ?, done = ? WHERE id = ?'),
      remove: database.prepare('DELETE FROM todos WHERE id = ? AND user = ?'),
    }
  }

  insert(user: string, title: string): Todo {
    const createdAt = Date.now()
    const { lastInsertRowid } = this.#statements.insert.run(user, title, createdAt)
    return { id: Number(lastInsertRowid), title, done: false, createdAt }
  }

  list(user: string): readonly Todo[] {
    return this.#statements.list.all(user).map((row) => todoRow.parse(row))
  }

  find(user: string, id: number): Todo | undefined {
    const row = this.#statements.find.get(id, user)
    return row === undefined ? undefined : todoRow.parse(row)
  }

  /** The changed todo; undefined if the user has none of this id. */
  update(user: string, id: number, { title, done }: TodoChange): Todo | undefined {
    const todo = this.find(user, id)
    if (todo === undefined) return undefined
    const changed = { ...todo, title: title ?? todo.title, done: done ?? todo.done }
    this.#statements.update.run(changed.title, changed.done ? 1 : 0, id)
    return changed
  }

  /** False if the user has no todo of this id. */
  remove(user: string, id: number): boolean {
    return this.#statements.remove.run(id, user).changes > 0
  }
}
