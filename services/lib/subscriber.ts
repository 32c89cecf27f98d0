import { createServer } from 'node:http'

/** A subscriber for demonstrations: takes every message and answers 204. Listens on 127.0.0.1, any free port. */
export async function startSubscriber(): Promise<{ readonly port: number; close(): Promise<void> }> {
  const server = createServer({ keepAliveTimeout: 300_000 }, (request, response) => {
    request.resume()
    request.once('end', () => response.writeHead(204).end())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the subscriber has no port')
  return {
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
