import { fastify } from 'fastify'
import { type Faults, type Lease, leaseRequest } from './faults.ts'
import { listen } from './listen.ts'

/**
 * Opens the port at which faults are leased: POST /leases, GET /leases, DELETE /leases/:id. It listens on loopback
 * only and is itself neither counted, logged nor traced.
 * @param port 0 for any that is free
 */
export async function startFaultPort(
  faults: Faults,
  port: number,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const server = fastify({ bodyLimit: 4096 })
  server.post('/leases', (request, reply) => {
    const asked = leaseRequest.safeParse(request.body)
    if (!asked.success) {
      const problems = asked.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`)
      return reply.code(400).send({ error: problems.join('; ') })
    }
    if (!faults.supported.includes(asked.data.fault)) {
      const known = faults.supported.join(', ')
      return reply.code(400).send({ error: `this service has no fault ${asked.data.fault}; it has ${known}` })
    }
    return reply.code(201).send(shown(faults.grant(asked.data)))
  })
  server.get('/leases', (_request, reply) => reply.send(faults.active().map(shown)))
  server.delete<{ Params: { id: string } }>('/leases/:id', (request, reply) =>
    faults.lift(request.params.id)
      ? reply.code(204).send()
      : reply.code(404).send({ error: 'no such lease; it may have expired' }),
  )
  return { port: await listen(server, port), close: () => server.close() }
}

function shown({ expiresAt, ...lease }: Lease): object {
  return { ...lease, remainingMs: Math.max(0, Math.round(expiresAt - performance.now())) }
}
