import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Database, openDatabase } from './database.ts'
import { Outbox } from './outbox.ts'

let folder: string
let database: Database
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'muster-outbox-'))
  database = openDatabase(join(folder, 'todos.db'))
})
afterEach(() => {
  database.close()
  rmSync(folder, { recursive: true })
})

const announcement = { event: 'todo.created', body: '{}', requestId: 'r', traceparent: undefined }

test('messages come in order, with what they were given, behind the last one seen', () => {
  const outbox = new Outbox(database)
  outbox.add({ ...announcement, traceparent: '00-1' })
  outbox.add(announcement)
  const [first, second] = outbox.after(0, 10)
  expect(first).toMatchObject({ event: 'todo.created', requestId: 'r', traceparent: '00-1', attempts: 0 })
  expect(second?.traceparent).toBeUndefined()
  expect(outbox.after(first?.id ?? 0, 10)).toEqual([second])
})

test('delivered is gone, dead is kept but out of the queue, again keeps its attempts for the next process', () => {
  const outbox = new Outbox(database)
  for (let n = 0; n < 3; n++) outbox.add(announcement)
  const [a, b, c] = outbox.after(0, 10).map(({ id }) => id)
  outbox.settle([
    { id: a ?? 0, attempts: 1, outcome: 'delivered' },
    { id: b ?? 0, attempts: 5, outcome: 'dead' },
    { id: c ?? 0, attempts: 2, outcome: 'again', dueAt: 42 },
  ])
  expect(outbox.depth()).toBe(1)
  expect(new Outbox(database).after(0, 10)).toMatchObject([{ id: c, attempts: 2, dueAt: 42 }])
  expect(database.prepare("SELECT id FROM outbox WHERE state = 'dead'").all()).toMatchObject([{ id: b }])
})

test('a change that fails takes its announcement with it', () => {
  const outbox = new Outbox(database)
  const change = database.transaction(() => {
    outbox.add(announcement)
    throw new Error('no')
  })
  expect(() => change.immediate()).toThrow('no')
  expect(outbox.depth()).toBe(0)
})
