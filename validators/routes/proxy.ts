import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A proxy that refuses everything and remembers who should have been reached. */
export interface DenyingProxy {
  readonly url: string
  /** One line an attempt, `CONNECT api.example.org:443`; never a path, which may hold a key. */
  readonly attempts: readonly string[]
  close(): Promise<void>
}

/** Listens on a free port of 127.0.0.1. */
export async function openDenyingProxy(): Promise<DenyingProxy> {
  const attempts: string[] = []
  const server = createServer((request, response) => {
    attempts.push(`${request.method ?? '?'} ${hostOf(request.url ?? '')}`)
    response.writeHead(403, { 'content-type': 'text/plain', connection: 'close' })
    response.end('muster lets nothing out')
  })
  server.on('connect', (request, socket) => {
    attempts.push(`CONNECT ${hostOf(`//${request.url ?? ''}`)}`)
    socket.on('error', () => {})
    socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
  })
  server.on('clientError', (_, socket) => {
    attempts.push('what is no HTTP')
    socket.destroy()
  })
  await new Promise<void>((done, failed) => {
    server.once('error', failed)
    server.listen(0, '127.0.0.1', done)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    attempts,
    close: async () => {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}

function hostOf(target: string): string {
  return /^(?:[a-z]+:)?\/\/(?:[^/@]*@)?([^/?#]*)/i.exec(target)?.[1] ?? 'no host'
}
