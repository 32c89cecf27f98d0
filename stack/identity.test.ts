import { spawn } from 'node:child_process'
import { expect, test } from 'vitest'
import { alive, endProcess, identify, parseProcStat } from './identity.ts'

function sleeper(...command: string[]) {
  const [file = 'sleep', ...args] = command.length > 0 ? command : ['sleep', '30']
  const child = spawn(file, args, { detached: true, stdio: 'ignore' })
  const identity = identify(child.pid ?? 0)
  if (!identity) throw new Error('no process')
  return identity
}

test('field 22 is found behind a command with spaces and parentheses', () => {
  const rest = Array.from({ length: 18 }, (_, n) => n + 4).join(' ')
  expect(parseProcStat(`12 (a) b (c)) S ${rest} 777 23 24`)).toBe('777')
  expect(parseProcStat(`12 (dead) Z ${rest} 777 23 24`)).toBeUndefined()
})

test('a process is alive until it is ended', async () => {
  const identity = sleeper()
  expect(alive(identity)).toBe(true)
  await endProcess(identity)
  expect(alive(identity)).toBe(false)
  await endProcess(identity)
})

test('one that ignores SIGTERM is killed after the grace', async () => {
  const identity = sleeper('sh', '-c', 'trap "" TERM; while :; do sleep 0.05; done')
  await new Promise((done) => setTimeout(done, 100))
  await endProcess(identity, 'SIGTERM', 100)
  expect(alive(identity)).toBe(false)
})

test('the same pid with another start time is another process, and is left alone', async () => {
  const identity = sleeper()
  const older = { pid: identity.pid, startTime: '1' }
  expect(alive(older)).toBe(false)
  await endProcess(older)
  expect(alive(identity)).toBe(true)
  await endProcess(identity)
})
