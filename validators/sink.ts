import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'
import { EnvironmentError } from '../lib/errors.ts'

const notification = z.object({
  version: z.literal('4'),
  receiver: z.string(),
  groupKey: z.string(),
  alerts: z
    .array(
      z.object({
        status: z.enum(['firing', 'resolved']),
        labels: z.record(z.string(), z.string()),
        endsAt: z.string().optional(),
      }),
    )
    .min(1),
})

/** One alert of one notification that reached the sink; `at` in epoch milliseconds. */
export interface Delivery {
  readonly at: number
  readonly receiver: string
  readonly status: 'firing' | 'resolved'
  readonly alert: string
  /** When the alert was over, by its sender's clock; absent while it fires. */
  readonly endedAt?: number
  readonly labels: Readonly<Record<string, string>>
}

/** A real webhook receiver on loopback that records what Alertmanager delivers, and when. */
export class Sink {
  readonly #server: Server
  readonly #deliveries: Delivery[] = []
  readonly #malformed: string[] = []

  private constructor(server: Server) {
    this.#server = server
  }

  /**
   * Opens a sink; port 0 takes a free one.
   * @throws EnvironmentError if the port is taken
   */
  static async open(port: number): Promise<Sink> {
    const server = createServer()
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) =>
        reject(
          error.code === 'EADDRINUSE'
            ? new EnvironmentError(
                `Port ${port} for alert notifications is taken: end the other run, or set another sinkPort.`,
              )
            : new EnvironmentError(`The sink for alert notifications cannot listen on port ${port}: ${error.message}.`),
        ),
      )
      server.listen(port, '127.0.0.1', resolve)
    })
    const sink = new Sink(server)
    server.on('request', (request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        response.statusCode = sink.#take(Date.now(), Buffer.concat(chunks).toString()) ? 200 : 400
        response.end()
      })
    })
    return sink
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo
    return `http://127.0.0.1:${port}/`
  }

  /** What arrived at or after `since`, oldest first. */
  deliveries(since = 0): Delivery[] {
    return this.#deliveries.filter(({ at }) => at >= since)
  }

  /** What arrived and was no notification of Alertmanager's. */
  get malformed(): readonly string[] {
    return this.#malformed
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #take(at: number, body: string): boolean {
    let json: unknown
    try {
      json = JSON.parse(body)
    } catch {
      json = undefined
    }
    const parsed = notification.safeParse(json)
    if (!parsed.success) {
      this.#malformed.push(body.slice(0, 200))
      return false
    }
    const { receiver, alerts } = parsed.data
    for (const { status, labels, endsAt } of alerts) {
      const ended = status === 'resolved' ? Date.parse(endsAt ?? '') : Number.NaN
      const over = Number.isNaN(ended) ? {} : { endedAt: ended }
      this.#deliveries.push({ at, receiver, status, alert: labels.alertname ?? '', labels, ...over })
    }
    return true
  }
}
