import { spawn } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test, vi } from 'vitest'
import { alive, endProcess, type Identity, identify } from './identity.ts'
import type { WatchdogMessage } from './watchdog-message.ts'

function sleeper(): Identity {
  const child = spawn('sleep', ['30'], { detached: true, stdio: 'ignore' })
  const identity = identify(child.pid ?? 0)
  if (!identity) throw new Error('no process')
  return identity
}

/** Runs the watchdog on these lines, then ends the pipe as the parent's death would; resolves when it has gone. */
async function watch(messages: readonly WatchdogMessage[]): Promise<void> {
  const script = fileURLToPath(new URL('watchdog.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', script], { stdio: ['pipe', 'ignore', 'inherit'] })
  child.stdin.write(messages.map((message) => `${JSON.stringify(message)}\n`).join(''))
  child.stdin.end('{"add":{"pi')
  await new Promise((done) => child.once('exit', done))
}

test('without bye: k6 ends first, then faults are lifted, then the rest ends, and only that', async () => {
  const [k6, other, recycled] = [sleeper(), sleeper(), sleeper()]
  const order: string[] = []
  const server = createServer((request, response) => {
    order.push(`${request.method} ${request.url} k6=${alive(k6)} other=${alive(other)}`)
    response.writeHead(204).end()
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  const base = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  const data = await mkdtemp(join(tmpdir(), 'muster-watchdog-'))
  await writeFile(join(data, 'file'), 'x')
  const mended = await mkdtemp(join(tmpdir(), 'muster-watchdog-'))
  const deletion = { kind: 'call', method: 'DELETE', headers: {}, headersEnv: {}, accept: [404] } as const
  await watch([
    { add: { ...other, role: 'process' } },
    { add: { ...k6, role: 'k6' } },
    { add: { pid: recycled.pid, startTime: '1', role: 'process' } },
    { fault: { id: 1, lift: { ...deletion, url: `${base}/leases/1` } } },
    { fault: { id: 2, lift: { ...deletion, url: `${base}/leases/2` } } },
    { fault: { id: 3, lift: { kind: 'command', argv: ['touch', 'mended'], folder: mended } } },
    { lifted: 1 },
    { folder: data },
  ])
  expect(order).toEqual(['DELETE /leases/2 k6=false other=true'])
  expect(alive(other)).toBe(false)
  expect(alive(recycled)).toBe(true)
  await expect(rm(data, { recursive: true })).rejects.toThrow('ENOENT')
  expect(await readdir(mended)).toEqual(['mended'])
  await rm(mended, { recursive: true })
  await endProcess(recycled)
  server.close()
})

test('after bye it goes and touches nothing', async () => {
  const other = sleeper()
  await watch([{ add: { ...other, role: 'process' } }, { bye: true }])
  expect(alive(other)).toBe(true)
  await endProcess(other)
})

test('the death of the parent by SIGKILL is noticed', async () => {
  const client = new URL('watchdog-client.ts', import.meta.url).href
  const code = `import { startWatchdog } from '${client}'; const w = startWatchdog();
    process.stdin.once('data', (pid) => { w.add(Number(pid), 'process'); console.log(JSON.stringify(w.identity)) })`
  const parent = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const other = sleeper()
  parent.stdin.write(String(other.pid))
  const watchdog: Identity = JSON.parse(
    await new Promise((done) => parent.stdout.once('data', (text) => done(`${text}`))),
  )
  parent.kill('SIGKILL')
  await vi.waitFor(() => expect([alive(other), alive(watchdog)]).toEqual([false, false]), {
    timeout: 4000,
    interval: 20,
  })
})
