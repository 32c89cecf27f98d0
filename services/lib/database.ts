import Libsql from 'libsql'
import { EnvironmentError } from '../../lib/errors.ts'

export type Database = Libsql.Database

const schema = `
  CREATE TABLE IF NOT EXISTS todos (
    id INTEGER PRIMARY KEY AUTOINCREMENT, user TEXT NOT NULL, title TEXT NOT NULL,
    done INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL);
  CREATE INDEX IF NOT EXISTS todos_by_user ON todos (user, id);
  CREATE TABLE IF NOT EXISTS outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL, body TEXT NOT NULL, request_id TEXT NOT NULL,
    traceparent TEXT, state TEXT NOT NULL DEFAULT 'pending', attempts INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER NOT NULL DEFAULT 0);
  CREATE INDEX IF NOT EXISTS outbox_pending ON outbox (id) WHERE state = 'pending';
`

/**
 * Opens the SQLite file that todos and webhooks share, and makes its tables if they are missing.
 * Throws an EnvironmentError if the file can't be opened.
 */
export function openDatabase(path: string): Database {
  try {
    const database = new Libsql(path, { timeout: 5000 })
    database.exec('PRAGMA busy_timeout = 5000')
    // Readers and the one writer do not wait for each other. A crash of the machine may cost the last changes, a crash
    // of a process none: enough for a sample.
    untilUnlocked(() => database.exec('PRAGMA journal_mode = WAL'))
    database.exec('PRAGMA synchronous = OFF')
    untilUnlocked(() => database.exec(schema))
    return database
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new EnvironmentError(`The database ${path} can't be opened (${reason}); check DATABASE and its folder.`, {
      cause: error,
    })
  }
}

// Two processes that open a new file at once meet a lock that busy_timeout does not cover: the change to WAL.
function untilUnlocked(change: () => void): void {
  for (let attempt = 1; ; attempt++) {
    try {
      change()
      return
    } catch (error) {
      if (attempt === 100 || !(error instanceof Error) || !/locked|busy/i.test(error.message)) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
    }
  }
}
