import type { FastifyInstance } from 'fastify'
import { EnvironmentError } from '../../lib/errors.ts'

/**
 * Listens on 127.0.0.1 and answers the port. Throws an EnvironmentError if the port is taken.
 * @param port 0 for any that is free
 */
export async function listen(server: FastifyInstance, port: number): Promise<number> {
  try {
    await server.listen({ host: '127.0.0.1', port })
  } catch (error) {
    const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
    if (!taken) throw error
    throw new EnvironmentError(`Port ${port} of 127.0.0.1 is taken; end its user or choose another (0 for any).`)
  }
  const address = server.server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return address.port
}
